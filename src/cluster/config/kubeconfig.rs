//! The kubeconfig: which files there are, and what may be said of them.
//!
//! kube reads the files; which of them count is decided here, as `loader.go` of client-go's `clientcmd` does, because kube knows
//! neither the flags nor lists with missing files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use kube::config::{Kubeconfig, KubeconfigError, LoadDataError};

use super::flags::ConnectionFlags;
use crate::cluster::errors::ClusterError;

/// The environment's variables that are set to something; replaced in tests.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

pub fn of_process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// kubectl treats an empty value like one that was not given, in flags and in files.
pub fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The kubeconfig that these flags and `KUBECONFIG` lead to.
pub fn kubeconfig_entries(flags: &ConnectionFlags) -> Result<Kubeconfig, ClusterError> {
    Ok(load(flags, &of_process)?.0)
}

/// Reads and merges the files; also says which ones were looked for.
pub fn load(flags: &ConnectionFlags, variable: Variables<'_>) -> Result<(Kubeconfig, Vec<PathBuf>), ClusterError> {
    if let Some(path) = given(flags.kubeconfig.as_ref()) {
        return Ok((read(Path::new(path))?, vec![path.into()]));
    }
    let listed = variable("KUBECONFIG").unwrap_or_default();
    let mut paths: Vec<PathBuf> = std::env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()).collect();
    if paths.is_empty() {
        let home = ["HOME", "USERPROFILE"].into_iter().find_map(variable);
        paths.extend(home.map(|home| Path::new(&home).join(".kube").join("config")));
    }
    let mut merged = Kubeconfig::default();
    for path in &paths {
        // A file that is not there is skipped, in a list and as the default.
        if path.try_exists().is_ok_and(|exists| !exists) {
            continue;
        }
        merged = merged.merge(read(path)?).map_err(|_| {
            let path = path.display();
            ClusterError::config(
                format!("The kubeconfig {path} is of another kind than those before it in KUBECONFIG."),
                None,
            )
        })?;
    }
    Ok((merged, paths))
}

fn read(path: &Path) -> Result<Kubeconfig, ClusterError> {
    let failed = |problem: &str, remedy: Option<&str>| {
        ClusterError::config(format!("The kubeconfig {} {problem}.", path.display()), remedy)
    };
    // kube takes the bytes of UTF-16 by twos, and does not survive half a one.
    if fs::read(path).is_ok_and(|bytes| matches!(*bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) && bytes.len() % 2 == 1) {
        return Err(failed("cannot be read: it is not text", None));
    }
    // kube's own words are never shown: they quote the file, and a token may stand there.
    let mut config = Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) => failed(&format!("cannot be read: {}", io_reason(&error)), None),
        KubeconfigError::Parse(error) if let Some(place) = error.location() => {
            failed(&format!("is not a valid kubeconfig (see line {})", place.line()), None)
        }
        _ => failed("is not a valid kubeconfig", None),
    })?;
    let entries = [
        ("clusters", repeated(config.clusters.iter().map(|entry| &entry.name))),
        ("contexts", repeated(config.contexts.iter().map(|entry| &entry.name))),
        ("users", repeated(config.auth_infos.iter().map(|entry| &entry.name))),
    ];
    if let Some((kind, name)) = entries.into_iter().find_map(|(kind, name)| Some((kind, name?))) {
        return Err(failed(
            &format!("has more than one entry named {name} in {kind}"),
            Some("Rename or delete one of them; kubectl doesn't accept the file either."),
        ));
    }
    // The first file to *set* a value wins; an empty text sets nothing.
    config.current_context = config.current_context.filter(|name| !name.is_empty());
    Ok(config)
}

fn repeated<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(*name))
}

/// Certificates and keys that cannot be read. kube's own words for other errors quote the kubeconfig.
pub fn unusable(error: &KubeconfigError) -> ClusterError {
    let (what, error) = match error {
        KubeconfigError::LoadCertificateAuthority(error) => ("certificate authority", error),
        KubeconfigError::LoadClientCertificate(error) => ("client certificate", error),
        KubeconfigError::LoadClientKey(error) => ("client key", error),
        _ => return ClusterError::config("The certificates of the kubeconfig cannot be used.", None),
    };
    match error {
        LoadDataError::ReadFile(error, path) => {
            ClusterError::config(format!("The {what} {} cannot be read: {}.", path.display(), io_reason(error)), None)
        }
        LoadDataError::DecodeBase64(_) => {
            ClusterError::config(format!("The {what} in the kubeconfig is not valid Base64."), None)
        }
        LoadDataError::NoBase64DataOrFile => ClusterError::config(
            "A client certificate is given without its key.",
            Some("Name the key with --client-key, or as client-key in the kubeconfig."),
        ),
    }
}

fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "it is not text".to_owned(),
        kind => kind.to_string(),
    }
}
