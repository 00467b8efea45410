//! An HTTP response as a value, and its description in words.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

/// An HTTP response: status, some headers, and the beginning of the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
    /// The body was longer than the limit.
    pub cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Answered(Reply),
    /// No connection (DNS, TCP, TLS or proxy). A sentence says why.
    NotReached(String),
    /// A connection, but no complete response in time. A sentence says why.
    Silent(String),
    /// A response that is not HTTP. A sentence says why.
    Unusable(String),
    NotAsked(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached<'a> {
    Yes,
    No(&'a str),
    NotAsked,
}

/// Limit of quoted text in characters.
const EXCERPT: usize = 160;

static TITLE: LazyLock<Regex> = LazyLock::new(|| regex("(?is)<title[^>]*>(.*?)</title"));
/// Tags, and scripts and styles with their contents, which browsers don't show.
static MARKUP: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?is)<(?:script|style)(?:[^a-z].*?)?(?:</(?:script|style)[^>]*>|$)|<[^>]*(?:>|$)"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns above are valid")
}

impl Reply {
    /// The body as a JSON object, or a description to complete "responds with …".
    pub fn json(&self) -> Result<Value, String> {
        if self.cut {
            return Err(format!(
                "{} and more than {} kB instead of a short JSON document",
                self.status,
                self.body.len() / 1000
            ));
        }
        serde_json::from_slice(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| format!("{} instead of a JSON document", self.described()))
    }

    /// The JSON object of a response with status 200, or a description to complete "responds with …".
    pub fn document(&self) -> Result<Value, String> {
        let document = self.json()?;
        if self.status == 200 { Ok(document) } else { Err(self.described()) }
    }

    /// Status and error code, title or text: `404 M_UNRECOGNIZED`, `502 (a web page, "502 Bad Gateway")`.
    pub fn described(&self) -> String {
        let status = self.status;
        if let Ok(body) = serde_json::from_slice::<Value>(&self.body) {
            let text = |key: &str| body[key].as_str().map(excerpt).filter(|text| !text.is_empty());
            return match (text("errcode").or_else(|| text("error")), text("error_description")) {
                (Some(code), Some(more)) => format!("{status} {code} ({more})"),
                (Some(code), None) => format!("{status} {code}"),
                _ => format!("{status} (JSON)"),
            };
        }
        if let Some(location) = &self.location {
            return format!("{status}, a redirect to {}", excerpt(location));
        }
        match (self.title(), self.text()) {
            _ if self.body.is_empty() => format!("{status} without content"),
            (Some(title), _) => format!("{status} (a web page, \"{title}\")"),
            (None, _) if self.is_page() => format!("{status} (a web page)"),
            _ if self.body.starts_with(&[0x1f, 0x8b]) => format!("{status} (unexpectedly compressed)"),
            (None, text) if text.is_empty() => format!("{status} (binary data)"),
            (None, text) => format!("{status} \"{text}\""),
        }
    }

    pub fn is_page(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
            || self.body.trim_ascii_start().to_ascii_lowercase().starts_with(b"<!doctype html")
    }

    pub fn title(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let title = excerpt(&unescaped(&TITLE.captures(&text)?[1]));
        (!title.is_empty()).then_some(title)
    }

    /// The beginning of the body as text, without markup.
    pub fn text(&self) -> String {
        excerpt(&self.whole_text())
    }

    /// The body as text, without markup, scripts and styles.
    pub fn whole_text(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        unescaped(&MARKUP.replace_all(&text, " "))
    }
}

/// Decodes the entities that error pages use.
fn unescaped(text: &str) -> String {
    let entities = [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#34;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// Shortens foreign text to one line of at most `EXCERPT` characters, without control characters.
pub fn excerpt(text: &str) -> String {
    let clean: String = text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= EXCERPT {
        return words;
    }
    let cut: String = words.chars().take(EXCERPT).collect();
    format!("{}…", cut.trim_end())
}

/// Excludes control characters, changes of direction, and the replacement character.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{fffd}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Percent-encodes everything that is not unreserved (RFC 3986 §2.3), so that an ID stays one path segment.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
