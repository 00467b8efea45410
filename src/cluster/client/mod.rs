//! The connection to the API server, and requests on it.

pub mod connect;
pub mod connection;
mod credentials;
mod redact;
mod tls;
pub mod transport;
