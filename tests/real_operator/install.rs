//! Where the operator and Ansible come from: a Go module beside this file, and Python packages in a virtual environment.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use ess_mas_sandbox::Result;
use ess_mas_sandbox::assets::{GoModule, target_directory};

/// What there is once everything is installed.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The operator.
    pub operator: PathBuf,
    /// A Python virtual environment with Ansible in it.
    pub python: PathBuf,
}

/// This folder.
pub fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_operator")
}

/// Installs what is missing.
pub fn programs() -> Result<Programs> {
    let module = GoModule {
        folder: here().join("operator"),
        name: "ansible-operator",
        what: "ansible-operator",
        packages: &["github.com/operator-framework/ansible-operator-plugins/cmd/ansible-operator"],
    };
    Ok(Programs { operator: module.build("")?.join("ansible-operator"), python: environment()? })
}

/// The virtual environment, made anew whenever the requirements or Python change.
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
    // Scripts in it name the folder, so it cannot be made elsewhere and moved.
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
