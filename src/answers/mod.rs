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

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Known(value) => Known::Known(change(value)),
            Self::Unreadable(why) => Known::Unreadable(why),
        }
    }
}

impl<T, E: ToString> From<Result<T, E>> for Known<T> {
    fn from(read: Result<T, E>) -> Self {
        read.map_or_else(|error| Self::Unreadable(error.to_string()), Self::Known)
    }
}
