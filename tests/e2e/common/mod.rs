//! Helpers for the tests of all commands.

pub mod command;
#[cfg(target_os = "linux")]
pub mod detector;
pub mod endpoints;
pub mod kubelet;
pub mod live;
pub mod neighbours;
pub mod roles;
pub mod scene;
pub mod shape;
pub mod stage;
#[cfg(unix)]
pub mod terminal;
