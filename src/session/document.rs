//! The API version and kind of all printed data.

use serde::Serialize;

/// Contents with this program's API version and a kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    contents: T,
}

impl<T: Serialize> Document<T> {
    pub fn new(kind: &'static str, contents: T) -> Self {
        Self { api_version: "ess-mas/v1", kind, contents }
    }
}
