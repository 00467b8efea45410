//! Against the real programs: an Ansible operator, Synapse, an OpenID provider. Run by hand, for they are installed first, from the
//! network: `cargo test --test e2e real:: -- --ignored --nocapture`.

mod crds;
mod flux;
mod operator;
pub mod synapse;
mod verify;
