//! Tests without an API server: the pure parts on complete deployments and generated schedules, the command line, the pages
//! in docs/, releases, and the structure of the sources.

mod architecture;
mod command_line;
mod contract;
mod corpus;
mod documents;
mod fuzz_seeds;
mod help;
mod man;
#[cfg(target_os = "linux")]
mod release;
mod schedules;
#[cfg(target_os = "linux")]
mod start;
mod structure;
#[cfg(unix)]
mod terminal;
