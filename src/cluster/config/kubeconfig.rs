//! The kubeconfig: which files there are, and what may be said of them.
//!
//! Which files count is decided as in `loader.go` of client-go's `clientcmd`; kube knows neither the flags nor lists with missing
//! files. They are read by way of a value, as kubectl does: kube's reader, made for each of its types, is large.

use std::collections::HashSet;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::{fs, io};

use kube::config::{Kubeconfig, KubeconfigError, LoadDataError};
use serde::Deserialize as _;

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
                Some("Remove it from KUBECONFIG."),
            )
        })?;
    }
    Ok((merged, paths))
}

fn read(path: &Path) -> Result<Kubeconfig, ClusterError> {
    let failed = |problem: &str, remedy: &str| {
        ClusterError::config(format!("The kubeconfig {} {problem}.", path.display()), Some(remedy))
    };
    let unread = |error: io::Error| {
        let remedy = "Check the path that --kubeconfig or KUBECONFIG gives, and that you may read the file.";
        failed(&format!("cannot be read: {}", io_reason(&error)), remedy)
    };
    let text = text(fs::read(path).map_err(unread)?).ok_or_else(|| unread(io::ErrorKind::InvalidData.into()))?;
    // The reader's own words are never shown: they quote the file, and a token may stand there.
    let mut config = parse(&text).map_err(|line| {
        let place = line.or_else(|| wrong_line(&text)).map_or_else(String::new, |line| format!(" (see line {line})"));
        let remedy = "Correct the file, or name another one with --kubeconfig; `kubectl config view` reads it too.";
        failed(&format!("is not a valid kubeconfig{place}"), remedy)
    })?;
    let entries = [
        ("clusters", repeated(config.clusters.iter().map(|entry| &entry.name))),
        ("contexts", repeated(config.contexts.iter().map(|entry| &entry.name))),
        ("users", repeated(config.auth_infos.iter().map(|entry| &entry.name))),
    ];
    if let Some((kind, name)) = entries.into_iter().find_map(|(kind, name)| Some((kind, name?))) {
        return Err(failed(
            &format!("has more than one entry named {name} in {kind}"),
            "Rename or delete one of them; kubectl doesn't accept the file either.",
        ));
    }
    // The first file to *set* a value wins; an empty text sets nothing.
    config.current_context = config.current_context.filter(|name| !name.is_empty());
    absolute(&mut config, path.parent().unwrap_or(path));
    Ok(config)
}

/// The text of a file, also in the encodings of Windows.
fn text(bytes: Vec<u8>) -> Option<String> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes[2..].as_chunks();
        String::from_utf16(&units.iter().map(|pair| unit(*pair)).collect::<Vec<_>>()).ok().filter(|_| rest.is_empty())
    };
    match &*bytes {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, text @ ..] => String::from_utf8(text.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

/// Reads all documents of a text. The error is the line where it is no YAML, if that is known.
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

/// The line from which on a text is no kubeconfig: the one after the longest beginning that is one.
fn wrong_line(text: &str) -> Option<usize> {
    const LONGEST: usize = 300;
    let mut ends = vec![0];
    ends.extend(text.match_indices('\n').map(|(at, _)| at + 1).take(LONGEST));
    ends.iter().rposition(|end| parse(&text[..*end]).is_ok()).filter(|_| ends.len() <= LONGEST).map(|line| line + 1)
}

/// Paths in a kubeconfig are relative to its folder. As in client-go, a command without a separator is looked for in `PATH`.
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

fn repeated<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(*name))
}

/// What makes the file anew.
const ANEW: &str = "Log in again as you do for kubectl, or get the kubeconfig again from whoever runs the cluster.";

/// Certificates and keys that cannot be read. kube's own words for other errors quote the kubeconfig.
pub fn unusable(error: &KubeconfigError) -> ClusterError {
    let (what, error) = match error {
        KubeconfigError::LoadCertificateAuthority(error) => ("certificate authority", error),
        KubeconfigError::LoadClientCertificate(error) => ("client certificate", error),
        KubeconfigError::LoadClientKey(error) => ("client key", error),
        _ => return ClusterError::config("The certificates of the kubeconfig cannot be used.", Some(ANEW)),
    };
    let (sentence, remedy) = match error {
        LoadDataError::ReadFile(error, path) => {
            (format!("The {what} {} cannot be read: {}.", path.display(), io_reason(error)), "Check its path.")
        }
        LoadDataError::DecodeBase64(_) => (format!("The {what} in the kubeconfig is not valid Base64."), ANEW),
        LoadDataError::NoBase64DataOrFile => (
            "A client certificate is given without its key.".to_owned(),
            "Name the key with --client-key, or as client-key in the kubeconfig.",
        ),
    };
    ClusterError::config(sentence, Some(remedy))
}

fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "it is not text".to_owned(),
        kind => kind.to_string(),
    }
}
