//! An answer that was asked for before it was known to be needed.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::cluster::ClusterError;

/// What was read of one object that may not be there; given once, since it is old afterwards.
#[derive(Debug, Default)]
pub struct Ahead(Mutex<Option<Result<Option<Value>, ClusterError>>>);

impl Ahead {
    /// Holds an answer, if there is one.
    pub fn new(answer: Option<Result<Option<Value>, ClusterError>>) -> Self {
        Self(Mutex::new(answer))
    }

    /// The answer, the first time.
    pub fn take(&self) -> Option<Result<Option<Value>, ClusterError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
