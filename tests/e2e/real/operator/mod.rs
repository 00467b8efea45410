//! The plugin against a real ansible-operator, with a small playbook in the place of ESS Classic's. Every verdict is
//! compared with what the playbook itself wrote down.
//!
//! Not among the tests that always run: it builds the operator with Go and installs Ansible with pip, below `target/`,
//! which needs Python, the network and minutes the first time, and it needs the ports 8888 and 5050 of 127.0.0.1, which
//! the operator has built in.
//!
//! ```sh
//! cargo test --test e2e real::operator -- --ignored --nocapture
//! ```
//!
//! `ESS_MAS_REAL_ROUNDS` sets the number of rounds with disturbances at random moments.

mod install;
mod operator;
mod rounds;
mod scene;
mod situations;
mod truth;
