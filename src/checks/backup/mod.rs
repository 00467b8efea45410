//! Findings about the files of `--backup-file`: format, contents, age. [`recognise`] reads the contents.

pub mod recognise;

use jiff::{SignedDuration, Timestamp};

use super::finding::{Code, Finding, Severity};
use recognise::{Dump, DumpFormat, Owner, Users};

const BACKUP_FILE: Code = "backup-file";

/// An older dump lacks a day of messages and logins.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);
/// A dump's date has no time zone; the largest possible error.
const ZONES: SignedDuration = SignedDuration::from_hours(14);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFile {
    pub name: String,
    pub written: Option<Timestamp>,
    /// `Err`: why the file can't be read.
    pub dump: Result<Dump, String>,
}

/// One finding for each problem of a file, or one ok finding.
pub fn check(files: &[BackupFile], now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(|file| check_file(file, now)).collect();
    let mut owners = files.iter().filter_map(|file| file.dump.as_ref().ok()?.owner).peekable();
    if owners.peek().is_some() && owners.all(|owner| owner == Owner::Mas) {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let text = "no file is a dump of Synapse's database, the source of the migration";
        findings.push(
            Finding::warning(BACKUP_FILE, names.join(", "), text)
                .remedy("Pass a dump of Synapse's database too: --backup-file is repeatable."),
        );
    }
    #[cfg(test)]
    findings.iter().for_each(super::explain::assert_explained);
    findings
}

fn check_file(file: &BackupFile, now: Timestamp) -> Vec<Finding> {
    const NEW_DUMP: &str = "Take a new dump with the commands that `kubectl ess-mas prepare` prints.";
    let finding = |severity, text: String| Finding::new(BACKUP_FILE, severity, file.name.as_str(), text);
    let dump = match &file.dump {
        Ok(Dump { kind: DumpFormat::None(why), .. }) => {
            let text = format!("the file is not a dump of a PostgreSQL database: {why}");
            return vec![finding(Severity::Blocker, text).remedy(NEW_DUMP)];
        }
        Ok(dump) => dump,
        Err(why) => return vec![finding(Severity::Unknown, format!("the file can't be read: {why}"))],
    };
    let mut findings = Vec::new();
    let mut found = |severity, text: String, remedy: &str| findings.push(finding(severity, text).remedy(remedy));
    match (&dump.kind, dump.users) {
        (DumpFormat::Sealed, _) => found(
            Severity::Unknown,
            "the contents were not checked: the file is encrypted, packed, not compressed with gzip, or a copy of a server's files (pg_basebackup)".to_owned(),
            "Make sure that you can restore the current state of both databases from it, or pass a dump.",
        ),
        (_, Users::WithoutRows) => {
            found(Severity::Blocker, "the dump has table users without its rows (pg_dump --schema-only)".to_owned(), NEW_DUMP);
        }
        (_, Users::RowsOnly) => found(
            Severity::Warning,
            "the dump has rows without tables (pg_dump --data-only) and can't be restored into an empty database".to_owned(),
            NEW_DUMP,
        ),
        (_, Users::Missing) => found(
            Severity::Blocker,
            "the dump has no table users, so it is neither Synapse's database nor MAS's".to_owned(),
            NEW_DUMP,
        ),
        // A truncated dump has its own finding.
        (_, Users::NotSeen(bytes)) if dump.complete != Some(false) => found(
            Severity::Unknown,
            format!("the first {} MiB of the dump contain no table users", bytes >> 20),
            "Make sure that the dump is of Synapse's database: pg_dump writes all table definitions first.",
        ),
        (_, Users::WithRows | Users::NotSeen(_)) => {}
    }
    if dump.complete == Some(false) {
        let text = "the dump is truncated: pg_dump was interrupted, or the copy is incomplete";
        found(Severity::Blocker, text.to_owned(), NEW_DUMP);
    }
    if let Some(text) = too_old(file, dump, now) {
        let remedy = "Take a new dump right before the migration: restoring an old one loses all later changes.";
        found(Severity::Warning, text, remedy);
    }
    if findings.is_empty() {
        let of = match dump.owner {
            Some(Owner::Synapse) => "Synapse's database",
            Some(Owner::Mas) => "MAS's database",
            None => "a database with table users",
        };
        findings.push(finding(Severity::Ok, format!("{} is a dump of {of}, at most one day old", file.name)));
    }
    findings
}

fn too_old(file: &BackupFile, dump: &Dump, now: Timestamp) -> Option<String> {
    // A copy keeps the date in the dump.
    let own = dump.made.and_then(|made| made.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|made| made.timestamp());
    if own.is_some_and(|own| now.duration_since(own) > OLDEST + ZONES) {
        let began = dump.made?.strftime("%Y-%m-%d %H:%M");
        return Some(format!("the dump was started at {began}, more than a day ago"));
    }
    let age = now.duration_since(file.written?);
    (age > OLDEST).then(|| format!("the file was last written {} hours ago", age.as_hours()))
}

#[cfg(test)]
mod tests;
