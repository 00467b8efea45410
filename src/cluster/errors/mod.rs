//! What goes wrong with the API server, as sentences.

mod error;
mod from_client;
mod hints;
mod text;

pub use error::{ClusterError, ErrorKind, FieldProblem};
pub use from_client::{AtProxy, sorted, unreadable};
pub use text::plain;
