//! Installs Synapse from the Python Package Index into a virtual environment below `target/synapse`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release that the rules were written for.
const SYNAPSE: &str = "1.163.2";

/// Synapse's Python; installed if missing.
pub fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/synapse");
    let version = std::env::var("SYNAPSE_VERSION").unwrap_or_else(|_| SYNAPSE.to_owned());
    let python = folder.join("venv/bin/python");
    let marker = folder.join(format!("installed-{version}"));
    if !marker.exists() {
        fs::create_dir_all(&folder).unwrap();
        run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")));
        let synapse = format!("matrix-synapse[saml2,oidc,jwt]=={version}");
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &synapse, "matrix-synapse-ldap3"]));
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("installed-") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        fs::write(&marker, "").unwrap();
    }
    python
}

/// Runs a program and waits until it ends.
pub fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
