//! What to talk to and as whom: flags, kubeconfig, proxy and credential plugin.

pub mod flags;
pub mod kubeconfig;
pub mod plugin;
pub mod proxy;
pub mod resolve;
