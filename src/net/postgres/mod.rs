//! Queries a PostgreSQL server in one read-only transaction, with a limit for each statement and for the whole.

mod guard;
mod login;
mod queries;
mod transaction;

pub use login::Login;
pub use queries::{ask_mas, ask_synapse};
