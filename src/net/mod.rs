//! Network I/O except the API server's: HTTP, TLS and PostgreSQL. Decides nothing.

pub mod dial;
pub mod http;
pub mod postgres;
#[cfg(test)]
pub(crate) mod stub;
pub mod tls;
