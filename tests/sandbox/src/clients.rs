//! Other clients of the API server (Helm, kubectl), pinned and built from their sources: `tests/clients`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Result, assets, cannot_run};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Patches from the client.
    Helm3,
    /// Uses server-side apply.
    Helm4,
    Kubectl,
}

impl Client {
    pub const HELMS: [Self; 2] = [Self::Helm3, Self::Helm4];

    /// The path of the program. The first call on a machine builds it, which takes minutes.
    pub fn program(self) -> Result<PathBuf> {
        let name = match self {
            Self::Helm3 => "helm-3",
            Self::Helm4 => "helm-4",
            Self::Kubectl => "kubectl",
        };
        Ok(assets::clients()?.join(name))
    }
}

/// A small chart that uses its values like the vendor's chart of this name.
pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/ess-stack")
}

/// The tested version, which implements YAML 1.1.
const PYYAML: &str = "PyYAML==6.0.3";

/// A Python with `PyYAML`, in a virtual environment below the target directory. `None` if Python 3 or the package is not available;
/// see [`cannot_run`].
pub fn python_with_yaml() -> Result<Option<PathBuf>> {
    let folder = assets::target_directory().join("python");
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let (environment, finished) = (folder.join("environment"), folder.join(PYYAML));
    let python = environment.join("bin/python");
    if finished.is_file() && runs(Command::new(&python).args(["-c", "import yaml"])) {
        return Ok(Some(python));
    }
    let _ = fs::remove_dir_all(&environment);
    let made = runs(Command::new("python3").args(["-m", "venv"]).arg(&environment));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYYAML];
    if made && runs(Command::new(&python).args(pip)) {
        File::create(&finished)?;
        return Ok(Some(python));
    }
    let remedy = if made {
        "Let pip reach the Python Package Index, for PyYAML."
    } else {
        "Install Python 3 with its module venv (Debian: python3-venv)."
    };
    cannot_run("what PyYAML makes of the exports", remedy);
    Ok(None)
}

fn runs(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
