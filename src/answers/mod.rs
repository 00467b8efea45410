//! Replies of MAS, Synapse, the identity providers and the databases as values: `net` creates them, `checks` evaluates them.

pub mod http;
pub mod postgres;

/// A value that may be unreadable.
#[derive(Debug, Clone, PartialEq)]
pub enum Known<T> {
    Known(T),
    /// A sentence says why.
    Unreadable(String),
}

impl<T> Known<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unreadable(_) => None,
        }
    }
}
