//! Queries a PostgreSQL server in one read-only transaction, with a limit for each statement and for the whole.

mod ask;
mod guard;
mod login;
mod questions;

pub use login::Login;
pub use questions::{ask_mas, ask_synapse};
