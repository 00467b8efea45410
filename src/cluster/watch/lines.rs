//! From pieces of a stream to watch events. Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::cluster::errors::{ClusterError, ErrorKind};

/// One event of a watch.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    /// Added or modified.
    State(Value),
    Deleted(Value),
    /// The version up to which everything has been sent.
    Bookmark(String),
    /// A `Status`.
    Error(Value),
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// Collects bytes and gives complete lines. What is left when a connection ends is half a line and is thrown away with
/// this value; the version it would have brought was not taken over, so it comes again.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    searched: usize,
}

impl Lines {
    /// An object in etcd is at most a few megabytes; whoever sends more without a line break is not the API server.
    const LONGEST: usize = 64 << 20;

    /// Adds a piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), ClusterError> {
        if self.buffer.len() + piece.len() > Self::LONGEST {
            return Err(ClusterError::new(ErrorKind::Unreadable { reason: "an event does not end".to_owned() }));
        }
        self.buffer.extend_from_slice(piece);
        Ok(())
    }

    /// The next complete event, if there is one.
    pub(super) fn next(&mut self) -> Option<Result<Event, ClusterError>> {
        loop {
            let Some(offset) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return None;
            };
            let end = self.searched + offset;
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            self.searched = 0;
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Some(parsed(&line));
            }
        }
    }
}

fn parsed(line: &[u8]) -> Result<Event, ClusterError> {
    let unreadable = |reason: &str| ClusterError::new(ErrorKind::Unreadable { reason: reason.to_owned() });
    let value: Value = serde_json::from_slice(line).map_err(|_| unreadable("an event is not JSON"))?;
    // Some servers put a bare Status into the stream.
    if value["kind"] == "Status" {
        return Ok(Event::Error(value));
    }
    let wire: Wire = serde_json::from_value(value).map_err(|_| unreadable("an event is not a watch event"))?;
    match wire.kind.as_str() {
        "ADDED" | "MODIFIED" => Ok(Event::State(wire.object)),
        "DELETED" => Ok(Event::Deleted(wire.object)),
        "BOOKMARK" => match wire.object["metadata"]["resourceVersion"].as_str() {
            Some(version) => Ok(Event::Bookmark(version.to_owned())),
            None => Err(unreadable("a bookmark has no version")),
        },
        "ERROR" => Ok(Event::Error(wire.object)),
        _ => Err(unreadable("an event is of an unknown type")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn wire(kind: &str, version: usize) -> String {
        json!({"type": kind, "object": {"metadata": {"resourceVersion": version.to_string(), "note": "zwei\nZeilen é"}}}).to_string()
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_into_pieces_the_events_are_the_same(count in 0_usize..6, cuts in prop::collection::vec(1_usize..40, 1..60)) {
            let stream: String = (0..count).map(|version| wire("MODIFIED", version) + "\n").collect();
            let mut rest = stream.as_bytes();
            let mut lines = Lines::default();
            let mut events = Vec::new();
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
                lines.push(piece).expect("short");
                while let Some(event) = lines.next() {
                    events.push(event.expect("an event"));
                }
                rest = tail;
            }
            prop_assert_eq!(events.len(), count);
        }
    }

    #[test]
    fn half_a_line_is_no_event() {
        let mut lines = Lines::default();
        lines.push(wire("ADDED", 5).as_bytes()).expect("short");
        assert!(lines.next().is_none());
        lines.push(b"\n").expect("short");
        assert!(matches!(lines.next(), Some(Ok(Event::State(_)))));
    }

    #[test]
    fn kinds_of_events() {
        let mut lines = Lines::default();
        let text = [
            wire("BOOKMARK", 7),
            wire("DELETED", 8),
            r#"{"kind":"Status","code":410}"#.to_owned(),
            String::new(),
            "gar\u{0}bage".to_owned(),
            wire("NEW", 1),
        ]
        .join("\n")
            + "\n";
        lines.push(text.as_bytes()).expect("short");
        assert_eq!(lines.next().expect("event").expect("fine"), Event::Bookmark("7".to_owned()));
        assert!(matches!(lines.next(), Some(Ok(Event::Deleted(_)))));
        assert!(matches!(lines.next(), Some(Ok(Event::Error(status))) if status["code"] == 410));
        assert!(matches!(lines.next(), Some(Err(_))));
        assert!(matches!(lines.next(), Some(Err(_))));
        assert!(lines.next().is_none());
    }
}
