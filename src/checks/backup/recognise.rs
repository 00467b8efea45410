//! Recognises a dump by its beginning: an archive starts with its table of contents, and SQL has all definitions before the
//! first row. (PostgreSQL, `pg_backup_archiver.c`; tested with real dumps.)

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read};

use aho_corasick::AhoCorasick;
use flate2::read::MultiGzDecoder;
use jiff::civil::DateTime;

use crate::answers::postgres::Application;

/// Bytes of SQL to read; the definitions of Synapse's tables take less than a hundredth of it.
const MOST_SQL: u64 = 64 << 20;
/// Bytes of an archive's table of contents to read.
const MOST_CONTENTS: usize = 16 << 20;
/// Bytes at the beginning that identify the format.
const START: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpFormat {
    /// SQL of one database, or of all databases of a server (`pg_dumpall`).
    Sql,
    /// `pg_dump`'s custom, directory or tar format.
    Archive,
    /// In a compression, package or encryption that is not supported here, or a server's files (`pg_basebackup`).
    Sealed,
    /// No dump, for this reason.
    None(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    WithRows,
    /// `pg_dump --schema-only`.
    WithoutRows,
    /// `pg_dump --data-only`.
    RowsOnly,
    Missing,
    /// Not in the first so many bytes of a larger file.
    NotSeen(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    pub kind: DumpFormat,
    pub users: Users,
    /// The owner of the database, by tables that only one of the two has.
    pub owner: Option<Application>,
    /// Whether the end exists; `None` if not checked.
    pub complete: Option<bool>,
    /// The start time, in the time zone of the machine that made the dump.
    pub made: Option<DateTime>,
}

impl Dump {
    pub fn only(kind: DumpFormat) -> Self {
        Self { kind, users: Users::Missing, owner: None, complete: None, made: None }
    }
}

/// Reads a file from its beginning; `tail` is its end, if available.
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
        Ok(Dump::only(DumpFormat::None("the file is empty".to_owned())))
    } else if start.starts_with(b"PGDMP") {
        contents(&mut whole)
    } else if start.get(257..262) == Some(b"ustar") {
        in_tar(&mut whole)
    } else if SEALED.iter().any(|magic| start.starts_with(magic)) {
        Ok(Dump::only(DumpFormat::Sealed))
    } else if marks(start).any(|mark| mark == Mark::Begin) {
        sql(&mut whole, tail)
    } else {
        Ok(Dump::only(DumpFormat::None("it doesn't start with a header of pg_dump".to_owned())))
    }
}

fn up_to(file: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A tar archive: `pg_dump`'s tar format, or a packed directory format.
fn in_tar(file: &mut dyn Read) -> io::Result<Dump> {
    for entry in tar::Archive::new(file).entries()?.take(4096) {
        let mut entry = entry?;
        if entry.path()?.ends_with("toc.dat") {
            return contents(&mut entry);
        }
    }
    Ok(Dump::only(DumpFormat::Sealed))
}

/// An archive of `pg_dump`, or the table of contents of its directory format.
fn contents(file: &mut dyn Read) -> io::Result<Dump> {
    let bytes = up_to(file, MOST_CONTENTS)?;
    // "PGDMP", three bytes of version, sizes of an integer and of an offset, the format.
    let (Some(&size), Some(format)) = (bytes.get(8), bytes.get(10)) else {
        return Ok(Dump { complete: Some(false), ..Dump::only(DumpFormat::Archive) });
    };
    // Custom, tar or directory format.
    if !matches!((format, size), (1 | 3 | 5, 1..=8)) {
        return Ok(Dump::only(DumpFormat::None(
            "it has the header of a pg_dump archive, but not its format".to_owned(),
        )));
    }
    let size = usize::from(size);
    let seen = |name: &str, what: &str| {
        let pattern = [text(name, size), text(what, size)].concat();
        AhoCorasick::new([pattern]).is_ok_and(|search| search.is_match(&bytes))
    };
    let more = (bytes.len() == MOST_CONTENTS).then_some(MOST_CONTENTS as u64);
    let users = users(seen("users", "TABLE"), seen("users", "TABLE DATA"), more);
    let owner = owner(seen("event_json", "TABLE"), seen("compat_sessions", "TABLE"));
    Ok(Dump { kind: DumpFormat::Archive, users, owner, complete: None, made: made(&bytes, size) })
}

/// A string in an archive: sign, length, bytes.
fn text(text: &str, size: usize) -> Vec<u8> {
    let length = text.len().to_le_bytes();
    [&[0][..], &length[..size], text.as_bytes()].concat()
}

/// The start time: seconds, minutes, hours, day, month from 0, years from 1900. The compression before it is a byte since
/// archive version 1.15, and an integer in earlier versions.
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

fn owner(synapse: bool, mas: bool) -> Option<Application> {
    if synapse { Some(Application::Synapse) } else { mas.then_some(Application::Mas) }
}

/// Lines to find in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Begin,
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
    // A row may be long.
    let words: Vec<&[u8]> = line.trim_ascii_end().splitn(7, |byte| *byte == b' ').collect();
    // The name of a table without its schema.
    let name = |table: &[u8]| table.rsplit(|byte| *byte == b'.').next().map(<[u8]>::to_vec);
    match words.as_slice() {
        [b"--", b"PostgreSQL", b"database", b"dump"] | [b"--", b"PostgreSQL", b"database", b"cluster", b"dump"] => {
            Some(Mark::Begin)
        }
        [b"--", b"PostgreSQL", b"database", b"dump", b"complete"]
        | [b"--", b"PostgreSQL", b"database", b"cluster", b"dump", b"complete"] => Some(Mark::End),
        [b"CREATE", b"TABLE", table, bracket, ..] if bracket.starts_with(b"(") => match name(table)?.as_slice() {
            b"users" => Some(Mark::UsersTable),
            b"event_json" => Some(Mark::SynapseTable),
            b"compat_sessions" => Some(Mark::MasTable),
            _ => None,
        },
        [b"COPY", table, _, ..] | [b"INSERT", b"INTO", table, _, ..] => {
            (name(table)? == b"users").then_some(Mark::UsersRows)
        }
        _ => None,
    }
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
            // A truncated gzip file.
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
    // The rows come after all definitions, perhaps after the last byte that is read.
    let rows = seen(Mark::UsersRows) || (seen(Mark::UsersTable) && !ended);
    Ok(Dump {
        kind: DumpFormat::Sql,
        users: users(seen(Mark::UsersTable), rows, (!ended).then_some(read)),
        owner: owner(seen(Mark::SynapseTable), seen(Mark::MasTable)),
        complete: if ended { Some(seen(Mark::End)) } else { tail.map(|tail| marks(tail).any(|one| one == Mark::End)) },
        made: None,
    })
}
