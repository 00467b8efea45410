//! What a PostgreSQL server sends is looked at before the library reads it: whether it is PostgreSQL's protocol at all, whether
//! a password was asked for and how, and how much there is of it. (PostgreSQL, chapter 55: a type byte, four bytes of length,
//! the rest.)

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// No answer of ours is larger, in bytes.
const LARGEST: usize = 1 << 20;
/// Nor are all of them together.
const MOST: usize = 8 << 20;
/// Rounds of hashing that a server may ask for; PostgreSQL's default is 4096, and each takes time that nothing interrupts.
const MOST_ROUNDS: u32 = 1_000_000;

/// What stopped a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// It is not PostgreSQL's protocol.
    NotPostgres(String),
    /// The password was asked for in clear.
    InClear,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Facts {
    /// A password, or the proof of knowing it, was asked for.
    pub asked_password: bool,
    /// The number that the server gave the session; of a pooler's it is made up.
    pub process: Option<i32>,
    /// Why the connection was cut.
    pub complaint: Option<Complaint>,
    begun: bool,
}

/// A connection that is looked at.
pub struct Watched<S> {
    inner: S,
    facts: Arc<Mutex<Facts>>,
    /// The password may be sent in clear: somebody else protects the connection.
    protected: bool,
    parser: Parser,
}

#[derive(Default)]
struct Parser {
    head: Vec<u8>,
    body: Vec<u8>,
    left: usize,
    total: usize,
}

impl<S> Watched<S> {
    /// Looks at this connection.
    pub fn new(inner: S, protected: bool) -> (Self, Arc<Mutex<Facts>>) {
        let facts = Arc::<Mutex<Facts>>::default();
        (Self { inner, facts: Arc::clone(&facts), protected, parser: Parser::default() }, facts)
    }
}

impl Parser {
    fn take(&mut self, mut bytes: &[u8], protected: bool, facts: &mut Facts) -> Result<(), Complaint> {
        self.total += bytes.len();
        if self.total > MOST {
            return Err(Complaint::NotPostgres("it does not stop sending".to_owned()));
        }
        while !bytes.is_empty() {
            if self.left == 0 {
                let wanted = 5 - self.head.len();
                let (now, rest) = bytes.split_at(wanted.min(bytes.len()));
                self.head.extend_from_slice(now);
                bytes = rest;
                if !facts.begun && !matches!(self.head.first(), Some(b'R' | b'E' | b'v' | b'N')) {
                    let start: String =
                        self.head.iter().map(|byte| char::from(*byte)).filter(|c| !c.is_control()).collect();
                    return Err(Complaint::NotPostgres(format!("its answer begins with {start:?}")));
                }
                let [_, a, b, c, d] = self.head[..] else { continue };
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                if !(4..=LARGEST).contains(&length) {
                    return Err(Complaint::NotPostgres(format!("it announces a message of {length} bytes")));
                }
                facts.begun = true;
                self.left = length - 4;
                self.body.clear();
                if self.left == 0 {
                    self.head.clear();
                }
                continue;
            }
            let (now, rest) = bytes.split_at(self.left.min(bytes.len()));
            if matches!(self.head.first(), Some(b'R' | b'K')) {
                self.body.extend_from_slice(now);
            }
            self.left -= now.len();
            bytes = rest;
            if self.left == 0 {
                self.whole(protected, facts)?;
                self.head.clear();
            }
        }
        Ok(())
    }

    /// A whole message that is looked at.
    fn whole(&self, protected: bool, facts: &mut Facts) -> Result<(), Complaint> {
        let Some((number, rest)) = self.body.split_first_chunk::<4>() else { return Ok(()) };
        match (self.head.first(), i32::from_be_bytes(*number)) {
            (Some(b'K'), process) => facts.process = Some(process),
            (Some(b'R'), 3) if !protected => return Err(Complaint::InClear),
            (Some(b'R'), 3 | 5 | 10) => facts.asked_password = true,
            (Some(b'R'), 11) => {
                let text = String::from_utf8_lossy(rest);
                let rounds = text.split(',').find_map(|part| part.strip_prefix("i="));
                if rounds.is_some_and(|rounds| rounds.parse::<u32>().is_ok_and(|rounds| rounds > MOST_ROUNDS)) {
                    return Err(Complaint::NotPostgres(
                        "it asks for more rounds of hashing than any server does".to_owned(),
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if matches!(polled, Poll::Ready(Ok(()))) {
            let mut facts = this.facts.lock().unwrap_or_else(PoisonError::into_inner);
            let new = &buffer.filled()[before..];
            if let Err(complaint) = this.parser.take(new, this.protected, &mut facts) {
                facts.complaint = Some(complaint);
                buffer.set_filled(before);
                return Poll::Ready(Err(io::Error::other("cut off")));
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    /// What comes of these bytes, in pieces of this size.
    fn seen(bytes: &[u8], size: usize, protected: bool) -> Result<Facts, Complaint> {
        let (mut parser, mut facts) = (Parser::default(), Facts::default());
        for piece in bytes.chunks(size) {
            parser.take(piece, protected, &mut facts)?;
        }
        Ok(facts)
    }

    #[test]
    fn what_a_server_says_at_the_beginning_is_understood_however_it_is_cut() {
        let all = [
            message(b'R', &[0, 0, 0, 10, b'S', b'C', b'R', b'A', b'M', 0, 0]),
            message(b'R', &[&[0, 0, 0, 11][..], b"r=x,s=y,i=4096"].concat()),
            message(b'R', &[0, 0, 0, 0]),
            message(b'S', b"server_version\x0015\0"),
            message(b'K', &[0, 0, 1, 2, 9, 9, 9, 9]),
            message(b'Z', b"I"),
            message(b'I', b""),
            message(b'K', &[0, 0, 1, 3, 9, 9, 9, 9]),
        ]
        .concat();
        for size in [1, 2, 3, 5, 7, all.len()] {
            let facts = seen(&all, size, false).unwrap();
            assert!(facts.asked_password, "{size}");
            assert_eq!(facts.process, Some(259), "{size}");
        }
        assert!(!seen(&message(b'R', &[0, 0, 0, 0]), 3, false).unwrap().asked_password);
    }

    #[test]
    fn what_is_not_postgresql_is_told_by_its_first_byte_and_its_lengths() {
        let strange = |bytes: &[u8]| match seen(bytes, 4, false) {
            Err(Complaint::NotPostgres(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(strange(b"HTTP/1.1 400 Bad Request\r\n").contains("HTTP"));
        assert!(strange(b"SSH-2.0-x").contains("SSH"));
        assert!(strange(&[b'R', 0xff, 0xff, 0xff, 0xff]).contains("announces"));
        assert!(strange(&[b'E', 0, 0, 0, 3]).contains("announces"));
        let notices = message(b'N', &[b'x'; 1000]).repeat(9000);
        assert!(strange(&notices).contains("does not stop"));
        let rounds = message(b'R', &[&[0, 0, 0, 11][..], b"r=x,s=y,i=4000000000"].concat());
        assert!(strange(&rounds).contains("rounds"), "each round takes time that nothing interrupts");
    }

    #[test]
    fn a_password_is_never_sent_in_clear_where_anybody_could_listen() {
        let clear = message(b'R', &[0, 0, 0, 3]);
        assert_eq!(seen(&clear, 9, false).unwrap_err(), Complaint::InClear);
        assert!(seen(&clear, 9, true).unwrap().asked_password);
    }
}
