//! Network I/O beside the API server: what answers at MAS's own host. Nothing here decides anything.

pub mod dns;
pub mod tls;
