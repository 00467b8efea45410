//! The password of MAS's PostgreSQL role, `postgresPassword`.

use zeroize::Zeroizing;

use super::secret::{SecretText, without_newline};

/// A valid password: not empty, one line, no NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresPassword {
    value: SecretText,
    pub removed_newline: bool,
}

/// Why a password is invalid; `Display` includes the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostgresPasswordError {
    #[error("The PostgreSQL password is empty. Pass the password of MAS's PostgreSQL role.")]
    Empty,
    #[error(
        "The PostgreSQL password contains a line break. Remove everything except the password, including empty lines. If the password \
         really has several lines, set another one with ALTER ROLE."
    )]
    LineBreak,
    #[error(
        "The PostgreSQL password contains a NUL byte, which PostgreSQL doesn't accept. The file is probably UTF-16 or not text. Save \
         it as UTF-8."
    )]
    Nul,
    #[error("The PostgreSQL password is not UTF-8 text, which MAS requires. Save the file as UTF-8.")]
    NotText,
    #[error(
        "The PostgreSQL password starts with a byte order mark, which PostgreSQL would treat as part of the password. Save the file as \
         UTF-8 without a byte order mark."
    )]
    ByteOrderMark,
}

impl PostgresPassword {
    /// Parses a password from a file, standard input or a Secret. Removes one trailing newline and keeps everything else.
    pub fn parse(bytes: &[u8]) -> Result<Self, PostgresPasswordError> {
        let line = without_newline(bytes);
        // Before the UTF-8 check, because UTF-16 text contains NULs.
        if line.contains(&0) {
            return Err(PostgresPasswordError::Nul);
        }
        let text = std::str::from_utf8(line).map_err(|_| PostgresPasswordError::NotText)?;
        if text.is_empty() {
            return Err(PostgresPasswordError::Empty);
        }
        if text.starts_with('\u{feff}') {
            return Err(PostgresPasswordError::ByteOrderMark);
        }
        if text.contains(['\n', '\r']) {
            return Err(PostgresPasswordError::LineBreak);
        }
        Ok(Self { value: SecretText::from(text), removed_newline: line.len() < bytes.len() })
    }

    pub fn value(&self) -> &SecretText {
        &self.value
    }

    /// Whether the password starts or ends with white space, which MAS trims if it reads the password from a file
    /// (`database.password_file`).
    pub fn has_white_space_at_an_end(&self) -> bool {
        self.value.expose().trim() != self.value.expose()
    }
}

/// Whether `SASLprep` (RFC 4013) changes a password. If so, `psql`, libpq, `ALTER ROLE` and tokio-postgres use the changed
/// password, but sqlx 0.8 of MAS and syn2mas sends the original. All of them keep passwords that `SASLprep` prohibits.
pub fn saslprep_changes(password: &str) -> bool {
    stringprep::saslprep(password).is_ok_and(|prepared| *Zeroizing::new(prepared.into_owned()) != password)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: &[u8]) -> Result<(String, bool), PostgresPasswordError> {
        PostgresPassword::parse(bytes).map(|password| (password.value().expose().to_owned(), password.removed_newline))
    }

    #[test]
    fn exactly_one_trailing_newline_is_removed_and_reported() {
        assert_eq!(parse(b"hunter2"), Ok(("hunter2".into(), false)));
        assert_eq!(parse(b"hunter2\n"), Ok(("hunter2".into(), true)));
        assert_eq!(parse(b"hunter2\r\n"), Ok(("hunter2".into(), true)));
        assert_eq!(parse(b"hunter2\n\n"), Err(PostgresPasswordError::LineBreak));
        assert_eq!(parse(b"hunter2\r\r\n"), Err(PostgresPasswordError::LineBreak));
    }

    #[test]
    fn passwords_that_postgres_or_mas_cannot_use_are_refused() {
        assert_eq!(parse(b""), Err(PostgresPasswordError::Empty));
        assert_eq!(parse(b"\n"), Err(PostgresPasswordError::Empty));
        assert_eq!(parse(b"\r\n"), Err(PostgresPasswordError::Empty));
        assert_eq!(parse(b"two\nlines"), Err(PostgresPasswordError::LineBreak));
        assert_eq!(parse(b"old\rmac"), Err(PostgresPasswordError::LineBreak));
        assert_eq!(parse(b"nul\0byte"), Err(PostgresPasswordError::Nul));
        assert_eq!(parse(b"h\0u\0n\0"), Err(PostgresPasswordError::Nul), "UTF-16");
        assert_eq!(parse(b"latin1 \xe9"), Err(PostgresPasswordError::NotText));
        assert_eq!(parse("\u{feff}hunter2\r\n".as_bytes()), Err(PostgresPasswordError::ByteOrderMark));
    }

    #[test]
    fn white_space_that_mas_trims_is_detected_and_kept() {
        for password in [" a", "a ", "a\t", "\u{a0}a"] {
            let parsed = PostgresPassword::parse(password.as_bytes()).unwrap();
            assert!(parsed.has_white_space_at_an_end(), "{password:?}");
            assert_eq!(parsed.value().expose(), password);
        }
        assert!(!PostgresPassword::parse(b"a b\n").unwrap().has_white_space_at_an_end());
    }

    #[test]
    fn passwords_that_saslprep_changes_are_detected() {
        let no_break_space = "pass\u{a0}word-1234";
        let (soft_hyphen, mark_inside, joiner) = ("pass\u{ad}word", "pass\u{feff}word", "a\u{200d}b");
        let (ligature, full_width, decomposed, fraction) = ("\u{fb01}sh", "\u{ff11}23", "e\u{301}", "\u{bd}");
        let (ideographic_space, hangul) = ("a\u{3000}b", "\u{1100}\u{1161}");
        for changed in [
            no_break_space,
            soft_hyphen,
            mark_inside,
            joiner,
            ligature,
            full_width,
            decomposed,
            fraction,
            ideographic_space,
            hangul,
        ] {
            assert!(saslprep_changes(changed), "{changed:?}");
        }
        let (composed, prohibited, both_directions, tab) =
            ("caf\u{e9}\u{df}", "a\u{e000}\u{a0}", "\u{5d0}\u{a0}a", "a\tb");
        let new = "\u{1fae0}\u{ad}";
        for same in ["", "hunter2 !~", composed, prohibited, both_directions, tab, new] {
            assert!(!saslprep_changes(same), "{same:?}");
        }
    }

    proptest! {
        #[test]
        fn any_one_line_password_is_kept_unchanged(password in "[^\r\n\0\u{feff}][^\r\n\0]*", ending in "|\n|\r\n") {
            let (value, removed) = parse(format!("{password}{ending}").as_bytes()).unwrap();
            prop_assert_eq!(value, password);
            prop_assert_eq!(removed, !ending.is_empty());
        }

        #[test]
        fn no_error_contains_the_password(password in "[a-z]{6}\n[a-z]{6}") {
            let message = PostgresPassword::parse(password.as_bytes()).unwrap_err().to_string();
            prop_assert!(!password.split('\n').any(|line| message.split_whitespace().any(|word| word == line)));
        }
    }
}
