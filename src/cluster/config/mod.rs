//! Server, user and proxy, from flags, kubeconfig and environment.

pub mod flags;
pub mod kubeconfig;
pub mod proxy;
pub mod resolve;
