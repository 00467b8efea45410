//! A release as krew's users get it: packed, checked by krew's rules, installed as krew's installer does, and executed.
//!
//! `cargo test --test offline krew -- --ignored` builds krew from its Go module, and installs with it.

#[path = "../../../examples/package/archive.rs"]
mod archive;
mod installer;
#[path = "../../../examples/package/manifest.rs"]
mod manifest;
mod rules;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use archive::Archive;
use flate2::Compression;
use manifest::{Download, Place};
use serde_yaml::Value;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Targets of a release.
const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-gnu",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary of this build, for the platform that the tests run on.
fn packed() -> (Archive, String) {
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    // Without compression: a test build compresses a program with symbols for minutes.
    let binary = Path::new(env!("CARGO_BIN_EXE_kubectl-ess_mas"));
    let pages = crate::man::pages::all().unwrap();
    let archive = archive::pack(root(), binary, &target, VERSION, pages, Compression::none()).unwrap();
    (archive, target)
}

fn described(downloads: &[Download]) -> String {
    let template = fs::read_to_string(root().join("krew-manifest/template.yaml")).unwrap();
    manifest::render(&template, VERSION, &Place::default(), downloads).unwrap()
}

fn download(target: &str) -> Download {
    let archive = format!("kubectl-ess_mas-v{VERSION}-{target}.tar.gz");
    Download { target: target.to_owned(), archive, sha256: "0f".repeat(32) }
}

/// A folder with the manifest and the archive, and the archive's path.
fn released() -> (TempDir, PathBuf, PathBuf) {
    let (archive, target) = packed();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(&archive.name);
    fs::write(&path, &archive.bytes).unwrap();
    let text = described(&[Download { target, archive: archive.name, sha256: archive.sha256 }]);
    let manifest = folder.path().join("ess-mas.yaml");
    fs::write(&manifest, text).unwrap();
    (folder, manifest, path)
}

#[test]
fn the_manifest_keeps_all_of_krews_rules_on_every_platform() {
    let text = described(&TARGETS.map(download));
    assert_eq!(rules::broken("ess-mas.yaml", &text), Vec::<String>::new(), "{text}");
    assert!(!text.contains("{{"), "{text}");
    let manifest: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(manifest["spec"]["version"].as_str(), Some(format!("v{VERSION}").as_str()));
    assert_eq!(manifest["spec"]["platforms"][4]["bin"], "kubectl-ess_mas.exe");
    let twice = [download("x86_64-unknown-linux-musl"), download("x86_64-unknown-linux-gnu")];
    let template = fs::read_to_string(root().join("krew-manifest/template.yaml")).unwrap();
    assert!(manifest::render(&template, VERSION, &Place::default(), &twice).unwrap_err().contains("linux/amd64"));
    assert!(
        manifest::render(&template, VERSION, &Place::default(), &[download("riscv64gc-unknown-linux-gnu")]).is_err()
    );
}

#[test]
fn the_archive_is_the_same_whenever_it_is_packed() {
    let folder = TempDir::new().unwrap();
    let binary = folder.path().join("binary");
    let pack = || {
        // The archive must not contain the file's times.
        fs::write(&binary, "a small program").unwrap();
        let pages = crate::man::pages::all().unwrap();
        archive::pack(root(), &binary, "x86_64-unknown-linux-gnu", VERSION, pages, Compression::best()).unwrap()
    };
    let one = pack();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let two = pack();
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(one.sha256, two.sha256);
    let text = described(&[download("x86_64-unknown-linux-gnu")]);
    assert!(text.contains(&format!("/v{VERSION}/{}", one.name)), "{text}");
}

#[test]
fn krews_installer_gets_everything_and_it_runs() {
    let (folder, manifest, archive) = released();
    let home = folder.path().join("krew");
    let installed = installer::install(&home, &manifest, &archive).unwrap();
    for file in [
        "LICENSE",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "README.md",
        "CHANGELOG.md",
        "docs/guide.md",
        "man/kubectl-ess_mas.1",
        "man/kubectl-ess_mas-dry-run.1",
        "completions/_kubectl-ess_mas",
    ] {
        assert!(installed.join(file).is_file(), "{file} is missing");
    }
    let done = Command::new(home.join("bin/kubectl-ess_mas")).arg("version").output().unwrap();
    assert!(done.status.success() && String::from_utf8_lossy(&done.stdout).contains(VERSION), "{done:?}");
    // As the manifest's caveats say.
    symlink(installed.join("kubectl_complete-ess_mas"), home.join("bin/kubectl_complete-ess_mas")).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.join("bin").display());
    let done = Command::new("kubectl_complete-ess_mas").arg("act").env_clear().env("PATH", &path).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&done.stdout),
        "activate\tMigrate for good: the step that only a backup undoes\n:4\n"
    );
}

#[test]
#[ignore = "builds krew with Go, from the network"]
fn krew_itself_installs_it() {
    let (krew, validate) = (build("krew"), build("validate-krew-manifest"));
    let (folder, manifest, archive) = released();
    let home = folder.path().join("krew");
    // krew requires an index, although it reads nothing from it here.
    fs::create_dir_all(home.join("index/default/.git")).unwrap();
    let krew = |words: &[&str]| {
        let mut command = Command::new(&krew);
        command.args(words).env_clear().env("KREW_ROOT", &home).env("HOME", folder.path()).env("PATH", "/usr/bin:/bin");
        let done = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "krew {words:?}: {said}");
        said
    };
    let everywhere = folder.path().join("everywhere/ess-mas.yaml");
    fs::create_dir_all(everywhere.parent().unwrap()).unwrap();
    fs::write(&everywhere, described(&TARGETS.map(download))).unwrap();
    for manifest in [&manifest, &everywhere] {
        let done = Command::new(&validate).args(["-skip-install", "-manifest"]).arg(manifest).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let (manifest, archive) = (manifest.to_str().unwrap(), archive.to_str().unwrap());
    let said = krew(&["install", "--manifest", manifest, "--archive", archive]);
    assert!(said.contains("Installed plugin: ess-mas") && said.contains("kubectl_complete-ess_mas"), "{said}");
    let done = Command::new(home.join("bin/kubectl-ess_mas")).arg("version").output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(krew(&["list"]).contains("ess-mas"));
    krew(&["uninstall", "ess-mas"]);
    assert!(!home.join("bin/kubectl-ess_mas").exists());
}

/// A program of krew's module, built once and kept below the target folder.
fn build(name: &str) -> PathBuf {
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let done = Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-o"])
        .arg(&binary)
        .arg(format!("sigs.k8s.io/krew/cmd/{name}"))
        .current_dir(root().join("tests/offline/krew/go"))
        .env("GOWORK", "off")
        .env_remove("GOFLAGS")
        .status()
        .expect("this needs Go");
    assert!(done.success(), "{name} does not build");
    binary
}
