//! An HTTP answer, as data, and what can be said of it in words.

use serde_json::Value;

/// An answer: its status, the few headers that count, and the beginning of its body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub content_type: Option<String>,
    /// The body, as much of it as was read.
    pub body: Vec<u8>,
    /// There was more of it than anybody reads.
    pub cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Answered(Reply),
    /// No connection: no address, nothing there, no TLS, no way through the proxy. A sentence says why.
    NotReached(String),
    /// A connection, but no whole answer in time. A sentence says how far it came.
    Silent(String),
    /// Something is there, but what it sends is no answer: too long, not HTTP. A sentence says what.
    Unusable(String),
    NotAsked(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached<'a> {
    Yes,
    No(&'a str),
    NotAsked,
}

/// Longest piece of foreign text in a sentence of ours.
const EXCERPT: usize = 160;

impl Reply {
    /// The body as JSON, or what it is instead, to complete "it answers …".
    pub fn json(&self) -> Result<Value, String> {
        if self.cut {
            return Err(format!(
                "{} with more than {} kB, where a short JSON document belongs",
                self.status,
                self.body.len() / 1000
            ));
        }
        serde_json::from_slice(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| format!("{}, where a JSON document belongs", self.described()))
    }

    /// The JSON of an answer with status 200, or what it is instead, to complete "it answers …".
    pub fn document(&self) -> Result<Value, String> {
        let document = self.json()?;
        if self.status == 200 { Ok(document) } else { Err(self.described()) }
    }

    /// Status and what else tells people something: `404 M_UNRECOGNIZED`, `502 (a web page, "502 Bad Gateway")`.
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
            return format!("{status}, sending on to {}", excerpt(location));
        }
        match (self.title(), self.text()) {
            _ if self.body.is_empty() => format!("{status} without content"),
            (Some(title), _) => format!("{status} (a web page, \"{title}\")"),
            (None, _) if self.is_page() => format!("{status} (a web page)"),
            _ if self.body.starts_with(&[0x1f, 0x8b]) => format!("{status} (compressed, which was not asked for)"),
            (None, text) if text.is_empty() => format!("{status} (something that is not text)"),
            (None, text) => format!("{status} \"{text}\""),
        }
    }

    pub fn is_page(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
            || self.body.trim_ascii_start().to_ascii_lowercase().starts_with(b"<!doctype html")
    }

    pub fn title(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let lower = text.to_ascii_lowercase();
        let start = lower.find("<title")?;
        let start = start + lower[start..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        let title = excerpt(&unescaped(&text[start..end]));
        (!title.is_empty()).then_some(title)
    }

    /// The beginning of the body as text, without markup.
    pub fn text(&self) -> String {
        excerpt(&self.whole_text())
    }

    /// All of the body as text, without markup, scripts and styles.
    pub fn whole_text(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let mut plain = String::with_capacity(text.len().min(4096));
        let mut rest = text.as_ref();
        while let Some(start) = rest.find('<') {
            plain.push_str(&rest[..start]);
            plain.push(' ');
            let tag = &rest[start + 1..];
            let name: String =
                tag.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
            let end = match name.as_str() {
                // What stands in them is not shown to anybody, and closes with their own tag.
                "script" | "style" => find_closing(tag, &name),
                _ => tag.find('>').map(|at| at + 1),
            };
            rest = end.map_or("", |end| &tag[end..]);
        }
        plain.push_str(rest);
        unescaped(&plain)
    }
}

fn find_closing(tag: &str, name: &str) -> Option<usize> {
    let at = tag.to_ascii_lowercase().find(&format!("</{name}"))?;
    Some(at + tag[at..].find('>')? + 1)
}

/// The few entities that error pages use.
fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, character) in [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#34;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

/// Foreign text on one line, without control characters, and not longer than a sentence bears.
pub fn excerpt(text: &str) -> String {
    let clean: String = text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= EXCERPT {
        return words;
    }
    let cut: String = words.chars().take(EXCERPT).collect();
    format!("{}…", cut.trim_end())
}

/// Not what moves the cursor, turns the direction of writing or has no sign at all.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{fffd}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Percent-encodes everything that is not unreserved (RFC 3986 §2.3), so that an id cannot leave its place in the address.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
