//! One deployment on one cluster, and everything that is read of it. Never prompts.

pub mod certificate;
pub mod command_line;
mod components;
mod connect;
pub mod deadline;
pub mod endpoints;
mod environment;
pub mod findings;
pub mod inputs;
pub mod interrupt;
pub mod reading;
mod record;
pub mod related_objects;
pub mod snapshot;
pub mod status;
pub mod workloads;

pub use connect::{Context, Session, not_one};
pub use status::Document;
