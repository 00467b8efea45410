//! The part of HTTP/1.1 that finds the end of a message. Bytes are forwarded unchanged.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A stream with its read buffer.
pub(super) struct Wire<S> {
    pub(super) stream: S,
    buffer: Vec<u8>,
}

/// The framing of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

/// The head of a message, to the empty line.
pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    pub(super) first_line: String,
    pub(super) framing: Framing,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Reads into the buffer. Cancel-safe. False at the end of the stream.
    pub(super) async fn fill(&mut self) -> Result<bool> {
        self.buffer.reserve(16 * 1024);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// The next head, or `None` at the end of the stream.
    pub(super) async fn head(&mut self) -> Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let bytes: Vec<u8> = self.buffer.drain(..end + 4).collect();
                let text = String::from_utf8_lossy(&bytes);
                let framing = framing(&text);
                let first_line = text.lines().next().unwrap_or_default().to_owned();
                return Ok(Some(Head { bytes, first_line, framing }));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(cut()) };
            }
        }
    }

    /// A whole body with its framing.
    pub(super) async fn body(&mut self, framing: Framing) -> Result<Vec<u8>> {
        match framing {
            Framing::Length(length) => {
                while self.buffer.len() < length {
                    self.more().await?;
                }
                Ok(self.buffer.drain(..length).collect())
            }
            Framing::Chunked => {
                let mut all = Vec::new();
                loop {
                    let chunk = loop {
                        match self.chunk() {
                            Some(chunk) => break chunk,
                            None => self.more().await?,
                        }
                    };
                    all.extend(as_chunk(&chunk));
                    if chunk.is_empty() {
                        return Ok(all);
                    }
                }
            }
        }
    }

    /// The content of the next complete chunk in the buffer; empty for the last one.
    pub(super) fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = find(&self.buffer, b"\r\n")?;
        let size = std::str::from_utf8(&self.buffer[..line]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        let (from, to) = (line + 2, line + 2 + size);
        if self.buffer.len() < to + 2 {
            return None;
        }
        let content = self.buffer[from..to].to_vec();
        self.buffer.drain(..to + 2);
        Some(content)
    }

    async fn more(&mut self) -> Result<()> {
        if self.fill().await? { Ok(()) } else { Err(cut()) }
    }
}

/// Content as one chunk; an empty one ends the body.
pub(super) fn as_chunk(content: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", content.len()).into_bytes();
    chunk.extend_from_slice(content);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn framing(head: &str) -> Framing {
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Framing::Chunked;
    }
    Framing::Length(header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn cut() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "the connection ended in the middle of a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_taken_apart_where_they_end() {
        let text = b"PATCH /a?b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nde\r\n0\r\n\r\nrest";
        let mut wire = Wire::new(&text[..]);
        let head = wire.head().await.unwrap().unwrap();
        assert_eq!((head.first_line.as_str(), head.framing), ("PATCH /a?b HTTP/1.1", Framing::Length(3)));
        assert_eq!(wire.body(head.framing).await.unwrap(), b"abc");
        let head = wire.head().await.unwrap().unwrap();
        assert_eq!(head.framing, Framing::Chunked);
        assert_eq!(wire.body(head.framing).await.unwrap(), b"2\r\nde\r\n0\r\n\r\n");
        assert!(wire.head().await.is_err(), "the rest is no message");
        assert!(Wire::new(&b""[..]).head().await.unwrap().is_none());
    }
}
