//! Tests with the real programs: an Ansible operator, Synapse, an OpenID provider, GitOps tools. Run by hand, because they are
//! installed from the network first: `cargo test --test e2e real:: -- --ignored --nocapture`.

mod argo;
mod crds;
mod flux;
mod gitops;
mod operator;
pub mod synapse;
mod verify;
