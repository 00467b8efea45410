//! What may not have been readable.

/// Something that may not have been readable.
#[derive(Debug, Clone, PartialEq)]
pub enum Known<T> {
    Known(T),
    /// It was not; a sentence says why.
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
