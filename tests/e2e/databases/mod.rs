//! The database checks against real servers: PostgreSQL with various roles, databases and permissions, servers that are
//! not PostgreSQL, and dumps of `pg_dump`. Without PostgreSQL, the tests fail in CI, and are skipped with a message
//! elsewhere.
//!
//! With Synapse's own schema and users created through its API: `cargo test --test e2e databases -- --ignored`.
//! Installs Synapse from `PyPI` below `target/synapse`.

mod dumps;
mod hostile;
mod pgbouncer;
mod pooler;
mod process;
mod queries;
mod server;
mod synapse;
