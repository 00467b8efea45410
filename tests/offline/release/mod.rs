//! Releases: the workflows, the build information, the requirements on Linux, and the installation with krew.

mod build_script;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use ess_mas_sandbox::assets::GoModule;
use ess_mas_sandbox::cannot_run;
use serde_json::Value;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-ess_mas");

/// krew's names of the platforms.
const PLATFORMS: [&str; 5] = ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// The folder with `krew`, `validate-krew-manifest` and `actionlint`; `None` if they are not available.
fn tools() -> Option<PathBuf> {
    let module = GoModule {
        folder: root().join("tests/release"),
        name: "release-tools",
        what: "krew and actionlint",
        programs: &[
            ("krew", "sigs.k8s.io/krew/cmd/krew"),
            ("validate-krew-manifest", "sigs.k8s.io/krew/cmd/validate-krew-manifest"),
            ("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),
        ],
        more: Vec::new(),
    };
    module.build("").inspect_err(|error| cannot_run("the release", &error.to_string())).ok()
}

/// Packs programs into a temporary folder: `dist`, and the manifest `ess-mas.yaml`.
fn pack(programs: &[(String, &Path)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut script = Command::new(root().join("krew-manifest/package.sh"));
    script.args(programs.iter().map(|(platform, program)| format!("{platform}={}", program.display())));
    script.env("DIST", folder.path().join("dist")).env("MANIFEST", folder.path().join("ess-mas.yaml"));
    let man = folder.path().join("man");
    fs::create_dir(&man).unwrap();
    for (name, text) in crate::man::pages::all().unwrap() {
        fs::write(man.join(name), text).unwrap();
    }
    let done = script.env("MAN", man).env_remove("SOURCE_DATE_EPOCH").output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(said(&done).matches("is not packed").count(), PLATFORMS.len() - programs.len(), "{}", said(&done));
    folder
}

#[test]
fn workflows_pass_actionlint_and_pin_what_they_use() {
    let Some(tools) = tools() else { return };
    for name in ["ci.yml", "release.yml"] {
        let file = root().join(".github/workflows").join(name);
        // With an installed shell checker the result would depend on the machine.
        let done = Command::new(tools.join("actionlint")).args(["-shellcheck=", "-pyflakes="]).arg(&file).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", said(&done));
        let text = fs::read_to_string(&file).unwrap();
        for action in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action) {
            let commit = action.split_once('@').and_then(|(_, commit)| commit.split_once(" # v"));
            let pinned = commit.is_some_and(|(commit, _)| commit.len() == 40 && !commit.contains(char::is_whitespace));
            // The bot's action is a container image with its version as tag, for every commit.
            assert!(pinned || action.starts_with("rajatjindal/krew-release-bot@v"), "{name}: {action}");
        }
    }
}

#[test]
fn version_prints_commit_and_build_date_as_json() {
    for format in ["json", "yaml"] {
        let done = Command::new(PROGRAM).args(["version", "-o", format]).output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        let version: Value = serde_yaml::from_slice(&done.stdout).unwrap();
        assert_eq!(version["apiVersion"], "ess-mas/v1");
        assert_eq!(version["kind"], "Version");
        assert_eq!(version["version"], VERSION);
        assert_eq!(version.as_object().unwrap().len(), 5, "{version}");
        let commit = &version["commit"];
        assert!(commit.is_null() || commit.as_str().is_some_and(|text| text.len() == 40), "{version}");
        let built = version["buildDate"].as_str().unwrap();
        assert!(built.len() == 20 && built.parse::<jiff::Timestamp>().is_ok(), "{version}");
    }
    let done = Command::new(PROGRAM).arg("version").output().unwrap();
    assert_eq!(said(&done), format!("kubectl ess-mas {VERSION}\n"));
}

#[test]
fn program_that_needs_a_newer_glibc_or_other_libraries_is_refused() {
    let check = |program: &Path| Command::new(root().join(".ci/check-linux-program")).arg(program).output().unwrap();
    // The test program is linked with this machine's C library.
    let done = check(Path::new(PROGRAM));
    assert!(!done.status.success() && said(&done).contains("it needs GLIBC_2."), "{}", said(&done));
    assert!(!said(&done).contains("GLIBC_2.17"), "{}", said(&done));
    assert!(!check(&root().join("Cargo.toml")).status.success());
}

#[test]
#[ignore = "builds two releases, each of which takes ten minutes; zig comes from the network"]
fn linux_programs_need_only_glibc_2_17() {
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
        // The script checks the built program.
        let done = Command::new(root().join(".ci/build")).arg(target).output().unwrap();
        assert!(done.status.success() && said(&done).contains("with GLIBC_2.17"), "{}", said(&done));
        let program = PathBuf::from(String::from_utf8(done.stdout).unwrap().trim_end());
        if target.starts_with(env::consts::ARCH) {
            let done = Command::new(program).arg("version").output().unwrap();
            assert!(done.status.success(), "{}", said(&done));
        }
    }
}

#[test]
fn archives_are_reproducible_and_the_manifest_is_valid() {
    let Some(tools) = tools() else { return };
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("program");
    let all = PLATFORMS.map(|platform| (platform.to_owned(), program.as_path()));
    let packed = [1_000_000_000, 2_000_000_000].map(|seconds| {
        fs::write(&program, "a small program").unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        fs::File::options().write(true).open(&program).unwrap().set_modified(time).unwrap();
        pack(&all)
    });
    let sums = packed.each_ref().map(|one| fs::read_to_string(one.path().join("dist/SHA256SUMS")).unwrap());
    assert_eq!(sums[0], sums[1]);
    let manifest = packed[0].path().join("ess-mas.yaml");
    let done =
        Command::new(tools.join("validate-krew-manifest")).args(["-skip-install", "-manifest"]).arg(&manifest).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let text = fs::read_to_string(&manifest).unwrap();
    for line in sums[0].lines() {
        let (sum, archive) = line.split_once("  ").unwrap();
        assert!(text.contains(&format!("/releases/download/v{VERSION}/{archive}\n    sha256: {sum}\n")), "{text}");
    }
    assert_eq!(sums[0].lines().count(), PLATFORMS.len());
    let archive = packed[0].path().join(format!("dist/kubectl-ess_mas-v{VERSION}-windows-amd64.tar.gz"));
    let done = Command::new("tar").arg("-tzf").arg(archive).output().unwrap();
    assert!(said(&done).lines().any(|name| name == "kubectl-ess_mas.exe"), "{}", said(&done));
}

#[test]
fn krew_installs_the_archive_and_it_runs() {
    let Some(tools) = tools() else { return };
    let folder = TempDir::new().unwrap();
    // Packing a program with symbols takes minutes.
    let program = folder.path().join("program");
    let done = Command::new("strip").arg("-o").arg(&program).arg(PROGRAM).output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let platform = format!("linux-{}", env::consts::ARCH.replace("x86_64", "amd64").replace("aarch64", "arm64"));
    let packed = pack(&[(platform.clone(), &program)]);
    let home = folder.path().join("krew");
    // krew requires an index, although it is not used here.
    fs::create_dir_all(home.join("index/default/.git")).unwrap();
    let krew = |words: &[&str]| {
        let mut command = Command::new(tools.join("krew"));
        command.args(words).env_clear().env("KREW_ROOT", &home).env("HOME", folder.path()).env("PATH", "/usr/bin:/bin");
        let done = command.output().unwrap();
        assert!(done.status.success(), "krew {words:?}: {}", said(&done));
        said(&done)
    };
    let archive = packed.path().join(format!("dist/kubectl-ess_mas-v{VERSION}-{platform}.tar.gz"));
    let manifest = packed.path().join("ess-mas.yaml");
    let told = krew(&["install", "--manifest", manifest.to_str().unwrap(), "--archive", archive.to_str().unwrap()]);
    assert!(told.contains("Installed plugin: ess-mas") && told.contains("kubectl_complete-ess_mas"), "{told}");
    let installed = home.join("store/ess-mas").join(format!("v{VERSION}"));
    for file in
        ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "man/kubectl-ess_mas-dry-run.1", "completions/_kubectl-ess_mas"]
    {
        assert!(installed.join(file).is_file(), "{file} is missing");
    }
    let done = Command::new(home.join("bin/kubectl-ess_mas")).arg("version").output().unwrap();
    assert!(done.status.success() && said(&done).contains(VERSION), "{}", said(&done));
    // As in the caveats.
    symlink(installed.join("kubectl_complete-ess_mas"), home.join("bin/kubectl_complete-ess_mas")).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.join("bin").display());
    let done = Command::new("kubectl_complete-ess_mas").arg("act").env_clear().env("PATH", &path).output().unwrap();
    assert!(said(&done).starts_with("activate\t"), "{}", said(&done));
    assert!(krew(&["list"]).contains("ess-mas"));
    krew(&["uninstall", "ess-mas"]);
    assert!(!home.join("bin/kubectl-ess_mas").exists());
}
