//! The version, commit and build date, which `version -o json` prints; every request names the version. A file of its own, because
//! its test compiles it without other crates.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn tell() {
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    // The names of Go, which kubectl's user agent has too.
    let os = variable("CARGO_CFG_TARGET_OS").replace("macos", "darwin");
    let architecture = variable("CARGO_CFG_TARGET_ARCH").replace("x86_64", "amd64").replace("aarch64", "arm64");
    let version = variable("CARGO_PKG_VERSION");
    println!("cargo:rustc-env=ESS_MAS_USER_AGENT=kubectl-ess-mas/{version} ({os}/{architecture})");
    if let Some(commit) = commit(&variable("CARGO_MANIFEST_DIR")) {
        println!("cargo:rustc-env=ESS_MAS_COMMIT={commit}");
    }
    println!("cargo:rustc-env=ESS_MAS_BUILD_TIME={}", build_time());
}

/// The commit of this repository; `None` for an unpacked archive, also where that lies within another repository.
fn commit(folder: &str) -> Option<String> {
    let words = ["rev-parse", "HEAD", "--show-toplevel", "--git-path", "HEAD", "--git-path", "logs/HEAD"];
    let answer = Command::new("git").args(words).current_dir(folder).output().ok()?;
    let answer = String::from_utf8(answer.stdout).ok()?;
    let [commit, top, head, log] = answer.lines().collect::<Vec<_>>().try_into().ok()?;
    if Path::new(top).canonicalize().ok()? != Path::new(folder).canonicalize().ok()? {
        return None;
    }
    // Each commit appends to the log. Where the log is missing, Cargo runs this script in every build.
    println!("cargo:rerun-if-changed={head}\ncargo:rerun-if-changed={log}");
    Some(commit.to_owned())
}

/// Seconds since 1970: <https://reproducible-builds.org/specs/source-date-epoch/>, else now.
fn build_time() -> u64 {
    match env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => seconds.parse().expect("SOURCE_DATE_EPOCH is a whole number of seconds"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs()),
    }
}
