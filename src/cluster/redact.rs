//! What a server says about a Secret may repeat its values: an admission webhook or policy writes its own messages. Nothing of
//! them is passed on.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use super::transport::Outgoing;

/// So many bytes of a value in a row are taken out; messages are cut off anywhere.
const WINDOW: usize = 8;
/// A word this long that mixes letters and digits is a value in base64 or hex, also one that was not sent now.
const LONG: usize = 20;

/// The values that a request carries.
pub(super) struct Values {
    /// As they are and in base64.
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl Values {
    /// Those of a request that concerns a Secret; `None` for all others.
    pub(super) fn sent(outgoing: &Outgoing) -> Option<Self> {
        if outgoing.action.resource.kind != "Secret" || outgoing.body.is_empty() {
            return None;
        }
        let mut body: Value = serde_json::from_slice(&outgoing.body).unwrap_or_default();
        let mut forms = Vec::new();
        for value in body["data"].as_object_mut().into_iter().flatten().filter_map(|(_, value)| value.as_str()) {
            forms.push(Zeroizing::new(value.as_bytes().to_vec()));
            forms.extend(STANDARD.decode(value).ok().map(Zeroizing::new));
        }
        crate::pki::wipe(&mut body);
        Some(Self { forms })
    }

    /// Every text in a server's answer without them.
    pub(super) fn take_out_of(&self, answer: &[u8]) -> Zeroizing<Vec<u8>> {
        match serde_json::from_slice::<Value>(answer) {
            Ok(mut tree) => {
                self.walk(&mut tree);
                Zeroizing::new(tree.to_string().into_bytes())
            }
            Err(_) => Zeroizing::new(self.take_out(&String::from_utf8_lossy(answer)).into_bytes()),
        }
    }

    fn walk(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let clean = self.take_out(text);
                text.zeroize();
                *text = clean;
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.walk(field)),
            _ => {}
        }
    }

    /// A text without them.
    pub(super) fn take_out(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut hidden = vec![false; bytes.len()];
        let windows: HashSet<&[u8]> = self.forms.iter().flat_map(|form| form.windows(WINDOW)).collect();
        for at in 0..bytes.len().saturating_sub(WINDOW - 1) {
            if windows.contains(&bytes[at..at + WINDOW]) {
                hidden[at..at + WINDOW].fill(true);
            }
        }
        // A value shorter than that only as a whole, and not where it may be part of a word.
        for form in self.forms.iter().filter(|form| (4..WINDOW).contains(&form.len())) {
            let edge = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
            for at in 0..bytes.len().saturating_sub(form.len() - 1) {
                let end = at + form.len();
                let before = at.checked_sub(1).and_then(|before| bytes.get(before));
                if bytes[at..end] == ***form && edge(before) && edge(bytes.get(end)) {
                    hidden[at..end].fill(true);
                }
            }
        }
        hide_encoded(bytes, &mut hidden);
        let mut clean = String::with_capacity(text.len());
        let mut hiding = false;
        for (at, c) in text.char_indices() {
            let hide = hidden[at..at + c.len_utf8()].contains(&true);
            if hide && !hiding {
                clean.push('…');
            } else if !hide {
                clean.push(c);
            }
            hiding = hide;
        }
        clean
    }
}

/// Marks the words that can only be encoded values.
fn hide_encoded(bytes: &[u8], hidden: &mut [bool]) {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_".contains(byte);
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_word(byte)).count();
        let word = &bytes[at..at + length];
        let mixed = word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic);
        let capitals = word.iter().skip(1).filter(|byte| byte.is_ascii_uppercase()).count() > 3;
        if length >= LONG && (mixed || capitals) {
            hidden[at..at + length].fill(true);
        }
        at += length.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: &[&str]) -> Values {
        let forms = all.iter().flat_map(|value| [value.as_bytes().to_vec(), STANDARD.encode(value).into_bytes()]);
        Values { forms: forms.map(Zeroizing::new).collect() }
    }

    #[test]
    fn what_was_sent_is_taken_out_in_both_forms_and_also_where_it_is_cut_off() {
        let password = "correct horse \"battery\" staple";
        let values = values(&[password, "short"]);
        let base64 = STANDARD.encode(password);
        for text in [password.to_owned(), base64.clone(), base64[..15].to_owned(), password[9..].to_owned()] {
            let said = values.take_out(&format!("policy: not with {text} in it"));
            assert_eq!(said, "policy: not with … in it", "{text}");
        }
        assert_eq!(values.take_out("not short, and no shorthand"), "not …, and no shorthand");
        let json =
            serde_json::json!({"message": format!("not {password}"), "details": {"causes": [{"message": base64}]}});
        let clean = values.take_out_of(json.to_string().as_bytes());
        let clean = std::str::from_utf8(&clean).unwrap();
        assert_eq!(clean, r#"{"details":{"causes":[{"message":"…"}]},"message":"not …"}"#);
    }

    #[test]
    fn what_was_there_before_is_taken_out_as_well_and_ordinary_words_stay() {
        let values = values(&[]);
        let text = "validatingadmissionpolicybindings \"a-policy\" in kube-system denied Secret first-element-mas: key has c29tZXRoaW5nIHNlY3JldCBoZXJl and \
                    9f86d081884c7d659a2feaa0c55ad015, uid 4b0c1f1e-95a5-4f0b-a2f4-3f2f6a1d7c11";
        let said = values.take_out(text);
        assert!(said.starts_with("validatingadmissionpolicybindings \"a-policy\" in kube-system denied Secret first-element-mas: key has … and …, uid 4b0c1f1e-"), "{said}");
        assert_eq!(
            values.take_out("kubernetes.io/service-account-token is no type ❤ of ours"),
            "kubernetes.io/service-account-token is no type ❤ of ours"
        );
    }
}
