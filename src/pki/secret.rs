//! Values that must never be shown.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes that are overwritten when they go out of scope and that no formatter shows.
///
/// There is deliberately no `Display`, no `Serialize` and no `Deref`: whoever needs the bytes writes [`expose`](Self::expose),
/// which can be searched for. A `Vec` that grows leaves copies behind, so build it with the capacity it needs.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over; the caller's allocation becomes the secret's.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for writing them where they belong.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

/// Text that is overwritten when it goes out of scope and that no formatter shows. See [`SecretBytes`].
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over; the caller's allocation becomes the secret's.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for writing it where it belongs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same text as bytes, as the `data` of a Kubernetes Secret holds it before base64.
    pub fn to_bytes(&self) -> SecretBytes {
        SecretBytes::from(self.0.as_bytes())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_at_any_setting() {
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
    fn exposes_exactly_what_went_in() {
        assert_eq!(SecretBytes::from(vec![0, 255, 10]).expose(), [0, 255, 10]);
        assert_eq!(SecretText::from("a\nb").to_bytes().expose(), b"a\nb");
    }
}
