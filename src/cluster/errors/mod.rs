//! Errors of the communication with the API server.
//!
//! kube's `Display` of an API error is a debug dump and its source chain repeats it, so every error is converted to an
//! [`ErrorKind`] with a message of this program. No error contains a token, a certificate or a request body. The server's
//! messages are shortened and cleaned of control characters.

mod error;
mod sentence;
mod sorting;
mod text;

pub use error::{ClusterError, ErrorKind};
pub use sorting::{AtProxy, sorted, unreadable};
pub use text::plain;
