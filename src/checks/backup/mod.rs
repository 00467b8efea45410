//! The dump that was named as the backup: is it one, of what, how old. What is in it is found out by [`recognise`].

pub mod recognise;

use jiff::{SignedDuration, Timestamp};

use super::finding::{Code, Finding, Severity};
use recognise::{Dump, DumpFormat, Owner, Users};

const BACKUP_FILE: Code = "backup-file";

/// A dump of yesterday misses a day of messages, and logins of a day.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);
/// A dump's own date has no time zone; so far it may be off.
const ZONES: SignedDuration = SignedDuration::from_hours(14);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFile {
    pub name: String,
    pub written: Option<Timestamp>,
    /// What it is; a sentence where it could not be read.
    pub dump: Result<Dump, String>,
}

/// The findings about the files that were named; one for each thing that is wrong, or one for a file that is in order.
pub fn check(files: &[BackupFile], now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(|file| look(file, now)).collect();
    let mut owners = files.iter().filter_map(|file| file.dump.as_ref().ok()?.owner).peekable();
    if owners.peek().is_some() && owners.all(|owner| owner == Owner::Mas) {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let text = "none of the dumps is of Synapse's database, which has everything that is migrated";
        findings.push(
            Finding::warning(BACKUP_FILE, names.join(", "), text)
                .remedy("Name a dump of Synapse's database as well: --backup-file may be repeated."),
        );
    }
    #[cfg(test)]
    findings.iter().for_each(super::explain::assert_true);
    findings
}

fn look(file: &BackupFile, now: Timestamp) -> Vec<Finding> {
    const ANEW: &str = "Take a new dump with the commands that `kubectl ess-mas prepare` prints.";
    let finding = |severity, text: String| Finding::new(BACKUP_FILE, severity, file.name.as_str(), text);
    let dump = match &file.dump {
        Ok(Dump { kind: DumpFormat::None(why), .. }) => {
            let text = format!("it is no dump of a PostgreSQL database: {why}");
            return vec![finding(Severity::Blocker, text).remedy(ANEW)];
        }
        Ok(dump) => dump,
        Err(why) => return vec![finding(Severity::Unknown, format!("it could not be read: {why}"))],
    };
    let mut findings = Vec::new();
    let mut found = |severity, text: String, remedy: &str| findings.push(finding(severity, text).remedy(remedy));
    match (&dump.kind, dump.users) {
        (DumpFormat::Sealed, _) => found(
            Severity::Unknown,
            "its contents were not checked: it is encrypted, packed, compressed with something other than gzip, or a copy of a server's files (pg_basebackup)".to_owned(),
            "Make sure that both databases can be restored from it to their current state, or name a dump.",
        ),
        (_, Users::WithoutRows) => {
            found(Severity::Blocker, "it holds the table users without its rows (a dump of the schema only)".to_owned(), ANEW);
        }
        (_, Users::RowsOnly) => found(
            Severity::Warning,
            "it holds rows without tables (pg_dump --data-only), and these cannot be restored into an empty database".to_owned(),
            ANEW,
        ),
        (_, Users::Missing) => found(
            Severity::Blocker,
            "it holds no table users, so it is neither Synapse's database nor MAS's".to_owned(),
            ANEW,
        ),
        // Where it is cut off, that is all there is to say.
        (_, Users::NotSeen(bytes)) if dump.complete != Some(false) => found(
            Severity::Unknown,
            format!("no table users was found in its first {} MiB", bytes >> 20),
            "Make sure that it is of Synapse's database; pg_dump puts all tables' definitions first.",
        ),
        (_, Users::WithRows | Users::NotSeen(_)) => {}
    }
    if dump.complete == Some(false) {
        let text = "it is truncated: pg_dump was interrupted, or the copy is incomplete";
        found(Severity::Blocker, text.to_owned(), ANEW);
    }
    if let Some(text) = too_old(file, dump, now) {
        let remedy =
            "Take a new one right before the migration: if you have to restore it, all later changes are lost.";
        found(Severity::Warning, text, remedy);
    }
    if findings.is_empty() {
        let of = match dump.owner {
            Some(Owner::Synapse) => "Synapse's database",
            Some(Owner::Mas) => "MAS's database",
            None => "a database with a table users",
        };
        findings.push(finding(Severity::Ok, format!("a dump of {of}, not older than a day")));
    }
    findings
}

fn too_old(file: &BackupFile, dump: &Dump, now: Timestamp) -> Option<String> {
    // Its own date cannot be changed by copying it.
    let own = dump.made.and_then(|made| made.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|made| made.timestamp());
    if own.is_some_and(|own| now.duration_since(own) > OLDEST + ZONES) {
        let began = dump.made?.strftime("%Y-%m-%d %H:%M");
        return Some(format!("by its own date it was begun at {began}, more than a day ago"));
    }
    let age = now.duration_since(file.written?);
    (age > OLDEST).then(|| format!("it was last written {} hours ago", age.as_hours()))
}

#[cfg(test)]
mod tests;
