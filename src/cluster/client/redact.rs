//! Removes a Secret's values from the server's response: messages of admission webhooks and policies may repeat them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::cluster::resource::Action;
use crate::redact::Redactor;
use crate::secrets::SecretBytes;

pub struct Values(Vec<SecretBytes>);

impl Values {
    /// The values in a request for a Secret; `None` for other requests.
    pub fn sent(action: &Action, body: &[u8]) -> Option<Self> {
        if action.resource.kind != "Secret" || body.is_empty() {
            return None;
        }
        let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
        let decoded = |value: &Value| STANDARD.decode(value.as_str()?).ok().map(SecretBytes::new);
        let values = body["data"].as_object().into_iter().flat_map(|data| data.values().filter_map(decoded)).collect();
        crate::secrets::wipe(&mut body);
        Some(Self(values))
    }

    /// The response with the values replaced in every text.
    pub fn take_out_of(&self, answer: &[u8]) -> Vec<u8> {
        let redactor = Redactor::of_echoes(&self.0);
        match serde_json::from_slice::<Value>(answer) {
            Ok(tree) => redactor.tree(&tree).to_string().into_bytes(),
            Err(_) => redactor.text(&String::from_utf8_lossy(answer)).into_bytes(),
        }
    }

    pub fn take_out(&self, text: &str) -> String {
        Redactor::of_echoes(&self.0).text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: &[&str]) -> Values {
        Values(all.iter().map(|value| SecretBytes::from(value.as_bytes())).collect())
    }

    #[test]
    fn sent_values_are_redacted_in_both_forms_even_if_truncated() {
        let password = "correct horse \"battery\" staple";
        let values = values(&[password, "short"]);
        let base64 = STANDARD.encode(password);
        for text in [password.to_owned(), base64.clone(), base64[..15].to_owned(), password[9..].to_owned()] {
            let said = values.take_out(&format!("policy: not with {text} in it"));
            assert_eq!(said, "policy: not with [redacted] in it", "{text}");
        }
        assert_eq!(values.take_out("not short, and no shorthand"), "not [redacted], and no shorthand");
        let json =
            serde_json::json!({"message": format!("not {password}"), "details": {"causes": [{"message": base64}]}});
        let clean = values.take_out_of(json.to_string().as_bytes());
        let clean = std::str::from_utf8(&clean).unwrap();
        assert_eq!(clean, r#"{"details":{"causes":[{"message":"[redacted]"}]},"message":"not [redacted]"}"#);
    }

    #[test]
    fn existing_values_are_redacted_too_and_ordinary_words_stay() {
        let values = values(&[]);
        let text = "validatingadmissionpolicybindings \"a-policy\" in kube-system denied Secret first-element-mas: key has c29tZXRoaW5nIHNlY3JldCBoZXJl and \
                    9f86d081884c7d659a2feaa0c55ad015, uid 4b0c1f1e-95a5-4f0b-a2f4-3f2f6a1d7c11";
        let said = values.take_out(text);
        assert!(said.starts_with("validatingadmissionpolicybindings \"a-policy\" in kube-system denied Secret first-element-mas: key has [redacted] and [redacted], uid 4b0c1f1e-"), "{said}");
        assert_eq!(
            values.take_out("kubernetes.io/service-account-token is no type ❤ of ours"),
            "kubernetes.io/service-account-token is no type ❤ of ours"
        );
    }
}
