//! Network I/O beside the API server: what answers at the hosts of MAS, Synapse, the identity providers and the databases. Nothing here decides
//! anything.

pub mod dial;
pub mod http;
pub mod postgres;
#[cfg(test)]
pub(crate) mod stub;
pub mod tls;
