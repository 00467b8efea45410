//! Finds secrets or long parts of them in every encoding: plain, base64 and base64url at any offset, URL-encoded, and
//! hex.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// This many equal bytes in a row are not a coincidence.
const WINDOW: usize = 16;

/// The values to search for.
#[derive(Default)]
pub struct Detector {
    windows: HashMap<[u8; WINDOW], String>,
}

impl Detector {
    /// A value that is secret as a whole, in every encoding.
    pub fn add(&mut self, name: &str, secret: &[u8]) {
        for (form, bytes) in forms(secret) {
            for window in bytes.windows(WINDOW) {
                self.windows.entry(window.try_into().expect("a window")).or_insert_with(|| format!("{name}, {form}"));
            }
        }
    }

    /// A private key in PKCS#8 PEM: from byte `from` of its DER, which is the end of the parts that are public or equal
    /// in all keys. Searched as bytes and as PEM text.
    pub fn add_key(&mut self, name: &str, pem: &str, from: usize) {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = base64::engine::general_purpose::STANDARD.decode(&body).expect("PEM");
        self.add(&format!("{name}, DER"), &der[from..]);
        let lines = pem.lines().filter(|line| !line.starts_with("-----")).collect::<Vec<_>>().join("\n");
        // Four characters for three bytes, and a newline after 64.
        let first = from.div_ceil(3) * 4;
        self.add(&format!("{name}, PEM"), &lines.as_bytes()[first + first / 64..]);
    }

    /// The first position of a secret, if there is one.
    pub fn find(&self, text: &[u8]) -> Option<String> {
        let found = text.windows(WINDOW).position(|window| self.windows.contains_key(window))?;
        let what = &self.windows[&text[found..found + WINDOW]];
        Some(format!("{what}, at byte {found} of {}", text.len()))
    }

    /// The files below a directory that contain a secret, with their modes.
    pub fn files(&self, folder: &Path) -> Vec<(String, u32, String)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(about) = path.symlink_metadata() else { continue };
            if about.is_dir() {
                found.extend(self.files(&path));
            } else if about.is_file()
                && let Some(what) = std::fs::read(&path).ok().and_then(|bytes| self.find(&bytes))
            {
                use std::os::unix::fs::PermissionsExt as _;
                found.push((path.display().to_string(), about.permissions().mode() & 0o7777, what));
            }
        }
        found
    }
}

/// Every encoding of some bytes, by name.
fn forms(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let hex = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let encoded = |keep: fn(u8) -> bool, upper: bool| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = match (keep(*byte), upper) {
                (true, _) => write!(text, "{}", char::from(*byte)),
                (false, true) => write!(text, "%{byte:02X}"),
                (false, false) => write!(text, "%{byte:02x}"),
            };
            text
        })
    };
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut forms = vec![
        ("plain".to_owned(), bytes.to_vec()),
        ("hex".to_owned(), hex.clone().into_bytes()),
        ("HEX".to_owned(), hex.to_uppercase().into_bytes()),
        ("URL-encoded".to_owned(), encoded(unreserved, true).into_bytes()),
        ("url-encoded".to_owned(), encoded(unreserved, false).into_bytes()),
        ("URL-encoded throughout".to_owned(), encoded(|_| false, true).into_bytes()),
        ("reversed".to_owned(), bytes.iter().rev().copied().collect()),
    ];
    // The preceding bytes in the same base64 text shift it; the characters at the ends depend on the neighbours.
    for before in 0..3 {
        let shifted = [&vec![0; before], bytes].concat();
        for (name, engine) in [("base64", STANDARD_NO_PAD), ("base64url", URL_SAFE_NO_PAD)] {
            let text = engine.encode(&shifted).into_bytes();
            let (begin, end) = (if before == 0 { 0 } else { 4 }, text.len().saturating_sub(4));
            forms.push((format!("{name} at {before}"), text.get(begin..end).unwrap_or_default().to_vec()));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let json = serde_json::to_string(text).expect("text");
        forms.push(("JSON".to_owned(), json.trim_matches('"').as_bytes().to_vec()));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "canary/PW+7731=%&ü \"quoted\" and more";

    fn detector() -> Detector {
        let mut detector = Detector::default();
        detector.add("password", SECRET.as_bytes());
        detector
    }

    #[test]
    fn every_encoding_is_found_at_every_position() {
        let detector = detector();
        for before in ["", "x", "xy", "a longer text in front of it: "] {
            let text = format!("{before}{SECRET}!");
            let standard = base64::engine::general_purpose::STANDARD.encode(&text);
            let url = base64::engine::general_purpose::URL_SAFE.encode(&text);
            let each = |before: &str| {
                SECRET.bytes().fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{before}{byte:02X}");
                    text
                })
            };
            let (hex, percent) = (each(""), each("%"));
            for form in [text.clone(), standard, url, format!("{before}{hex}"), format!("{before}{percent}")] {
                assert!(detector.find(form.as_bytes()).is_some(), "{form}");
            }
        }
        assert!(detector.find(&SECRET.as_bytes()[7..25]).is_some(), "a part of it");
        assert_eq!(detector.find(b"nothing of the kind, and quite long, with canary/PW in it"), None);
    }

    #[test]
    fn the_private_part_of_a_key_is_found_and_its_public_part_is_none() {
        let key = ess_mas::x509::RsaPrivateKey::generate(ess_mas::x509::RsaBits::Bits2048).unwrap();
        let pem = key.pem.expose();
        let mut detector = Detector::default();
        detector.add_key("key", pem, 300);
        assert!(detector.find(pem.as_bytes()).is_some());
        let one_line = pem.lines().nth(15).unwrap();
        assert!(detector.find(format!("\"{one_line}\"").as_bytes()).is_some());
        let twice = base64::engine::general_purpose::STANDARD.encode(pem);
        assert!(detector.find(&twice.as_bytes()[900..1000]).is_some(), "as the data of a Secret");
        let public: String = pem.lines().take(5).collect();
        assert_eq!(detector.find(public.as_bytes()), None);
    }
}
