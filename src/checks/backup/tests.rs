use std::io::{self, Write as _};

use jiff::civil::date;

use super::recognise::*;
use super::*;
use crate::checks::Severity;

const NOW: &str = "2026-11-24T22:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn good() -> Dump {
    Dump {
        kind: DumpFormat::Sql,
        users: Users::WithRows,
        owner: Some(Application::Synapse),
        complete: Some(true),
        made: None,
    }
}

fn found(dump: Dump, written: &str) -> Vec<Severity> {
    let file = BackupFile { name: "synapse.dump".into(), written: Some(written.parse().unwrap()), dump: Ok(dump) };
    check(&[file], now()).iter().map(|finding| finding.severity).collect()
}

fn of_bytes(bytes: &[u8]) -> Dump {
    recognise(&mut &bytes[..], Some(&bytes[bytes.len().saturating_sub(4096)..])).unwrap()
}

const FRESH: &str = "2026-11-24T21:00:00Z";

#[test]
fn a_fresh_dump_with_users_is_ok_and_each_problem_is_a_finding() {
    assert_eq!(found(good(), FRESH), [Severity::Ok]);
    assert_eq!(found(good(), "2026-11-23T21:59:59Z"), [Severity::Warning]);
    assert_eq!(found(good(), "2026-11-23T22:00:01Z"), [Severity::Ok]);
    // Copied now, but dumped a week ago.
    let old = Dump { made: Some(date(2026, 11, 17).at(1, 0, 0, 0)), ..good() };
    assert_eq!(found(old, FRESH), [Severity::Warning]);
    // In another time zone, yesterday's date can be today.
    let far = Dump { made: Some(date(2026, 11, 23).at(12, 0, 0, 0)), ..good() };
    assert_eq!(found(far, FRESH), [Severity::Ok]);
    for users in [Users::Missing, Users::WithoutRows] {
        assert_eq!(found(Dump { users, ..good() }, FRESH), [Severity::Blocker]);
    }
    assert_eq!(found(Dump { users: Users::RowsOnly, ..good() }, FRESH), [Severity::Warning]);
    assert_eq!(found(Dump { users: Users::NotSeen(64 << 20), ..good() }, FRESH), [Severity::Unknown]);
    assert_eq!(found(Dump { complete: Some(false), ..good() }, FRESH), [Severity::Blocker]);
    assert_eq!(found(Dump { kind: DumpFormat::None("x".into()), ..good() }, FRESH), [Severity::Blocker]);
    assert_eq!(found(Dump { kind: DumpFormat::Sealed, complete: None, ..good() }, FRESH), [Severity::Unknown]);
    // A dump of MAS's database alone is not enough.
    assert_eq!(found(Dump { owner: Some(Application::Mas), ..good() }, FRESH), [Severity::Ok, Severity::Warning]);
    let unreadable = BackupFile { name: "x".into(), written: None, dump: Err("permission denied".into()) };
    assert_eq!(check(&[unreadable], now())[0].severity, Severity::Unknown);
    assert_eq!(check(&[], now()), []);
}

#[test]
fn other_files_are_not_dumps() {
    for bytes in [
        &b""[..],
        b"hello",
        b"\x00\x01\x02\x03",
        b"PGDMPxxxxxxxxxxxx",
        b"-- MySQL dump 10.13\n\nCREATE TABLE users (id int);\n",
        b"SQLite format 3\0",
        b"#!/bin/sh\npg_dump synapse\n",
    ] {
        let dump = of_bytes(bytes);
        assert!(matches!(dump.kind, DumpFormat::None(_)), "{bytes:?}: {dump:?}");
    }
    assert_eq!(of_bytes(&[0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]).kind, DumpFormat::Sealed);
    // A truncated header.
    assert_ne!(of_bytes(b"PGDMP").complete, None);
}

fn sql(body: &str) -> String {
    format!("--\n-- PostgreSQL database dump\n--\n\n{body}\n--\n-- PostgreSQL database dump complete\n--\n")
}

#[test]
fn tables_are_recognised_by_definitions_and_not_by_rows() {
    let users = |body: &str| of_bytes(sql(body).as_bytes()).users;
    assert_eq!(
        users("CREATE TABLE public.users (\n    name text\n);\nCOPY public.users (name) FROM stdin;\nx\n\\.\n"),
        Users::WithRows
    );
    assert_eq!(users("CREATE TABLE users (\n);\nINSERT INTO users VALUES (1);\n"), Users::WithRows);
    assert_eq!(users("CREATE TABLE public.users (\n    name text\n);\n"), Users::WithoutRows);
    assert_eq!(users("COPY public.users (name) FROM stdin;\nx\n\\.\n"), Users::RowsOnly);
    assert_eq!(
        users("CREATE TABLE public.\"other users\" (\n);\nCREATE TABLE public.users_who_share (\n);\n"),
        Users::Missing
    );
    assert_eq!(users("COPY public.events (a) FROM stdin;\nsee CREATE TABLE public.users (\n\\.\n"), Users::Missing);
    let row = "COPY public.users (name) FROM stdin;\nCREATE TABLE users (\n\\.\n";
    assert_eq!(users(row), Users::RowsOnly);
    let cut =
        sql("CREATE TABLE public.users (\n);\nCOPY public.users (name) FROM stdin;\n").replace("dump complete", "");
    assert_eq!(of_bytes(cut.as_bytes()).complete, Some(false));
}

#[test]
fn long_sql_is_recognised_by_its_beginning_and_its_end() {
    struct Long(Vec<u8>, usize);
    impl io::Read for Long {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if !self.0.is_empty() {
                let count = self.0.len().min(buffer.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0.drain(..count);
                return Ok(count);
            }
            self.1 += buffer.len();
            assert!(self.1 < 80 << 20, "it is read without end");
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let head = |body: &str| {
        format!("--\n-- PostgreSQL database dump\n--\n{body}\nCOPY public.events (a) FROM stdin;\n").into_bytes()
    };
    let tail = b"x\n\\.\n--\n-- PostgreSQL database dump complete\n--\n";
    let with = recognise(&mut Long(head("CREATE TABLE public.users (\n);"), 0), Some(tail)).unwrap();
    assert_eq!((with.users, with.complete), (Users::WithRows, Some(true)));
    let without = recognise(&mut Long(head(""), 0), Some(b"xxx")).unwrap();
    assert!(matches!(without.users, Users::NotSeen(bytes) if bytes == 64 << 20));
    assert_eq!(without.complete, Some(false));
}

#[test]
fn a_truncated_compressed_dump_is_incomplete() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Rows that gzip can't compress much.
    let rows: String = (0..40_000_u64)
        .flat_map(|row| [row.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string(), "\n".to_owned()])
        .collect();
    packed
        .write_all(
            sql(&format!("CREATE TABLE public.users (\n);\nCOPY public.users (name) FROM stdin;\n{rows}\\.\n"))
                .as_bytes(),
        )
        .unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(of_bytes(&packed), Dump { owner: None, ..good() });
    assert_eq!(of_bytes(&packed[..packed.len() / 2]).complete, Some(false));
    assert_eq!(of_bytes(&packed[..40]).complete, Some(false));
}
