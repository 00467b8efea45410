//! The dump that was named as the backup: is it one, of what, how old. What is in it is found out by [`recognise`].

pub mod recognise;

use jiff::{SignedDuration, Timestamp};

use super::finding::{Finding, codes};
use recognise::{Dump, Kind, Owner, Users};

/// A dump of yesterday misses a day of messages, and logins of a day.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);
/// A dump's own date has no time zone; so far it may be off.
const ZONES: SignedDuration = SignedDuration::from_hours(14);

/// A file that was looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Its name, as it was given.
    pub name: String,
    /// When it was last written.
    pub written: Option<Timestamp>,
    /// What it is; a sentence where it could not be read.
    pub dump: Result<Dump, String>,
}

/// The findings about the files that were named; one for each thing that is wrong, or one for a file that is in order.
pub fn check(files: &[Looked], now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        look(file, now, &mut findings);
    }
    let owners = || files.iter().filter_map(|file| file.dump.as_ref().ok()?.owner);
    if owners().any(|owner| owner == Owner::Mas) && owners().all(|owner| owner == Owner::Mas) {
        findings.push(
            Finding::warning(
                codes::BACKUP_FILE,
                files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", "),
                "none of the dumps is of Synapse's database, and that is where everything is",
            )
            .remedy("Name that of Synapse's database as well: --backup-file may be repeated."),
        );
    }
    #[cfg(test)]
    findings.iter().for_each(super::explain::assert_true);
    findings
}

fn look(file: &Looked, now: Timestamp, findings: &mut Vec<Finding>) {
    let (code, name) = (codes::BACKUP_FILE, file.name.as_str());
    let anew = "Make it anew with the commands that `kubectl ess-mas prepare` prints.";
    let blocker = |text: String| Finding::blocker(code, name, text).remedy(anew);
    let dump = match &file.dump {
        Ok(dump) => dump,
        Err(why) => {
            findings.push(Finding::unknown(code, name, format!("it could not be read: {why}")));
            return;
        }
    };
    let before = findings.len();
    match &dump.kind {
        Kind::None(why) => {
            findings.push(blocker(format!("it is no dump of a PostgreSQL database: {why}")));
            return;
        }
        Kind::Sealed(how) => {
            findings.push(
                Finding::unknown(code, name, format!("it is {how}, so what is in it was not looked at")).remedy(
                    "Look into it with the program that made it (pg_restore --list), or name a dump that is not.",
                ),
            );
        }
        Kind::Files => {
            findings.push(
                Finding::unknown(
                    code,
                    name,
                    "it is a copy of a server's files (pg_basebackup), not a dump, so what is in it was not looked at",
                )
                .remedy("Make sure that the server can be brought back from it as it is now, with both databases."),
            );
        }
        _ => {
            if dump.complete == Some(false) {
                findings
                    .push(blocker("it ends too early: pg_dump was interrupted, or the copy is not whole".to_owned()));
            }
            match dump.users {
                Users::WithRows => {}
                Users::WithoutRows => findings.push(blocker(
                    "it holds the table users, and not the rows of it (a dump of the schema only)".to_owned(),
                )),
                Users::Missing => findings
                    .push(blocker("it holds no table users, so it is neither Synapse's database nor MAS's".to_owned())),
                Users::NotSeen(bytes) => findings.push(
                    Finding::unknown(code, name, format!("no table users was found in its first {} MiB", bytes >> 20))
                        .remedy(
                            "Make sure that it is of Synapse's database; pg_dump puts all tables' definitions first.",
                        ),
                ),
            }
        }
    }
    age(file, dump, now, findings);
    if findings.len() == before {
        let of = match dump.owner {
            Some(Owner::Synapse) => "Synapse's database",
            Some(Owner::Mas) => "MAS's database",
            None => "a database with a table users",
        };
        findings.push(Finding::ok(code, name, format!("{} of {of}, not older than a day", dump.kind.words())));
    }
}

fn age(file: &Looked, dump: &Dump, now: Timestamp, findings: &mut Vec<Finding>) {
    let old = |text: String| {
        Finding::warning(codes::BACKUP_FILE, file.name.as_str(), text)
            .remedy("Take a new one right before the migration: what happened since is lost where it has to be used.")
    };
    let hours = |age: SignedDuration| format!("{} hours", age.as_hours());
    // Its own date cannot be changed by copying it.
    let own = dump.made.and_then(|made| made.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|made| made.timestamp());
    if let Some(made) = own
        && now.duration_since(made) > OLDEST + ZONES
    {
        let shown = dump.made.map(|made| made.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
        findings.push(old(format!("by its own date it was begun at {shown}, more than a day ago")));
    } else if let Some(written) = file.written
        && now.duration_since(written) > OLDEST
    {
        findings.push(old(format!("it was last written {} ago", hours(now.duration_since(written)))));
    }
}

#[cfg(test)]
mod tests;
