//! What needs no API server: the pure parts on whole deployments and generated schedules, the command line, what is packed, and
//! the structure of the sources.

mod architecture;
mod codes;
mod command_line;
mod corpus;
mod fuzz_seeds;
mod man;
#[cfg(target_os = "linux")]
mod release;
mod schedules;
#[cfg(target_os = "linux")]
mod start;
mod structure;
#[cfg(unix)]
mod terminal;
