//! Network I/O beside the API server: what answers at the hosts of MAS, Synapse, the identity providers and the databases. Nothing here decides
//! anything.

pub mod address;
pub mod dial;
pub mod dns;
pub mod http;
pub mod postgres;
pub mod secure;
pub mod tls;
mod verifier;
