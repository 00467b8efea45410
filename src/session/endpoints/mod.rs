//! Checks MAS, Synapse and the identity providers over the network.

mod access;
mod ask;
mod checkpoints;
mod connection_test;
mod log_in;
pub mod through;

pub use access::{EndpointAccess, TestAccount};
pub use ask::{NO_LOGINS, check, expected};
pub use checkpoints::{after, before, for_check};
pub use connection_test::ConnectionTest;
pub use through::Through;
