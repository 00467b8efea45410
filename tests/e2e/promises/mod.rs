//! Guarantees of several commands, one per file.

mod choice;
mod concurrency;
mod connection;
mod credentials;
mod diagnosis;
#[cfg(unix)]
mod examples;
mod faults;
mod json;
mod kill;
#[cfg(unix)]
mod outputs;
mod owners;
mod promptness;
#[cfg(unix)]
mod prompts;
mod rbac;
mod requests;
#[cfg(target_os = "linux")]
mod secrets_never_leak;
mod signals;
mod suspend;
mod verdicts;
