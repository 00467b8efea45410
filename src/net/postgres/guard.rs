//! Reads a server's messages before tokio-postgres does (PostgreSQL, chapter 55: type byte, four bytes of length, body). It
//! prevents what the library allows: a password in plain text over an unencrypted connection, messages of any size, and servers
//! that are not PostgreSQL. It records what the library hides: process number, password method and TLS.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode as Offer;
use tokio_postgres::tls::{ChannelBinding, TlsStream};

use crate::answers::postgres::ProbeError;

/// Limit of one message in bytes.
const LARGEST: usize = 1 << 20;
/// Limit of all messages in bytes.
const MOST: usize = 8 << 20;

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub struct Facts {
    /// The server requested a password in any form.
    pub asked_password: bool,
    /// The server requested SCRAM, for which the library applies `SASLprep`.
    pub scram: bool,
    /// The process number that the server reports; a pooler invents one.
    pub process: Option<i32>,
    pub tls: bool,
    pub complaint: Option<ProbeError>,
    /// A port-forward carries the connection, so that a password in plain text is allowed, as it is with TLS.
    pub through: bool,
}

pub struct Guard<S> {
    pub inner: S,
    pub facts: Arc<Mutex<Facts>>,
    /// The requested TLS mode, until the server has answered the request.
    offer: Offer,
    begun: bool,
    total: usize,
    buffer: BytesMut,
    /// The rest of the changed start-up message.
    start: BytesMut,
    started: bool,
}

/// The protocol version, after the length of a start-up message.
const VERSION: [u8; 4] = [0, 3, 0, 0];
/// A parameter that sqlx (MAS and syn2mas) sends, unlike this library, and that PgBouncer refuses by default.
const DIGITS: &[u8] = b"extra_float_digits\x002\0\0";

impl<S> Guard<S> {
    pub fn new(inner: S, facts: Arc<Mutex<Facts>>, offer: Offer) -> Self {
        let (buffer, start) = (BytesMut::new(), BytesMut::new());
        Self { inner, facts, offer, begun: false, total: 0, buffer, start, started: false }
    }

    fn inspect(&mut self, mut bytes: &[u8]) -> Result<(), ProbeError> {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let strange = |why: String| Err(ProbeError::NotPostgres(why));
        if let (Offer::Prefer | Offer::Require, Some((answer, rest))) = (self.offer, bytes.split_first()) {
            bytes = rest;
            match (answer, std::mem::replace(&mut self.offer, Offer::Disable)) {
                (b'S', _) | (b'N', Offer::Prefer) => {}
                (b'N', _) => return Err(ProbeError::NoTls),
                // An error of a server that is too old or too busy. Its text is not shown, because the server is not authenticated.
                (b'E', _) => {
                    return Err(ProbeError::Lost("the server refused the TLS request with an error".to_owned()));
                }
                (other, _) => return strange(format!("it responds to the TLS request with {:?}", shown(&[*other]))),
            }
        }
        self.total += bytes.len();
        if self.total > MOST {
            return strange("it sends too much data".to_owned());
        }
        self.buffer.extend_from_slice(bytes);
        if !self.begun && !matches!(self.buffer.first(), None | Some(b'R' | b'E' | b'v' | b'N')) {
            return strange(format!("its response starts with {:?}", shown(&self.buffer)));
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
                (b'R', 3) if !(facts.tls || facts.through) => return Err(ProbeError::InClear),
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
        if let Err(complaint) = self.inspect(&buffer.filled()[before..]) {
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
        // The caller repeats the call with the same bytes until all are sent.
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

    /// The facts after these bytes, in pieces of this size.
    fn seen(bytes: &[u8], size: usize, through: bool) -> Result<Facts, ProbeError> {
        let facts = Arc::new(Mutex::new(Facts { through, ..Facts::default() }));
        let mut guard = Guard::new((), Arc::clone(&facts), Offer::Disable);
        for piece in bytes.chunks(size) {
            guard.inspect(piece)?;
        }
        Ok(std::mem::take(&mut *facts.lock().unwrap()))
    }

    #[test]
    fn first_messages_are_understood_in_pieces_of_any_size() {
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
    fn other_protocols_are_detected_by_first_byte_and_length() {
        let strange = |bytes: &[u8]| match seen(bytes, 4, false) {
            Err(ProbeError::NotPostgres(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(strange(b"HTTP/1.1 400 Bad Request\r\n").contains("HTTP"));
        assert!(strange(b"SSH-2.0-x").contains("SSH"));
        assert!(strange(&[b'R', 0xff, 0xff, 0xff, 0xff]).contains("announces"));
        assert!(strange(&[b'E', 0, 0, 0, 3]).contains("announces"));
        let notices = message(b'N', &[b'x'; 1000]).repeat(9000);
        assert!(strange(&notices).contains("too much data"));
    }

    #[test]
    fn startup_message_has_the_parameter_of_mass_library() {
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
    fn password_is_never_sent_in_plain_text_without_encryption() {
        let clear = message(b'R', &[0, 0, 0, 3]);
        assert_eq!(seen(&clear, 9, false).unwrap_err(), ProbeError::InClear);
        assert!(seen(&clear, 9, true).unwrap().asked_password);
    }
}
