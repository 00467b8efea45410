//! Whether the statement about the backup names a location.

/// Words that deny a backup or give no location.
const NO_PLACE: &str = include_str!("no_backup_words.txt");

/// Whether a statement has no other words.
pub fn names_no_backup(text: &str) -> bool {
    let plain = text.to_lowercase().replace(['\'', '\u{2019}'], "");
    let mut words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| NO_PLACE.split_whitespace().any(|no| no == word))
}

#[cfg(test)]
mod tests {
    use super::names_no_backup;

    #[test]
    fn backup_statement_names_a_location() {
        for text in [
            "none",
            "None.",
            "no",
            "-",
            "----",
            "????",
            "later",
            "Later!",
            "n/a",
            "N / A",
            "not yet",
            "no backup",
            "there is no backup",
            "I don't have one",
            "will do it later",
            "tomorrow",
            "nothing",
            "null",
            "todo",
            "TBD",
            "unknown",
            "skip",
            "nope",
            "yes",
            "done",
            "the backup is made",
            "xxxx",
            "keins",
            "später",
            "aucun",
        ] {
            assert!(names_no_backup(text), "{text}");
        }
        for text in [
            "tape 7 in the safe",
            "on the shelf",
            "nas3:/dumps/2026-11-23, synapse and mas",
            "shelf",
            "s3://backups/synapse",
            "/backup/2026",
            "velero snapshot",
            "no-backup-host:/srv/dumps",
            "Tresor, Band 3",
            "ask Ana",
        ] {
            assert!(!names_no_backup(text), "{text}");
        }
    }
}
