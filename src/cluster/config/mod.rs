//! What to talk to and as whom: flags, kubeconfig and proxy.

pub mod flags;
pub mod kubeconfig;
pub mod proxy;
pub mod resolve;
