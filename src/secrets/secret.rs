//! Values that are never printed.

use std::fmt;

use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

/// A value that is overwritten on drop and that no formatter prints.
///
/// Deliberately without `Display`, `Serialize` and `Deref`: [`expose`](Self::expose) is the only access. A growing value
/// leaves copies in memory, so build it with sufficient capacity.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

pub type SecretBytes = Secret<Vec<u8>>;
pub type SecretText = Secret<String>;

impl<T: Zeroize + std::ops::Deref> Secret<T> {
    /// Takes ownership without copying the value.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    pub fn expose(&self) -> &T::Target {
        &self.0
    }
}

impl SecretBytes {
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl SecretText {
    pub fn to_bytes(&self) -> SecretBytes {
        SecretBytes::from(self.0.as_bytes())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T: Zeroize + std::ops::Deref> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

/// A file's contents without one trailing newline (`\n` or `\r\n`).
pub fn without_newline(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if line.len() < bytes.len() { line.strip_suffix(b"\r").unwrap_or(line) } else { bytes }
}

/// Overwrites every string in an object, such as the values of a Secret and the copies that `kubectl apply` leaves in
/// annotations. Keeps the structure and the names of keys.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_output_never_contains_the_value() {
        #[derive(Debug)]
        struct Holder {
            #[expect(dead_code, reason = "read by the derived Debug only")]
            bytes: SecretBytes,
            #[expect(dead_code, reason = "read by the derived Debug only")]
            text: SecretText,
        }
        let holder = Holder { bytes: SecretBytes::from(&b"hunter2"[..]), text: SecretText::from("hunter2") };
        assert_eq!(format!("{holder:?}"), "Holder { bytes: [secret], text: [secret] }");
        assert_eq!(format!("{holder:#x?}"), "Holder {\n    bytes: [secret],\n    text: [secret],\n}");
    }

    #[test]
    fn exposes_the_exact_value() {
        assert_eq!(SecretBytes::from(vec![0, 255, 10]).expose(), [0, 255, 10]);
        assert_eq!(SecretText::from("a\nb").to_bytes().expose(), b"a\nb");
    }

    #[test]
    fn wiping_overwrites_every_string_at_any_depth() {
        let mut secret = json!({
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"a\":\"aHVudGVyMg==\"}}"}},
            "data": {"a": "aHVudGVyMg=="}, "list": [["aHVudGVyMg=="], {"b": "aHVudGVyMg=="}], "immutable": true, "n": 7});
        wipe(&mut secret);
        assert!(!secret.to_string().contains("aHVudGVyMg"), "{secret}");
        assert_eq!((&secret["immutable"], &secret["n"]), (&json!(true), &json!(7)));
    }
}
