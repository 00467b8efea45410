//! Findings about the files of `--backup-file`: format, contents, age. [`recognise`] reads the contents.

pub mod recognise;
pub mod statement;

use jiff::{SignedDuration, Timestamp};

use super::finding::Finding;
use crate::answers::postgres::Application;
use recognise::{Dump, DumpFormat, Users};

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
    if owners.peek().is_some() && owners.all(|owner| owner == Application::Mas) {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        findings.push(Finding::of("no-synapse-dump", names.join(", "), &[]));
    }
    #[cfg(test)]
    findings.iter().for_each(super::tests::assert_explained);
    findings
}

fn check_file(file: &BackupFile, now: Timestamp) -> Vec<Finding> {
    let finding = |name: &str, values: &[(&str, &str)]| Finding::of(name, file.name.as_str(), values);
    let dump = match &file.dump {
        Ok(Dump { kind: DumpFormat::None(why), .. }) => return vec![finding("no-dump", &[("why", why)])],
        Ok(dump) => dump,
        Err(why) => return vec![finding("dump-unread", &[("why", why)])],
    };
    let mut findings = Vec::new();
    match (&dump.kind, dump.users) {
        (DumpFormat::Sealed, _) => findings.push(finding("dump-sealed", &[])),
        (_, Users::WithoutRows) => findings.push(finding("dump-without-rows", &[])),
        (_, Users::RowsOnly) => findings.push(finding("dump-without-tables", &[])),
        (_, Users::Missing) => findings.push(finding("dump-without-users", &[])),
        // A truncated dump has its own finding.
        (_, Users::NotSeen(bytes)) if dump.complete != Some(false) => {
            findings.push(finding("dump-too-long", &[("size", &(bytes >> 20).to_string())]));
        }
        (_, Users::WithRows | Users::NotSeen(_)) => {}
    }
    if dump.complete == Some(false) {
        findings.push(finding("dump-truncated", &[]));
    }
    findings.extend(too_old(file, dump, now).map(|age| finding("dump-old", &[("age", &age)])));
    if findings.is_empty() {
        let of = dump.owner.map(|owner| format!("{} database", owner.word()));
        let of = of.as_deref().unwrap_or("a database with table users");
        findings.push(finding("dump", &[("name", &file.name), ("of", of)]));
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
