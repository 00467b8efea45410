//! What goes wrong with the API server, as sentences.
//!
//! kube's `Display` of an API error is a debug dump and its source chain repeats it, so every error is sorted into an
//! [`ErrorKind`] and told in our own words. Nothing here carries a token, a certificate or a request body; what the
//! server wrote is cut and cleaned of control characters before it reaches a terminal.

mod error;
mod sentence;
mod sorting;
mod text;

pub use error::{ClusterError, ErrorKind};
pub use sorting::{AtProxy, sorted, unreadable};
pub use text::plain;
