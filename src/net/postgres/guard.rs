//! What a PostgreSQL server sends is looked at before tokio-postgres reads it. The library does harm where a server is bad, or
//! none: it answers a request for the password in clear over a connection that anybody could listen to, keeps messages of any
//! size, and speaks on to whatever is no PostgreSQL. Nor does it tell what is asked of it here: the number that a session was
//! given, how a password was asked for, and whether TLS is spoken. (PostgreSQL, chapter 55: a type byte, four bytes of length,
//! the rest.)

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode as Offer;
use tokio_postgres::tls::{ChannelBinding, TlsStream};

use crate::answers::postgres::ProbeError;

/// No answer of ours is larger, in bytes.
const LARGEST: usize = 1 << 20;
/// Nor are all of them together.
const MOST: usize = 8 << 20;

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts {
    /// A password, or the proof of knowing it, was asked for.
    pub asked_password: bool,
    /// It was asked for by SCRAM, for which the library applies `SASLprep`.
    pub scram: bool,
    /// The number that the server gave the session; of a pooler's it is made up.
    pub process: Option<i32>,
    pub tls: bool,
    pub complaint: Option<ProbeError>,
    /// Nobody can listen, so that the password may be sent in clear.
    pub protected: bool,
}

pub struct Guard<S> {
    inner: S,
    facts: Arc<Mutex<Facts>>,
    /// Whether the server is asked for TLS, as long as it has not answered that.
    offer: Offer,
    begun: bool,
    total: usize,
    buffer: BytesMut,
    /// What is left to send in the place of the library's start-up message.
    start: BytesMut,
    started: bool,
}

/// The protocol's version in a start-up message, behind its length.
const VERSION: [u8; 4] = [0, 3, 0, 0];
/// What sqlx (MAS and syn2mas) sends, the library does not, and PgBouncer refuses unless it is told otherwise.
const DIGITS: &[u8] = b"extra_float_digits\x002\0\0";

impl<S> Guard<S> {
    pub fn new(inner: S, facts: Arc<Mutex<Facts>>, offer: Offer) -> Self {
        let (buffer, start) = (BytesMut::new(), BytesMut::new());
        Self { inner, facts, offer, begun: false, total: 0, buffer, start, started: false }
    }

    pub fn into_parts(self) -> (S, Arc<Mutex<Facts>>) {
        (self.inner, self.facts)
    }

    fn look(&mut self, mut bytes: &[u8]) -> Result<(), ProbeError> {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let strange = |why: String| Err(ProbeError::NotPostgres(why));
        if let (Offer::Prefer | Offer::Require, Some((answer, rest))) = (self.offer, bytes.split_first()) {
            bytes = rest;
            match (answer, std::mem::replace(&mut self.offer, Offer::Disable)) {
                (b'S', _) | (b'N', Offer::Prefer) => {}
                (b'N', _) => return Err(ProbeError::NoTls),
                // An error, in the words of a server that is too old or too busy to answer; it is not repeated here, since
                // nobody has proved yet who says it.
                (b'E', _) => return Err(ProbeError::Lost("it refuses before it says who it is".to_owned())),
                (other, _) => return strange(format!("asked for TLS it answers {:?}", shown(&[*other]))),
            }
        }
        self.total += bytes.len();
        if self.total > MOST {
            return strange("it does not stop sending".to_owned());
        }
        self.buffer.extend_from_slice(bytes);
        if !self.begun && !matches!(self.buffer.first(), None | Some(b'R' | b'E' | b'v' | b'N')) {
            return strange(format!("its answer begins with {:?}", shown(&self.buffer)));
        }
        while let Some((&[tag, a, b, c, d], _)) = self.buffer.split_first_chunk() {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            if !(4..=LARGEST).contains(&length) {
                return strange(format!("it announces a message of {length} bytes"));
            }
            self.begun = true;
            if self.buffer.len() <= length {
                break;
            }
            let message = self.buffer.split_to(length + 1);
            let Some((number, _)) = message[5..].split_first_chunk() else { continue };
            match (tag, i32::from_be_bytes(*number)) {
                (b'K', process) => facts.process = Some(process),
                (b'R', 3) if !facts.protected => return Err(ProbeError::InClear),
                (b'R', method @ (3 | 5 | 10)) => (facts.asked_password, facts.scram) = (true, method == 10),
                _ => {}
            }
        }
        Ok(())
    }
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().take(5).map(|byte| char::from(*byte)).filter(|c| !c.is_control()).collect()
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Err(complaint) = self.look(&buffer.filled()[before..]) {
            self.facts.lock().unwrap_or_else(PoisonError::into_inner).complaint = Some(complaint);
            buffer.set_filled(before);
            return Poll::Ready(Err(io::Error::other("cut off")));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if !this.started && bytes.get(4..8) == Some(&VERSION) {
            this.started = true;
            this.start.extend_from_slice(&bytes[..bytes.len() - 1]);
            this.start.extend_from_slice(DIGITS);
            let length = u32::try_from(this.start.len()).map_err(io::Error::other)?;
            this.start[..4].copy_from_slice(&length.to_be_bytes());
        }
        // Whoever writes asks again with the same bytes until all of them are sent.
        while this.start.has_remaining() {
            match ready!(Pin::new(&mut this.inner).poll_write(cx, &this.start))? {
                0 => return Poll::Ready(Ok(0)),
                sent => this.start.advance(sent),
            }
            if this.start.is_empty() {
                return Poll::Ready(Ok(bytes.len()));
            }
        }
        Pin::new(&mut this.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Guard<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
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
    fn seen(bytes: &[u8], size: usize, protected: bool) -> Result<Facts, ProbeError> {
        let facts = Arc::new(Mutex::new(Facts { protected, ..Facts::default() }));
        let mut guard = Guard::new((), Arc::clone(&facts), Offer::Disable);
        for piece in bytes.chunks(size) {
            guard.look(piece)?;
        }
        Ok(std::mem::take(&mut *facts.lock().unwrap()))
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
            assert!(facts.asked_password && facts.scram, "{size}");
            assert_eq!(facts.process, Some(259), "{size}");
        }
        assert!(!seen(&message(b'R', &[0, 0, 0, 0]), 3, false).unwrap().asked_password);
    }

    #[test]
    fn what_is_not_postgresql_is_told_by_its_first_byte_and_its_lengths() {
        let strange = |bytes: &[u8]| match seen(bytes, 4, false) {
            Err(ProbeError::NotPostgres(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(strange(b"HTTP/1.1 400 Bad Request\r\n").contains("HTTP"));
        assert!(strange(b"SSH-2.0-x").contains("SSH"));
        assert!(strange(&[b'R', 0xff, 0xff, 0xff, 0xff]).contains("announces"));
        assert!(strange(&[b'E', 0, 0, 0, 3]).contains("announces"));
        let notices = message(b'N', &[b'x'; 1000]).repeat(9000);
        assert!(strange(&notices).contains("does not stop"));
    }

    #[test]
    fn the_startup_message_carries_what_mass_library_sends_however_slowly_it_is_taken() {
        let parameters = b"user\0mas\0application_name\0us\0\0";
        let length = u32::try_from(8 + parameters.len()).unwrap().to_be_bytes();
        let message = [&length[..], &VERSION, parameters].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let heard = runtime.block_on(async {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (near, mut far) = tokio::io::duplex(7);
            let writing = async {
                let mut guard = Guard::new(near, Arc::default(), Offer::Disable);
                guard.write_all(&message).await.unwrap();
                guard.write_all(b"next").await.unwrap();
            };
            let mut heard = Vec::new();
            let (_, ()) = tokio::join!(far.read_to_end(&mut heard), writing);
            heard
        });
        let length = usize::try_from(u32::from_be_bytes(heard[..4].try_into().unwrap())).unwrap();
        assert_eq!(&heard[8..length], b"user\0mas\0application_name\0us\0extra_float_digits\x002\0\0");
        assert_eq!(&heard[length..], b"next");
    }

    #[test]
    fn a_password_is_never_sent_in_clear_where_anybody_could_listen() {
        let clear = message(b'R', &[0, 0, 0, 3]);
        assert_eq!(seen(&clear, 9, false).unwrap_err(), ProbeError::InClear);
        assert!(seen(&clear, 9, true).unwrap().asked_password);
    }
}
