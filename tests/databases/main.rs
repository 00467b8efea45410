//! What is asked of the databases, against real ones: PostgreSQL with roles, databases and rights of all kinds, servers that
//! are none, and dumps of `pg_dump`. Where PostgreSQL is not installed there is nothing to test against, and the tests say
//! so and pass.
//!
//! With Synapse's own schema and users made through its API: `cargo test --test databases -- --ignored`; installs Synapse from
//! `PyPI` below `target/synapse`.
#![cfg(unix)]

mod asked;
#[expect(dead_code, reason = "shared with the end-to-end tests, which need more of it")]
#[path = "../e2e/common/command.rs"]
mod command;
mod dumps;
mod hostile;
mod pooler;
mod process;
#[expect(dead_code, reason = "shared with the end-to-end tests, which need more of it")]
#[path = "../e2e/common/scene.rs"]
mod scene;
mod server;
mod synapse;
