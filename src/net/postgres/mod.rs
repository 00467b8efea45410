//! Asks a PostgreSQL server, and changes nothing: one read-only transaction with a limit for each statement and one for all.

mod ask;
mod guard;
mod login;
mod mas;
mod synapse;

pub use login::Login;
pub use mas::ask as ask_mas;
pub use synapse::ask as ask_synapse;
