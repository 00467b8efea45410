//! Installs the operator from a Go module next to this file, and Ansible into a Python virtual environment.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use ess_mas_sandbox::Result;
use ess_mas_sandbox::assets::{GoModule, target_directory};

/// How the operator reports a failed reconcile that follows a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// With its own message and completion, as in the recordings: the vendor's operator, and later releases of the
    /// original.
    Each,
    /// Not at all: the first failure remains until a reconcile succeeds. The release in `operator/go.mod` does this.
    First,
}

/// The installed programs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The operator.
    pub operator: PathBuf,
    /// A Python virtual environment with Ansible.
    pub python: PathBuf,
}

/// The directory of this file.
pub fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/real/operator")
}

/// Installs missing parts.
pub fn programs(telling: Telling) -> Result<Programs> {
    let mut module = GoModule {
        folder: here().join("source"),
        name: "ansible-operator",
        what: "ansible-operator",
        programs: &[("", "github.com/operator-framework/ansible-operator-plugins/cmd/ansible-operator")],
        more: Vec::new(),
    };
    if telling == Telling::Each {
        module.more = changed(&module)?;
        module.name = "ansible-operator-telling-each";
    }
    Ok(Programs { operator: module.build("")?.join("ansible-operator"), python: environment()? })
}

/// Later releases of the operator differ by one condition in what they write. Copies the sources, inserts the
/// condition, and builds the copy.
fn changed(module: &GoModule) -> Result<Vec<OsString>> {
    let (file, before, after) = (
        "internal/ansible/controller/status/utils.go",
        "currentCond != nil && currentCond.Status == condition.Status && currentCond.Reason",
        "currentCond != nil && condition.Type != FailureConditionType && currentCond.Status == condition.Status && currentCond.Reason",
    );
    let path = "github.com/operator-framework/ansible-operator-plugins";
    let download = module.go().args(["mod", "download", path]).status()?;
    let found = module.go().args(["list", "-m", "-f", "{{.Dir}}", path]).output()?;
    if !(download.success() && found.status.success()) {
        return Err(format!("Go cannot find the sources of {path}").into());
    }
    let original = PathBuf::from(String::from_utf8(found.stdout)?.trim());
    let text = fs::read_to_string(original.join(file))?;
    if text.matches(before).count() != 1 {
        return Err(format!("{file} of {path} is not the one that is known").into());
    }
    let [manifest, sums] = ["go.mod", "go.sum"].map(|name| fs::read_to_string(module.folder.join(name)));
    let (manifest, sums) = (manifest?, sums?);
    let mut hasher = DefaultHasher::new();
    (&text, after, &original, &manifest, &sums).hash(&mut hasher);
    let target = target_directory().join("ansible-operator-sources");
    let folder = target.join(format!("{:016x}", hasher.finish()));
    let (sources, modfile) = (folder.join("sources"), folder.join("go.mod"));
    fs::create_dir_all(&target)?;
    let lock = File::create(target.join("lock"))?;
    lock.lock()?;
    // Written last, so that it marks a complete copy.
    if !modfile.is_file() {
        let _ = fs::remove_dir_all(&folder);
        copy(&original, &sources)?;
        fs::write(sources.join(file), text.replace(before, after))?;
        fs::write(folder.join("go.sum"), sums)?;
        let sources = sources.canonicalize()?;
        fs::write(&modfile, format!("{manifest}\nreplace {path} => {}\n", sources.display()))?;
    }
    let mut argument = OsString::from("-modfile=");
    argument.push(modfile.canonicalize()?);
    Ok(vec![argument])
}

/// Go's own copies are read-only, so permissions are not copied.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::write(target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// The virtual environment, created again if the requirements or Python change.
fn environment() -> Result<PathBuf> {
    let requirements = here().join("requirements.txt");
    let version = Command::new("python3").arg("--version").output();
    let version = version.map_err(|error| format!("Ansible needs Python, and `python3` does not start: {error}"))?;
    let mut hasher = DefaultHasher::new();
    (fs::read(&requirements)?, version.stdout).hash(&mut hasher);
    let target = target_directory().join("ansible");
    fs::create_dir_all(&target)?;
    let target = target.canonicalize()?;
    let lock = File::create(target.join("lock"))?;
    lock.lock()?;
    let folder = target.join(format!("{:016x}", hasher.finish()));
    let complete = folder.join("complete");
    if complete.is_file() {
        return Ok(folder);
    }
    let _ = writeln!(io::stderr(), "Installing Ansible into {}; this needs the network.", folder.display());
    // Its scripts contain the path of the directory, so it can't be moved.
    let _ = fs::remove_dir_all(&folder);
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let pip = folder.join("bin/pip");
    succeed(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements))?;
    fs::write(complete, "")?;
    Ok(folder)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
