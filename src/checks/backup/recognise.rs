//! What `pg_dump` writes, told by the first part of it: an archive's table of contents is at its beginning, and in SQL all
//! definitions come before the first row. (PostgreSQL, `pg_backup_archiver.c`; tested with real dumps.)

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read};

use aho_corasick::AhoCorasick;
use flate2::read::MultiGzDecoder;
use jiff::civil::DateTime;

/// As much of SQL as is read: the definitions of Synapse's tables take less than a hundredth of it.
const MOST_SQL: u64 = 64 << 20;
/// As much of an archive's table of contents.
const MOST_CONTENTS: usize = 16 << 20;
/// In so much of a file `pg_dump` has said what it is.
const START: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpFormat {
    Sql,
    /// SQL of all databases of a server: `pg_dumpall`.
    AllSql,
    Custom,
    Directory,
    Tar,
    /// Compressed, packed or encrypted in a way that is not undone here, or a server's files (`pg_basebackup`).
    Sealed,
    None(String),
}

/// Whose database it is, by tables that only one of the two has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Synapse,
    Mas,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    WithRows,
    /// Only its definition is there: `pg_dump --schema-only`.
    WithoutRows,
    /// Only its rows are there: `pg_dump --data-only`.
    RowsOnly,
    Missing,
    /// It was not found in so many bytes, and there are more.
    NotSeen(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    pub kind: DumpFormat,
    pub users: Users,
    pub owner: Option<Owner>,
    /// Whether its end is there; `None` where that was not looked at.
    pub complete: Option<bool>,
    /// When it was begun, by the clock and in the zone of the machine that made it.
    pub made: Option<DateTime>,
}

impl Dump {
    pub fn only(kind: DumpFormat) -> Self {
        Self { kind, users: Users::Missing, owner: None, complete: None, made: None }
    }
}

/// Looks at a file from its beginning; `tail` is its end, where that is at hand.
pub fn recognise(file: &mut dyn Read, tail: Option<&[u8]>) -> io::Result<Dump> {
    let start = up_to(file, START)?;
    if start.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = MultiGzDecoder::new(start.as_slice().chain(file));
        return match up_to(&mut unpacked, START).and_then(|start| inside(&start, &mut unpacked, None)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Ok(Dump { complete: Some(false), users: Users::NotSeen(0), ..Dump::only(DumpFormat::Sql) })
            }
            other => other,
        };
    }
    inside(&start, file, tail)
}

fn inside(start: &[u8], file: &mut dyn Read, tail: Option<&[u8]>) -> io::Result<Dump> {
    /// zstd, xz, bzip2, lz4, zip, openssl, `OpenPGP`, age, gzip within gzip.
    const SEALED: [&[u8]; 9] = [
        &[0x28, 0xb5, 0x2f, 0xfd],
        b"\xfd7zXZ",
        b"BZh",
        &[0x04, 0x22, 0x4d, 0x18],
        b"PK\x03\x04",
        b"Salted__",
        b"-----BEGIN PGP MESSAGE",
        b"age-encryption.org/",
        &[0x1f, 0x8b],
    ];
    let mut whole = start.chain(file);
    if start.is_empty() {
        Ok(Dump::only(DumpFormat::None("it is empty".to_owned())))
    } else if start.starts_with(b"PGDMP") {
        contents(&mut whole)
    } else if start.get(257..262) == Some(b"ustar") {
        in_tar(&mut whole)
    } else if SEALED.iter().any(|magic| start.starts_with(magic)) {
        Ok(Dump::only(DumpFormat::Sealed))
    } else if marks(start).any(|mark| matches!(mark, Mark::OneDatabase | Mark::AllDatabases)) {
        sql(&mut whole, tail)
    } else {
        Ok(Dump::only(DumpFormat::None("it does not begin as pg_dump begins a file".to_owned())))
    }
}

fn up_to(file: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A tar archive: `pg_dump`'s own, or one of a folder of it.
fn in_tar(file: &mut dyn Read) -> io::Result<Dump> {
    for entry in tar::Archive::new(file).entries()?.take(4096) {
        let mut entry = entry?;
        if entry.path()?.ends_with("toc.dat") {
            return contents(&mut entry);
        }
    }
    Ok(Dump::only(DumpFormat::Sealed))
}

/// An archive of `pg_dump`'s own, or the table of contents of one that is kept as a folder.
fn contents(file: &mut dyn Read) -> io::Result<Dump> {
    let bytes = up_to(file, MOST_CONTENTS)?;
    // "PGDMP", three bytes of version, sizes of an integer and of an offset, the format.
    let (Some(&size), Some(format)) = (bytes.get(8), bytes.get(10)) else {
        return Ok(Dump { complete: Some(false), ..Dump::only(DumpFormat::Custom) });
    };
    let (kind, size) = match (format, size) {
        (1, 1..=8) => (DumpFormat::Custom, usize::from(size)),
        (3, 1..=8) => (DumpFormat::Tar, usize::from(size)),
        (5, 1..=8) => (DumpFormat::Directory, usize::from(size)),
        _ => {
            return Ok(Dump::only(DumpFormat::None("it begins like an archive of pg_dump, but is not one".to_owned())));
        }
    };
    let seen = |name: &str, what: &str| {
        let pattern = [text(name, size), text(what, size)].concat();
        AhoCorasick::new([pattern]).is_ok_and(|search| search.is_match(&bytes))
    };
    let more = (bytes.len() == MOST_CONTENTS).then_some(MOST_CONTENTS as u64);
    let users = users(seen("users", "TABLE"), seen("users", "TABLE DATA"), more);
    let owner = owner(seen("event_json", "TABLE"), seen("compat_sessions", "TABLE"));
    Ok(Dump { kind, users, owner, complete: None, made: made(&bytes, size) })
}

/// A text as archives hold it: a sign, its length, itself.
fn text(text: &str, size: usize) -> Vec<u8> {
    let length = text.len().to_le_bytes();
    [&[0][..], &length[..size], text.as_bytes()].concat()
}

/// When it was begun: seconds, minutes, hours, day, month from 0, years from 1900. From archives' version 1.15 on the
/// compression before it is a byte, before that an integer.
fn made(bytes: &[u8], size: usize) -> Option<DateTime> {
    let from = if (bytes.get(5)?, bytes.get(6)?) >= (&1, &15) { 12 } else { 12 + size };
    let numbers = bytes.get(from..)?.chunks_exact(1 + size).take(6).map(|number| {
        let (low, high) = number.get(1..)?.split_at(2.min(size));
        let is_small = number[0] == 0 && high.iter().all(|byte| *byte == 0);
        is_small.then(|| low.iter().rev().fold(0_i16, |value, byte| (value << 8) | i16::from(*byte)))
    });
    let numbers: Vec<i16> = numbers.collect::<Option<_>>()?;
    let [second, minute, hour, day, month, year] = numbers.try_into().ok()?;
    let small = |value: i16| i8::try_from(value).ok();
    let (month, year) = (small(month)?.checked_add(1)?, year.checked_add(1900)?);
    DateTime::new(year, month, small(day)?, small(hour)?, small(minute)?, small(second)?.min(59), 0).ok()
}

fn users(table: bool, rows: bool, more: Option<u64>) -> Users {
    match (table, rows) {
        (true, true) => Users::WithRows,
        (true, false) => Users::WithoutRows,
        (false, true) => Users::RowsOnly,
        (false, false) => more.map_or(Users::Missing, Users::NotSeen),
    }
}

fn owner(synapse: bool, mas: bool) -> Option<Owner> {
    if synapse { Some(Owner::Synapse) } else { mas.then_some(Owner::Mas) }
}

/// What is looked for in SQL, each at the beginning of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    OneDatabase,
    AllDatabases,
    UsersTable,
    UsersRows,
    SynapseTable,
    MasTable,
    End,
}

fn marks(text: &[u8]) -> impl Iterator<Item = Mark> {
    text.split(|byte| *byte == b'\n').filter_map(mark)
}

fn mark(line: &[u8]) -> Option<Mark> {
    match line.trim_ascii_end() {
        b"-- PostgreSQL database dump" => return Some(Mark::OneDatabase),
        b"-- PostgreSQL database cluster dump" => return Some(Mark::AllDatabases),
        b"-- PostgreSQL database dump complete" | b"-- PostgreSQL database cluster dump complete" => {
            return Some(Mark::End);
        }
        _ => {}
    }
    if let Some(rest) = line.strip_prefix(b"CREATE TABLE ") {
        return match table(rest)? {
            (b"users", b"(") => Some(Mark::UsersTable),
            (b"event_json", b"(") => Some(Mark::SynapseTable),
            (b"compat_sessions", b"(") => Some(Mark::MasTable),
            _ => None,
        };
    }
    let (table, _) = table(line.strip_prefix(b"COPY ").or_else(|| line.strip_prefix(b"INSERT INTO "))?)?;
    (table == b"users").then_some(Mark::UsersRows)
}

/// The name of a table without its schema, and the sign after it and a space, if there is one.
fn table(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b' ')?;
    let sign = text.get(end + 1..end + 2).unwrap_or_default();
    Some((text[..end].rsplit(|byte| *byte == b'.').next()?, sign))
}

fn sql(file: &mut dyn Read, tail: Option<&[u8]>) -> io::Result<Dump> {
    let mut seen = BTreeSet::new();
    let mut lines = BufReader::new(file.take(MOST_SQL));
    let (mut read, mut line, mut in_rows) = (0, Vec::new(), false);
    let ended = loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => break read < MOST_SQL,
            Ok(bytes) => read += bytes as u64,
            // A gzip file that was cut off.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && read > 0 => break true,
            Err(error) => return Err(error),
        }
        // A row may look like any statement.
        if in_rows {
            in_rows = line.trim_ascii_end() != b"\\.";
            continue;
        }
        in_rows = line.starts_with(b"COPY ") && line.trim_ascii_end().ends_with(b" FROM stdin;");
        seen.extend(mark(&line));
    };
    let seen = |mark| seen.contains(&mark);
    // The rows come after all definitions, and that may be far.
    let rows = seen(Mark::UsersRows) || (seen(Mark::UsersTable) && !ended);
    Ok(Dump {
        kind: if seen(Mark::AllDatabases) { DumpFormat::AllSql } else { DumpFormat::Sql },
        users: users(seen(Mark::UsersTable), rows, (!ended).then_some(read)),
        owner: owner(seen(Mark::SynapseTable), seen(Mark::MasTable)),
        complete: if ended { Some(seen(Mark::End)) } else { tail.map(|tail| marks(tail).any(|one| one == Mark::End)) },
        made: None,
    })
}
