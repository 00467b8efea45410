//! What `pg_dump` writes, in all its formats, told by the first part of it: an archive's table of contents stands at its
//! beginning, and in SQL all definitions stand before the first row. (PostgreSQL, `pg_backup_archiver.c`; held against real
//! dumps.)

use std::collections::BTreeSet;
use std::io::{self, Read};

use aho_corasick::AhoCorasick;
use flate2::read::MultiGzDecoder;
use jiff::civil::DateTime;

/// As much of SQL as is read: the definitions of Synapse's tables take less than one of these.
const MOST_SQL: usize = 64 << 20;
/// As much of an archive's table of contents.
const MOST_CONTENTS: usize = 16 << 20;
/// SQL is read in pieces; so much of one is looked at again with the next, for what lies across.
const PIECE: usize = 1 << 20;
const OVERLAP: usize = 512;
/// Files of a tar archive that are looked at.
const MOST_FILES: usize = 4096;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// SQL of one database.
    Sql,
    /// SQL of all databases of a server: `pg_dumpall`.
    AllSql,
    /// `pg_dump --format=custom`.
    Custom,
    /// `pg_dump --format=directory`.
    Directory,
    /// `pg_dump --format=tar`.
    Tar,
    /// A server's files.
    Files,
    /// Compressed or encrypted in a way that is not undone here.
    Sealed(&'static str),
    /// Nothing of these.
    None(String),
}

impl Kind {
    /// A noun for it.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Sql => "a dump (SQL)",
            Self::AllSql => "a dump (SQL of a whole server)",
            Self::Custom => "a dump (custom format)",
            Self::Directory => "a dump (directory format)",
            Self::Tar => "a dump (tar format)",
            Self::Files => "a copy of a server's files",
            Self::Sealed(_) | Self::None(_) => "a file",
        }
    }
}

/// Whose database it is, by tables that only one of the two has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Synapse's: it holds events.
    Synapse,
    /// MAS's: it holds compatibility sessions.
    Mas,
}

/// The table `users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// It is there with its rows.
    WithRows,
    /// Only what it looks like is there.
    WithoutRows,
    /// It is not there.
    Missing,
    /// It was not found in so many bytes, and there are more.
    NotSeen(usize),
}

/// What was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// What it is.
    pub kind: Kind,
    /// The table that has to be in it.
    pub users: Users,
    /// Whose database it is.
    pub owner: Option<Owner>,
    /// Whether its end is there; `None` where that was not looked at.
    pub complete: Option<bool>,
    /// When it was begun, by the clock and in the zone of the machine that made it.
    pub made: Option<DateTime>,
}

impl Dump {
    fn only(kind: Kind) -> Self {
        Self { kind, users: Users::Missing, owner: None, complete: None, made: None }
    }
}

/// Looks at a file from its beginning; `tail` is its end, where that is at hand.
pub fn recognise(file: &mut dyn Read, tail: Option<&[u8]>) -> io::Result<Dump> {
    inside(file, tail, true)
}

fn inside(file: &mut dyn Read, tail: Option<&[u8]>, may_be_packed: bool) -> io::Result<Dump> {
    let start = up_to(file, 1024)?;
    let whole = &mut start.as_slice().chain(&mut *file);
    let is = |magic: &[u8]| start.starts_with(magic);
    Ok(if start.is_empty() {
        Dump::only(Kind::None("it is empty".to_owned()))
    } else if is(b"PGDMP") {
        contents(whole)?
    } else if is(&[0x1f, 0x8b]) && may_be_packed {
        match inside(&mut MultiGzDecoder::new(whole), None, false) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Dump { complete: Some(false), users: Users::NotSeen(0), ..Dump::only(Kind::Sql) }
            }
            other => other?,
        }
    } else if start.get(257..262) == Some(b"ustar") {
        in_tar(whole)?
    } else if let Some(how) = sealed(&start) {
        Dump::only(Kind::Sealed(how))
    } else {
        sql(whole, tail)?
    })
}

/// Reads so much, or to the end.
fn up_to(file: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn sealed(start: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 9] = [
        (&[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "compressed with xz"),
        (b"BZh", "compressed with bzip2"),
        (&[0x04, 0x22, 0x4d, 0x18], "compressed with lz4"),
        (b"PK\x03\x04", "a zip archive"),
        (b"Salted__", "encrypted with openssl"),
        (b"-----BEGIN PGP MESSAGE", "encrypted with OpenPGP"),
        (b"age-encryption.org/", "encrypted with age"),
        (&[0x1f, 0x8b], "compressed twice"),
    ];
    KNOWN.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, how)| *how)
}

/// An archive of `pg_dump`'s own, or the table of contents of one that is kept as a folder.
fn contents(file: &mut dyn Read) -> io::Result<Dump> {
    let bytes = up_to(file, MOST_CONTENTS)?;
    // "PGDMP", three bytes of version, sizes of an integer and of an offset, the format.
    let (Some(&size), Some(format)) = (bytes.get(8), bytes.get(10)) else {
        return Ok(Dump { complete: Some(false), ..Dump::only(Kind::Custom) });
    };
    let kind = match format {
        1 => Kind::Custom,
        3 => Kind::Tar,
        5 => Kind::Directory,
        other => {
            return Ok(Dump::only(Kind::None(format!("it is an archive of a format that is not known ({other})"))));
        }
    };
    let size = usize::from(size);
    if !(1..=8).contains(&size) {
        return Ok(Dump::only(Kind::None("it begins like an archive of pg_dump, and is none".to_owned())));
    }
    let seen = |name: &str, what: &str| {
        let pattern = [text(name, size), text(what, size)].concat();
        AhoCorasick::new([pattern]).is_ok_and(|search| search.is_match(&bytes))
    };
    let users = match (seen("users", "TABLE DATA"), seen("users", "TABLE")) {
        (true, _) => Users::WithRows,
        (false, true) => Users::WithoutRows,
        (false, false) if bytes.len() == MOST_CONTENTS => Users::NotSeen(MOST_CONTENTS),
        (false, false) => Users::Missing,
    };
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
    let version = (bytes.get(5)?, bytes.get(6)?);
    let mut at = if version >= (&1, &15) { 12 } else { 12 + size };
    let mut number = || {
        let (sign, digits) = (bytes.get(at)?, bytes.get(at + 1..at + 1 + size)?);
        at += 1 + size;
        let value =
            digits.iter().rev().try_fold(0_i64, |value, byte| Some((value.checked_mul(256)?) + i64::from(*byte)))?;
        (*sign == 0).then_some(value)
    };
    let (second, minute, hour, day, month, year) = (number()?, number()?, number()?, number()?, number()?, number()?);
    let small = |value: i64| i8::try_from(value).ok();
    let year = i16::try_from(year.checked_add(1900)?).ok()?;
    DateTime::new(year, small(month + 1)?, small(day)?, small(hour)?, small(minute)?, small(second)?.min(59), 0).ok()
}

fn owner(synapse: bool, mas: bool) -> Option<Owner> {
    match (synapse, mas) {
        (true, _) => Some(Owner::Synapse),
        (false, true) => Some(Owner::Mas),
        (false, false) => None,
    }
}

/// A tar archive: `pg_dump`'s own, one of a folder of it, a server's files, or one with SQL in it.
fn in_tar(file: &mut dyn Read) -> io::Result<Dump> {
    let mut archive = tar::Archive::new(file);
    let mut first = None;
    for entry in archive.entries()?.take(MOST_FILES) {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let name = path.rsplit('/').next().unwrap_or_default();
        match name {
            "toc.dat" => return contents(&mut entry),
            "backup_label" | "PG_VERSION" => return Ok(Dump::only(Kind::Files)),
            _ if entry.header().entry_type().is_file() && first.is_none() => {
                let found = inside(&mut entry, None, true)?;
                if !matches!(found.kind, Kind::None(_)) {
                    return Ok(found);
                }
                first = Some(path);
            }
            _ => {}
        }
    }
    let what = first.map_or_else(String::new, |path| format!(" and begins with {path}"));
    Ok(Dump::only(Kind::None(format!("it is a tar archive that holds no dump{what}"))))
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
    text.split(|byte| *byte == b'\n').filter_map(|line| match line.first()? {
        b'-' => match line.strip_suffix(b"\r").unwrap_or(line) {
            b"-- PostgreSQL database dump" => Some(Mark::OneDatabase),
            b"-- PostgreSQL database cluster dump" => Some(Mark::AllDatabases),
            b"-- PostgreSQL database dump complete" | b"-- PostgreSQL database cluster dump complete" => {
                Some(Mark::End)
            }
            _ => None,
        },
        b'C' | b'I' => statement(line),
        _ => None,
    })
}

fn statement(line: &[u8]) -> Option<Mark> {
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
    let (mut read, mut ended, mut window) = (0, false, Vec::new());
    while !ended && read < MOST_SQL {
        let piece = match up_to(file, PIECE) {
            Ok(piece) => piece,
            // A gzip file that was cut off.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && read > 0 => {
                ended = true;
                break;
            }
            Err(error) => return Err(error),
        };
        ended = piece.len() < PIECE;
        read += piece.len();
        window.extend_from_slice(&piece);
        seen.extend(marks(&window));
        if !seen.contains(&Mark::OneDatabase) && !seen.contains(&Mark::AllDatabases) {
            let what = if piece.iter().take(512).all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace()) {
                "it is text that pg_dump does not write"
            } else {
                "nothing in it is what pg_dump writes"
            };
            return Ok(Dump::only(Kind::None(what.to_owned())));
        }
        window.drain(..window.len().saturating_sub(OVERLAP));
    }
    let seen = |mark| seen.contains(&mark);
    let users = match (seen(Mark::UsersTable), seen(Mark::UsersRows)) {
        (_, true) => Users::WithRows,
        // The rows come after all definitions, and that may be far.
        (true, false) if !ended => Users::WithRows,
        (true, false) => Users::WithoutRows,
        (false, false) if ended => Users::Missing,
        (false, false) => Users::NotSeen(read),
    };
    let end_of_tail = tail.map(|tail| marks(tail).any(|mark| mark == Mark::End));
    Ok(Dump {
        kind: if seen(Mark::AllDatabases) { Kind::AllSql } else { Kind::Sql },
        users,
        owner: owner(seen(Mark::SynapseTable), seen(Mark::MasTable)),
        complete: if ended { Some(seen(Mark::End)) } else { end_of_tail },
        made: None,
    })
}
