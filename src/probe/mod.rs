//! Network I/O beside the API server: what answers at the hosts of MAS, Synapse, the identity providers and the databases. Nothing here decides
//! anything.

pub mod dial;
pub mod http;
pub mod postgres;
mod proxy;
#[cfg(test)]
pub(crate) mod stub;
pub mod tls;
pub mod trust;
mod verifier;

pub use proxy::{through_proxy, with_port};
pub use verifier::{Shown, lenient, verifier};
