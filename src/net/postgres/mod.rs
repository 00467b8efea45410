//! Asks a PostgreSQL server, and changes nothing: one read-only transaction with a limit for each statement and one for all.

mod ask;
mod guard;
mod login;
mod questions;

pub use login::Login;
pub use questions::{ask_mas, ask_synapse};
