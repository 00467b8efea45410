//! The plugin against a real ansible-operator, with a small playbook in place of ESS Classic's. Every verdict is
//! compared with the playbook's log.
//!
//! Ignored by default: builds the operator with Go and installs Ansible with pip, below `target/`. This needs Python, a
//! network, and minutes the first time. It also needs the operator's fixed ports 8888 and 5050 of 127.0.0.1.
//!
//! ```sh
//! cargo test --test e2e real::operator -- --ignored --nocapture
//! ```
//!
//! `ESS_MAS_REAL_ROUNDS` sets the number of rounds with disturbances at random moments.

mod install;
mod process;
mod rounds;
mod scene;
mod situations;
mod truth;
