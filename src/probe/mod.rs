//! Network I/O beside the API server: what answers at MAS's, Synapse's and the identity providers' hosts. Nothing here decides
//! anything.

pub mod address;
pub mod dial;
pub mod dns;
pub mod http;
pub mod secure;
pub mod tls;
