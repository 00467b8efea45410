//! What is asked of the databases, against real ones: PostgreSQL with roles, databases and rights of all kinds, servers that
//! are none, and dumps of `pg_dump`. Where PostgreSQL is not installed there is nothing to test against:
//! in CI the tests fail, elsewhere they say so and pass.
//!
//! With Synapse's own schema and users made through its API: `cargo test --test e2e databases -- --ignored`; installs Synapse from
//! `PyPI` below `target/synapse`.

mod asked;
mod dumps;
mod hostile;
mod pgbouncer;
mod pooler;
mod process;
mod server;
mod synapse;
