//! Findings about a database, under its place in the spec.

use crate::answers::Known;
use crate::answers::postgres::Place;
use crate::checks::finding::{Code, Finding};

impl Place {
    pub(super) fn ok(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::ok(code, self.whose.path(), text)
    }

    pub(super) fn warning(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::warning(code, self.whose.path(), text)
    }

    pub(super) fn unknown(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::unknown(code, self.whose.path(), text)
    }

    pub(super) fn blocker(&self, code: Code, text: impl Into<String>) -> Finding {
        Finding::blocker(code, self.whose.path(), text)
    }

    pub(super) fn unread(&self, code: Code, what: &str, why: &str) -> Finding {
        self.unknown(code, format!("{what} could not be read: {why}"))
            .remedy(format!("Let the role {} read it, or ask who looks after the database.", self.user))
    }

    pub(super) fn judged<T>(
        &self,
        code: Code,
        read: &Known<T>,
        what: &str,
        judge: impl FnOnce(&T) -> Finding,
    ) -> Finding {
        match read {
            Known::Known(value) => judge(value),
            Known::Unreadable(why) => self.unread(code, what, why),
        }
    }
}
