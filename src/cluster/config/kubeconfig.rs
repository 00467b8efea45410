//! Finds, reads and merges kubeconfig files.
//!
//! Follows `loader.go` of client-go's `clientcmd`, because kube supports neither the flags nor lists with missing files. Files are
//! parsed to a value first, as in kubectl: kube's own typed parser adds 0.8 MB to the program.

use std::collections::HashSet;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::{fs, io};

use kube::config::{Kubeconfig, KubeconfigError, LoadDataError};
use serde::Deserialize as _;

use super::flags::ConnectionFlags;
use crate::cluster::errors::ClusterError;

/// Returns environment variables that are not empty; replaced in tests.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

pub fn of_process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// kubectl treats an empty value as absent, in flags and in files.
pub fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The merged kubeconfig of these flags and `KUBECONFIG`.
pub fn kubeconfig_entries(flags: &ConnectionFlags) -> Result<Kubeconfig, ClusterError> {
    Ok(load(flags, &of_process)?.0)
}

/// Reads and merges the files; also returns the paths, including those of missing files.
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
        // kubectl skips a missing file, in a list and as the default.
        if path.try_exists().is_ok_and(|exists| !exists) {
            continue;
        }
        merged = merged.merge(read(path)?).map_err(|_| {
            let sentence =
                format!("kubeconfig {} has another kind than the files before it in KUBECONFIG", path.display());
            ClusterError::config(sentence, "Remove this file from KUBECONFIG.")
        })?;
    }
    Ok((merged, paths))
}

fn read(path: &Path) -> Result<Kubeconfig, ClusterError> {
    let failed =
        |problem: &str, remedy: &str| ClusterError::config(format!("kubeconfig {} {problem}", path.display()), remedy);
    let text = fs::read_to_string(path).map_err(|error| {
        let remedy = "Check the path in --kubeconfig or KUBECONFIG, and the permissions of the file.";
        failed(&format!("cannot be read: {}", io_reason(&error)), remedy)
    })?;
    // The parser's message is never shown: it quotes the file, which may contain a token.
    let text = text.trim_start_matches('\u{feff}');
    let mut config = parse(text).map_err(|line| {
        let place = line.or_else(|| wrong_line(text)).map_or_else(String::new, |line| format!(" (see line {line})"));
        let remedy = "Correct the file (check it with `kubectl config view`), or pass another one with --kubeconfig.";
        failed(&format!("is not a valid kubeconfig{place}"), remedy)
    })?;
    let clusters = config.clusters.iter().map(|entry| ("clusters", &entry.name));
    let contexts = config.contexts.iter().map(|entry| ("contexts", &entry.name));
    let users = config.auth_infos.iter().map(|entry| ("users", &entry.name));
    let mut seen = HashSet::new();
    if let Some((kind, name)) = clusters.chain(contexts).chain(users).find(|entry| !seen.insert(*entry)) {
        let remedy = "Rename or delete one of them. kubectl doesn't accept the file either.";
        return Err(failed(&format!("has more than one entry named {name} in {kind}"), remedy));
    }
    // The first file that *sets* a value wins; an empty text sets nothing.
    config.current_context = config.current_context.filter(|name| !name.is_empty());
    absolute(&mut config, path.parent().unwrap_or(path));
    Ok(config)
}

/// Parses and merges all YAML documents of a text. The error is the line of a syntax error, if known.
fn parse(text: &str) -> Result<Kubeconfig, Option<usize>> {
    serde_yaml::Deserializer::from_str(text).try_fold(Kubeconfig::default(), |merged, document| {
        let mut tree =
            serde_yaml::Value::deserialize(document).map_err(|error| error.location().map(|at| at.line()))?;
        if tree.is_null() {
            return Ok(merged);
        }
        tree.apply_merge().map_err(|_| None)?;
        let config = serde_json::to_value(tree).and_then(serde_json::from_value).map_err(|_| None)?;
        merged.merge(config).map_err(|_| None)
    })
}

/// The first line that makes a text an invalid kubeconfig.
fn wrong_line(text: &str) -> Option<usize> {
    const LONGEST: usize = 300;
    let mut ends = vec![0];
    ends.extend(text.match_indices('\n').map(|(at, _)| at + 1).take(LONGEST));
    ends.iter().rposition(|end| parse(&text[..*end]).is_ok()).filter(|_| ends.len() <= LONGEST).map(|line| line + 1)
}

/// Resolves paths relative to the kubeconfig's folder. As in client-go, a command without a separator is searched in `PATH`.
fn absolute(config: &mut Kubeconfig, folder: &Path) {
    let users = config.auth_infos.iter_mut().filter_map(|user| user.auth_info.as_mut()).flat_map(|user| {
        let command = user.exec.as_mut().map(|exec| &mut exec.command);
        let command = command.filter(|one| one.as_ref().is_some_and(|command| command.contains(MAIN_SEPARATOR)));
        [&mut user.client_certificate, &mut user.client_key, &mut user.token_file].into_iter().chain(command)
    });
    let clusters = config.clusters.iter_mut().filter_map(|cluster| cluster.cluster.as_mut());
    for path in clusters.map(|cluster| &mut cluster.certificate_authority).chain(users).flatten() {
        // An empty path would become the folder.
        if !path.is_empty()
            && let Some(joined) = folder.join(&*path).to_str()
        {
            joined.clone_into(path);
        }
    }
}

const NEW_FILE: &str = "Log in again as you do for kubectl, or ask the cluster's administrator for a new kubeconfig.";

/// The error for unreadable certificates and keys. kube's messages are not used: some quote the kubeconfig.
pub fn unusable(error: &KubeconfigError) -> ClusterError {
    let (what, error) = match error {
        KubeconfigError::LoadCertificateAuthority(error) => ("certificate authority", error),
        KubeconfigError::LoadClientCertificate(error) => ("client certificate", error),
        KubeconfigError::LoadClientKey(error) => ("client key", error),
        _ => return ClusterError::config("the certificates in the kubeconfig cannot be used", NEW_FILE),
    };
    let (sentence, remedy) = match error {
        LoadDataError::ReadFile(error, path) => {
            (format!("{what} {} cannot be read: {}", path.display(), io_reason(error)), "Check the path.")
        }
        LoadDataError::DecodeBase64(_) => (format!("the {what} in the kubeconfig is not valid Base64"), NEW_FILE),
        LoadDataError::NoBase64DataOrFile => (
            "the client certificate has no key".to_owned(),
            "Set the key with --client-key, or as client-key in the kubeconfig.",
        ),
    };
    ClusterError::config(sentence, remedy)
}

fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::InvalidData => "it is not text".to_owned(),
        kind => kind.to_string(),
    }
}
