//! From a terminal's bytes to keys.

use std::io;

use super::Key;

/// Where bytes come from.
pub(super) trait Bytes {
    /// Waits for a byte.
    fn next(&mut self) -> io::Result<u8>;
    /// Whether another byte comes so soon that it belongs to the ones before.
    fn waits(&self) -> io::Result<bool>;
}

pub(super) struct Decoder<B> {
    bytes: B,
    /// A byte that turned out to begin something else.
    ahead: Option<u8>,
}

impl<B: Bytes> Decoder<B> {
    pub(super) fn new(bytes: B) -> Self {
        Self { bytes, ahead: None }
    }

    /// Waits for a key.
    pub(super) fn key(&mut self) -> io::Result<Key> {
        let byte = match self.ahead.take() {
            Some(byte) => byte,
            None => self.bytes.next()?,
        };
        match byte {
            0x1b => self.escape(),
            ascii @ 0..0x80 => Ok(Key::of(char::from(ascii))),
            first => self.letter(first),
        }
    }

    /// To the end of an escape sequence (ECMA-48: CSI and SS3; or one key with Alt), so that no part of it is a letter.
    fn escape(&mut self) -> io::Result<Key> {
        if self.bytes.waits()? && matches!(self.bytes.next()?, b'[' | b'O') {
            while self.bytes.waits()? && !matches!(self.bytes.next()?, 0x40..=0x7e) {}
        }
        Ok(Key::Other)
    }

    /// The rest of a letter beyond ASCII.
    fn letter(&mut self, first: u8) -> io::Result<Key> {
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Ok(Key::Unreadable),
        };
        let mut letter = [first, 0, 0, 0];
        for place in &mut letter[1..length] {
            if !self.bytes.waits()? {
                return Ok(Key::Unreadable);
            }
            let byte = self.bytes.next()?;
            if byte & 0xc0 != 0x80 {
                self.ahead = Some(byte);
                return Ok(Key::Unreadable);
            }
            *place = byte;
        }
        let letter = std::str::from_utf8(&letter[..length]).ok().and_then(|text| text.chars().next());
        Ok(letter.map_or(Key::Unreadable, Key::of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Bytes for std::slice::Iter<'_, u8> {
        fn next(&mut self) -> io::Result<u8> {
            Iterator::next(self).copied().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        }

        fn waits(&self) -> io::Result<bool> {
            Ok(self.len() > 0)
        }
    }

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::new(bytes.iter());
        std::iter::from_fn(|| decoder.key().ok()).collect()
    }

    #[test]
    fn no_part_of_an_arrow_or_a_function_key_is_a_letter() {
        assert_eq!(keys(b"\x1b[Aa\x1bOPb\x1b[15~c\x1b[1;5Dd"), "_a_b_c_d".chars().map(other).collect::<Vec<_>>());
        assert_eq!(keys(b"\x1bx\x1b"), [Key::Other, Key::Other]);
    }

    fn other(c: char) -> Key {
        if c == '_' { Key::Other } else { Key::Char(c) }
    }

    #[test]
    fn a_latin_1_letter_does_not_swallow_the_enter_behind_it() {
        assert_eq!(keys(b"\xe4\r"), [Key::Unreadable, Key::Enter]);
        assert_eq!(keys(b"\xfc\r"), [Key::Unreadable, Key::Enter]);
        assert_eq!(keys(b"\xc3"), [Key::Unreadable]);
    }

    proptest! {
        #[test]
        fn every_letter_arrives_whole(text in any::<String>()) {
            let letters: String = text.chars().filter(|c| !c.is_control()).collect();
            prop_assert_eq!(keys(letters.as_bytes()), letters.chars().map(Key::Char).collect::<Vec<_>>());
        }

        #[test]
        fn ctrl_c_is_never_swallowed_by_what_cannot_be_read(bytes in proptest::collection::vec(0x80u8..=0xff, 0..6)) {
            prop_assert!(keys(&[&bytes[..], b"\x03"].concat()).ends_with(&[Key::Interrupt]));
        }
    }
}
