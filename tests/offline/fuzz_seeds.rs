//! Runs the fuzz targets' functions over their seeds and over damaged copies, the same ones each time, so that a failure is
//! reproducible. A fuzzer tries more; see docs/contributing.md.

#[path = "../../fuzz/src/lib.rs"]
mod bodies;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

/// Damaged copies of each seed.
const COPIES: u64 = 30;

#[test]
fn synapse_settings_are_read_or_refused() {
    run("synapse_settings", bodies::synapse_settings, &["fuzz/seeds/synapse_settings"]);
}

#[test]
fn certificates_are_read_or_refused() {
    run("certificates", bodies::certificates, &["fuzz/seeds/certificates"]);
}

#[test]
fn kubeconfigs_are_read_or_refused() {
    run("kubeconfig", bodies::kubeconfig, &["fuzz/seeds/kubeconfig"]);
}

#[test]
fn operator_statuses_give_only_proven_verdicts() {
    run("operator_status", bodies::operator_status, &["tests/traces", "tests/texts/syn2mas"]);
}

#[test]
fn http_replies_are_judged() {
    run("http_reply", bodies::http_reply, &["tests/recordings/http"]);
}

#[test]
fn dumps_are_recognised_or_refused() {
    run("dump", bodies::dump, &["fuzz/seeds/dump"]);
}

#[test]
fn every_fuzz_target_has_a_test_here() {
    let here = include_str!("fuzz_seeds.rs");
    let targets = files(&root().join("fuzz/fuzz_targets"));
    assert_eq!(targets.len(), 6);
    for target in targets {
        let name = target.file_stem().unwrap().to_str().unwrap();
        assert!(here.contains(&format!("run(\"{name}\", bodies::{name}, ")), "{name} is not run");
        assert!(fs::read_to_string(&target).unwrap().contains(&format!("bodies::{name}(data)")), "{name}");
    }
}

/// Runs a function over all files of these folders.
fn run(name: &str, body: fn(&[u8]), folders: &[&str]) {
    let seeds: Vec<PathBuf> = folders.iter().flat_map(|folder| files(&root().join(folder))).collect();
    assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        for copy in 0..=COPIES {
            let damaged = damage(&bytes, copy);
            let survived = panic::catch_unwind(AssertUnwindSafe(|| body(&damaged)));
            assert!(survived.is_ok(), "{name} panics on copy {copy} of {}", seed.display());
        }
    }
}

/// Copy 0 is the seed; the others are truncated, or have changed, doubled or removed bytes.
fn damage(seed: &[u8], copy: u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let mut random = Random(copy.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for _ in 0..copy.min(1 + copy % 4) {
        let at = random.below(bytes.len() + 1);
        match (random.below(4), bytes.get_mut(at)) {
            (0, _) => bytes.truncate(at),
            (1, Some(byte)) => *byte ^= 1 << random.below(8),
            (2, Some(byte)) => *byte = *random.of(b"\0\xff\"'{}[]:&*-<%\n"),
            (_, Some(_)) => {
                let end = at + random.below((bytes.len() - at).min(64) + 1);
                let piece = bytes.drain(at..end).collect::<Vec<_>>();
                if copy.is_multiple_of(2) {
                    bytes.splice(at..at, piece.repeat(2));
                }
            }
            (_, None) => bytes.push(b'\n'),
        }
    }
    bytes
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    fn of<'a>(&mut self, bytes: &'a [u8]) -> &'a u8 {
        &bytes[self.below(bytes.len())]
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
