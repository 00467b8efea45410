//! Who uses the server is nobody's business either. In the logs of servers, whose every line may name somebody, user ids
//! become numbers, the same id the same number, and e-mail addresses are left out. Messages about a failure keep the user
//! id that they are about, because it has to be found.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::patterns::pattern;

/// A Matrix user id, also with its signs percent-encoded.
static USER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(@|%40)([A-Za-z0-9._=/+-]{1,200})(:|%3[Aa])([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?)")
});
static MAIL: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9._+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"));

#[derive(Debug, Default)]
pub struct People {
    numbers: BTreeMap<String, usize>,
}

impl People {
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
    fn the_same_person_is_the_same_number_and_the_server_is_kept() {
        let mut people = People::default();
        let text = people.hide("{@alice:example.com} GET /profile/%40bob%3Aexample.com by @alice:example.com");
        assert_eq!(text, "{@user-1:example.com} GET /profile/%40user-2%3Aexample.com by @user-1:example.com");
        assert_eq!(people.hide("@bob:example.com"), "@user-2:example.com");
        assert_eq!(people.hide("mail to a.b+c@example.org failed"), "mail to [e-mail address] failed");
        assert_eq!(people.hide("image registry.example.com/x@sha256:00ff"), "image registry.example.com/x@sha256:00ff");
    }
}
