//! Takes secrets out of what is kept or handed on: logs, objects, messages of the cluster.
//!
//! Three nets lie on top of each other, because each has holes. *Structure*: a Secret is reduced to the names and lengths of
//! its keys, the environment of a container to its names, and what stands under a key that speaks of a password or token is
//! left out. *Known values*: whatever was read from Secrets is looked for in every text, also encoded (base64, hexadecimal,
//! JSON, URL, wrapped over lines). *Content*: PEM blocks, tokens, password hashes, URLs with a password, authorization
//! headers, long hexadecimal and base64 are left out wherever they stand, known or not.
//!
//! What support needs stays: names of objects, tables and hosts, user ids, error texts, ULIDs, UUIDs, digests that are
//! marked as such (`sha256:…`), times and the operator's `completion`.
//!
//! Pure.

mod keys;
mod known;
mod lines;
mod patterns;
mod people;
mod tree;
mod views;

pub use people::People;

use known::Known;
use serde_json::Value;

use crate::pki::SecretBytes;

/// What stands in the place of a secret.
pub const MARK: &str = "[redacted]";

/// Knows the secrets of one deployment, and takes them and what looks like secrets out of texts and objects.
#[derive(Debug)]
pub struct Redactor {
    known: Known,
}

impl Redactor {
    /// Knows these values. Those that are too short or too ordinary to be told from other words (less than four bytes, a
    /// small number, `true`) are not looked for.
    pub fn knowing<'a>(values: impl IntoIterator<Item = &'a SecretBytes>) -> Self {
        Self { known: Known::of(values.into_iter().map(SecretBytes::expose)) }
    }

    /// A text without secrets. Lines stay lines, except within a secret that is several lines long.
    pub fn text(&self, text: &str) -> String {
        let text = self.known.cut(text);
        let text = patterns::blocks(&text);
        let text = lines::pairs(&text);
        patterns::words(&text)
    }

    /// A Kubernetes object without secrets: see the module's description. Of `managedFields` only who and when is kept.
    pub fn object(&self, object: &Value) -> Value {
        tree::object(self, object)
    }

    /// Any other tree (a status, a settings document) without secrets.
    pub fn tree(&self, tree: &Value) -> Value {
        tree::value(self, tree)
    }
}

#[cfg(test)]
mod tests;
