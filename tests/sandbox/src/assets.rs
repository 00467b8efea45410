//! Finds the programs that tests need: `kube-apiserver` and `etcd` from `KUBEBUILDER_ASSETS`. Otherwise, and for all others,
//! builds them from a Go module in this repository that pins them.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// A folder with `kube-apiserver` and `etcd`, as `setup-envtest` uses it.
const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// The folder with the programs, built first if necessary. That takes minutes once, then milliseconds.
pub(crate) fn folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os(ASSETS).filter(|folder| !folder.is_empty()) {
        let folder = PathBuf::from(folder);
        for program in ["kube-apiserver", "etcd"] {
            if !folder.join(program).is_file() {
                let folder = folder.display();
                return Err(format!("{ASSETS} is {folder}, which has no `{program}`").into());
            }
        }
        return Ok(folder);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../control-plane").canonicalize()?;
    let flags = version_flags(&fs::read_to_string(folder.join("go.mod"))?)?;
    let what = "a Kubernetes API server and etcd";
    GoModule { folder, name: "control-plane", what, programs: EVERY_MAIN, more: Vec::new() }.build(&flags)
}

/// The folder with `helm-3`, `helm-4` and `kubectl`, built first if necessary.
pub(crate) fn clients() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients").canonicalize()?;
    let programs: Programs =
        &[("helm-3", "helm.sh/helm/v3/cmd/helm"), ("helm-4", "helm.sh/helm/v4/cmd/helm"), ("kubectl", "./kubectl")];
    let what = "Helm 3, Helm 4 and kubectl";
    GoModule { folder, name: "clients", what, programs, more: Vec::new() }.build("")
}

/// Names of programs and their packages.
pub type Programs = &'static [(&'static str, &'static str)];

/// Every main package below the module, under its own name.
const EVERY_MAIN: Programs = &[("", "./...")];

/// Without these flags the API server reports v0.0.0-master, on which version checks fail. The version is read from `go.mod`, so
/// that it is pinned in one place.
fn version_flags(module: &str) -> Result<String> {
    let version = pinned(module, "k8s.io/kubernetes").ok_or("go.mod does not require k8s.io/kubernetes")?;
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let package = "k8s.io/component-base/version";
    Ok(format!("-X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"))
}

/// A Go module in this repository whose main packages are built.
pub struct GoModule {
    /// The absolute folder of `go.mod`.
    pub folder: PathBuf,
    /// The folder under the target directory.
    pub name: &'static str,
    /// The description in the message while building.
    pub what: &'static str,
    pub programs: Programs,
    /// More arguments for `go build`. A file that one of them names must have another name when its content differs.
    pub more: Vec<OsString>,
}

impl GoModule {
    /// The folder with the programs, built again after any change of their sources.
    pub fn build(&self, linker_flags: &str) -> Result<PathBuf> {
        let target = target_directory().join(self.name);
        fs::create_dir_all(&target)?;
        let target = target.canonicalize()?;
        let finished = target.join(self.key(linker_flags)?);
        // Of concurrent test processes only one builds; the others use its result.
        let lock = File::create(target.join("lock"))?;
        lock.lock()?;
        if finished.is_dir() {
            return Ok(finished);
        }
        // Not `eprintln!`, which the test harness captures until the test has failed.
        let _ = writeln!(
            io::stderr(),
            "Building {} from their pinned sources, with Go. This takes minutes the first time and needs the network; \
             after that it is kept in {}.",
            self.what,
            target.display()
        );
        let partial = finished.with_extension("partial");
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial)?;
        for (name, package) in self.programs {
            let mut output = partial.clone().into_os_string();
            output.push("/");
            output.push(name);
            let status = self
                .go()
                .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags"])
                .arg(format!("-s -w {linker_flags}"))
                .args(&self.more)
                .arg("-o")
                .arg(output)
                .arg(package)
                .status()?;
            if !status.success() {
                let folder = self.folder.display();
                return Err(format!(
                    "`go build {package}` in {folder} ended with {status}; its own messages are above"
                )
                .into());
            }
        }
        // Programs built from earlier sources are large and no longer used.
        for entry in fs::read_dir(&target)? {
            let path = entry?.path();
            if path.is_dir() && path != partial {
                fs::remove_dir_all(path)?;
            }
        }
        fs::rename(&partial, &finished)?;
        Ok(finished)
    }

    /// A cache key over all sources and settings of the programs.
    fn key(&self, linker_flags: &str) -> Result<String> {
        let mut hasher = DefaultHasher::new();
        linker_flags.hash(&mut hasher);
        if !self.more.is_empty() {
            self.more.hash(&mut hasher);
        }
        let mut files = sources(&self.folder)?;
        files.sort();
        for file in files {
            file.strip_prefix(&self.folder)?.hash(&mut hasher);
            fs::read(&file)?.hash(&mut hasher);
        }
        let output =
            self.go().args(["env", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED"]).output().map_err(|error| {
                format!(
                    "{} are built with Go, and `go` does not start ({error}). Install Go 1.26 or newer (https://go.dev/dl); \
                     for the API server, {ASSETS} can name a folder with `kube-apiserver` and `etcd` instead",
                    self.what
                )
            })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`go env` in {} failed: {}", self.folder.display(), said.trim()).into());
        }
        output.stdout.hash(&mut hasher);
        Ok(format!("{:016x}", hasher.finish()))
    }

    pub fn go(&self) -> Command {
        let mut go = Command::new("go");
        // The user's workspace or vendoring settings must not affect this module.
        go.current_dir(&self.folder).env("GOWORK", "off").env_remove("GOFLAGS");
        go
    }
}

/// `go.mod`, `go.sum` and every Go file below a folder.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "go" || kind == "mod" || kind == "sum") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The version that a `go.mod` requires of a module.
fn pinned<'a>(module: &'a str, path: &str) -> Option<&'a str> {
    module.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(path)).then(|| words.next()).flatten().filter(|version| version.starts_with('v'))
    })
}

/// Cargo's target directory.
pub fn target_directory() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| here.join("../../target"), |target| here.join("../..").join(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_required_one_and_not_that_of_a_replacement() {
        let module = "module m\nreplace k8s.io/kubernetes => k8s.io/kubernetes v0.1.0\nrequire (\n\tk8s.io/kubernetes v1.36.3\n)\n";
        assert_eq!(pinned(module, "k8s.io/kubernetes"), Some("v1.36.3"));
        assert_eq!(pinned("require k8s.io/kubernetes v1.2.3 // indirect", "k8s.io/kubernetes"), Some("v1.2.3"));
        assert_eq!(pinned(module, "k8s.io/api"), None);
    }
}
