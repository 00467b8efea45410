//! Just enough strict DER to tell what a key file holds.
//!
//! Strict on purpose: definite lengths in their shortest form, integers in their shortest form, nothing after the end. What
//! this reader accepts, the readers of MAS and of aws-lc accept too.

/// `SEQUENCE`.
pub(super) const SEQUENCE: u8 = 0x30;
/// `INTEGER`.
pub(super) const INTEGER: u8 = 0x02;
/// `OCTET STRING`.
pub(super) const OCTET_STRING: u8 = 0x04;
/// `OBJECT IDENTIFIER`.
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// `NULL`.
pub(super) const NULL: u8 = 0x05;

/// Reads one element after the other from some DER.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    /// How many bytes are left to read.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether everything was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element if it bears this tag.
    pub(super) fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        let [first, length, rest @ ..] = self.0 else {
            return None;
        };
        if *first != tag {
            return None;
        }
        let (length, rest) = match *length {
            short @ 0..0x80 => (usize::from(short), rest),
            long => {
                let (length, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                // One to four bytes, none of them superfluous; 0x80 alone is the indefinite form, which DER forbids.
                let value = match *length {
                    [a] if a >= 0x80 => u32::from(a),
                    [a, b] if a != 0 => u32::from_be_bytes([0, 0, a, b]),
                    [a, b, c] if a != 0 => u32::from_be_bytes([0, a, b, c]),
                    [a, b, c, d] if a != 0 => u32::from_be_bytes([a, b, c, d]),
                    _ => return None,
                };
                (usize::try_from(value).ok()?, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The next element's content as a reader, if it is a sequence.
    pub(super) fn sequence(&mut self) -> Option<Reader<'a>> {
        self.element(SEQUENCE).map(Reader)
    }

    /// The next element's magnitude, big-endian without leading zeros, if it is an integer that is not negative.
    pub(super) fn unsigned(&mut self) -> Option<&'a [u8]> {
        match self.element(INTEGER)? {
            [0] => Some(&[]),
            [0, magnitude @ ..] if magnitude[0] >= 0x80 => Some(magnitude),
            magnitude @ [1..0x80, ..] => Some(magnitude),
            _ => None,
        }
    }
}

/// The one sequence that `der` consists of.
pub(super) fn whole_sequence(der: &[u8]) -> Option<Reader<'_>> {
    let mut outer = Reader::new(der);
    let inner = outer.sequence()?;
    outer.is_at_end().then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_must_be_in_their_shortest_form() {
        assert_eq!(Reader::new(&[4, 1, 9]).element(OCTET_STRING), Some(&[9u8][..]));
        assert_eq!(Reader::new(&[4, 0x81, 1, 9]).element(OCTET_STRING), None);
        assert_eq!(Reader::new(&[4, 0x80, 9, 0, 0]).element(OCTET_STRING), None, "indefinite");
        assert_eq!(Reader::new(&[4, 2, 9]).element(OCTET_STRING), None, "cut off");
        let mut long = vec![4, 0x82, 1, 0];
        long.extend([7; 256]);
        assert_eq!(Reader::new(&long).element(OCTET_STRING).map(<[u8]>::len), Some(256));
    }

    #[test]
    fn integers_must_be_in_their_shortest_form_and_not_negative() {
        let unsigned = |content: &[u8]| {
            let mut der = vec![INTEGER, u8::try_from(content.len()).unwrap()];
            der.extend(content);
            Reader::new(&der).unsigned().map(<[u8]>::to_vec)
        };
        assert_eq!(unsigned(&[0]), Some(vec![]));
        assert_eq!(unsigned(&[0x7f]), Some(vec![0x7f]));
        assert_eq!(unsigned(&[0, 0x80]), Some(vec![0x80]));
        assert_eq!(unsigned(&[0x80]), None);
        assert_eq!(unsigned(&[0, 0x7f]), None);
        assert_eq!(unsigned(&[]), None);
    }
}
