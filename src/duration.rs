//! Durations in Go's format, for kubectl's flags and for values that the operator parses; parsed by kube.
//!
//! jiff's friendly format differs: it refuses `1.5h30m`, `30m1h` and `.5s`, and accepts `5 minutes` and `1h 2m`, which Go
//! refuses. A period that the operator can't parse is a blocker, so this has to be exact.

use std::time::Duration;

/// The error for a text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration: write it like 30s, 5m or 1h30m")]
pub struct NotADuration {
    text: String,
}

/// The longest text that is parsed; a longer one may overflow.
const LONGEST: usize = 16;

/// Parses a duration like Go's `time.ParseDuration` (`300ms`, `1.5h`, `1h30m`, `0`), as kubectl's flags do.
///
/// Refuses negative durations.
pub fn parse_duration(text: &str) -> Result<Duration, NotADuration> {
    // kube parses an empty text as zero, and panics on numbers that overflow or have a sign of their own.
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let readable = (1..=LONGEST).contains(&unsigned.len()) && !unsigned.contains(['+', '-']);
    let read = readable.then(|| unsigned.parse::<kube::core::Duration>().ok()).flatten();
    read.map(Duration::from).ok_or_else(|| NotADuration { text: text.to_owned() })
}

/// Whether Go can parse it, also as a negative duration.
pub fn is_go_duration(text: &str) -> bool {
    parse_duration(text.strip_prefix('-').unwrap_or(text)).is_ok()
}

/// Parses `--request-timeout`: a Go duration or a number of seconds; `0` means no limit and returns `None`.
pub fn parse_request_timeout(text: &str) -> Result<Option<Duration>, NotADuration> {
    let duration = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => parse_duration(text)?,
    };
    Ok((!duration.is_zero()).then_some(duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations() {
        for (text, millis) in [
            ("0", 0),
            ("300ms", 300),
            ("1.5h", 5_400_000),
            ("1h30m", 5_400_000),
            ("2m0.5s", 120_500),
            (".5s", 500),
            ("+1s", 1000),
            ("30m", 1_800_000),
            ("500ms", 500),
            ("1.5h30m", 7_200_000),
            ("30m1h", 5_400_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "5", "s", ".s", "1x", "-1s", "1h 2m", "1.2.3s", "99999999999999999999h", "1e3s", "1h-5m", "+-1s", "+"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn request_timeout_takes_plain_seconds_and_zero_is_no_limit() {
        assert_eq!(parse_request_timeout("10"), Ok(Some(Duration::from_secs(10))));
        assert_eq!(parse_request_timeout("2m"), Ok(Some(Duration::from_mins(2))));
        assert_eq!(parse_request_timeout("0"), Ok(None));
        assert_eq!(parse_request_timeout("0s"), Ok(None));
        assert!(parse_request_timeout("-3").is_err());
    }
}
