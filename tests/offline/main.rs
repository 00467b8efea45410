//! What needs no API server: the pure parts on whole deployments and generated schedules, the command line, what is packed, and
//! the structure of the sources.

mod architecture;
mod command_line;
mod corpus;
mod documents;
mod fuzz_seeds;
#[cfg(unix)]
mod krew;
mod man;
mod schedules;
#[cfg(target_os = "linux")]
mod start;
mod structure;
#[cfg(unix)]
mod terminal;
