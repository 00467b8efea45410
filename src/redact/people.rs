//! Pseudonyms for the logs of servers: each user ID becomes a number, and e-mail addresses are removed. Messages about a
//! failure keep their user IDs, because support needs them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::patterns::pattern;

/// A Matrix user ID, also percent-encoded.
static USER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(@|%40)([A-Za-z0-9._=/+-]{1,200})(:|%3[Aa])([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?)")
});
static MAIL: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9._+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"));

#[derive(Debug, Default)]
pub struct UserIds {
    numbers: BTreeMap<String, usize>,
}

impl UserIds {
    pub fn hide(&mut self, text: &str) -> String {
        if !text.contains('@') && !text.contains("%40") {
            return text.to_owned();
        }
        let text = USER.replace_all(text, |found: &Captures<'_>| {
            if ["sha256", "sha512"].contains(&&found[2]) {
                // The digest of an image.
                return found[0].to_owned();
            }
            let next = self.numbers.len() + 1;
            let number = self.numbers.entry(format!("{}:{}", &found[2], &found[4])).or_insert(next);
            format!("{}user-{number}{}{}", &found[1], &found[3], &found[4])
        });
        MAIL.replace_all(&text, "[e-mail address]").into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_keeps_its_number_and_its_server() {
        let mut people = UserIds::default();
        let text = people.hide("{@alice:example.com} GET /profile/%40bob%3Aexample.com by @alice:example.com");
        assert_eq!(text, "{@user-1:example.com} GET /profile/%40user-2%3Aexample.com by @user-1:example.com");
        assert_eq!(people.hide("@bob:example.com"), "@user-2:example.com");
        assert_eq!(people.hide("mail to a.b+c@example.org failed"), "mail to [e-mail address] failed");
        assert_eq!(people.hide("image registry.example.com/x@sha256:00ff"), "image registry.example.com/x@sha256:00ff");
    }
}
