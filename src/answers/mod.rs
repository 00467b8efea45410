//! Replies of MAS, Synapse, the identity providers and the databases as values: `net` creates them, `checks` evaluates them.

pub mod http;
mod known;
pub mod postgres;

pub use known::Known;
