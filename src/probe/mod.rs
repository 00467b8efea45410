//! Network I/O beside the API server: what answers at the hosts of MAS, Synapse, the identity providers and the databases. Nothing here decides
//! anything.

pub mod address;
pub mod dial;
pub mod dns;
pub mod http;
pub mod postgres;
mod proxy;
pub mod secure;
#[cfg(test)]
pub(crate) mod stub;
pub mod tls;
mod verifier;

pub use proxy::{through_proxy, with_port};
pub use verifier::{Shown, lenient, verifier};
