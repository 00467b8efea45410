//! The values of `build/version.rs`: in a repository, in an unpacked archive, and for a given time.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::said;

/// Runs the build script for a folder, as Cargo does.
fn run(script: &Path, folder: &Path, time: Option<&str>) -> Output {
    let mut command = Command::new(script);
    command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder).env("CARGO_PKG_VERSION", "1.2.3");
    command.env("CARGO_CFG_TARGET_OS", "macos").env("CARGO_CFG_TARGET_ARCH", "aarch64");
    // A hook that runs the tests has these.
    command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("SOURCE_DATE_EPOCH");
    command.envs(time.map(|time| ("SOURCE_DATE_EPOCH", time))).output().unwrap()
}

#[test]
fn commit_is_that_of_the_repository_and_absent_in_an_unpacked_archive() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("script");
    let version = Path::new(env!("CARGO_MANIFEST_DIR")).join("build/version.rs");
    let source = folder.path().join("script.rs");
    fs::write(&source, format!("#[path = {version:?}]\nmod version;\nfn main() {{ version::tell() }}")).unwrap();
    let done = Command::new("rustc").args(["--edition=2024", "-o"]).arg(&script).arg(source).output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let (repository, unpacked) = (folder.path().join("repository"), folder.path().join("repository/unpacked"));
    fs::create_dir_all(&unpacked).unwrap();
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(&repository).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        let done = git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(words).output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    };
    let commit_of = |folder: &Path| {
        let done = run(&script, folder, Some("86400"));
        assert!(done.status.success(), "{}", said(&done));
        let told = said(&done);
        assert!(told.contains("=ESS_MAS_USER_AGENT=kubectl-ess-mas/1.2.3 (darwin/arm64)\n"), "{told}");
        assert!(told.contains("=ESS_MAS_BUILD_TIME=86400\n"), "{told}");
        told.lines().find_map(|line| line.strip_prefix("cargo:rustc-env=ESS_MAS_COMMIT=")).map(str::to_owned)
    };
    assert_eq!(commit_of(&repository), None);
    git(&["init", "--quiet"]);
    assert_eq!(commit_of(&repository), None, "nothing is committed yet");
    git(&["commit", "--quiet", "--allow-empty", "--message=a"]);
    assert_eq!(commit_of(&repository), Some(git(&["rev-parse", "HEAD"])));
    assert_eq!(commit_of(&unpacked), None, "an archive that is unpacked within another repository");

    let now = run(&script, &unpacked, None);
    assert!(now.status.success() && !said(&now).contains("BUILD_TIME=0"), "{}", said(&now));
    let done = run(&script, &unpacked, Some("yesterday"));
    assert!(!done.status.success() && said(&done).contains("SOURCE_DATE_EPOCH"), "{}", said(&done));
}
