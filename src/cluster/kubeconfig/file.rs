//! One kubeconfig, from its file. As client-go has it (`clientcmd/api/v1`, `clientcmd/loader.go`): what is not known is not
//! looked at, a number where a text belongs is its digits, and paths are relative to the file.

use std::{
    collections::HashMap,
    fs, io,
    path::{MAIN_SEPARATOR, Path},
    rc::Rc,
};

use kube::config::{
    AuthInfo, AuthProviderConfig, Cluster, Context, ExecConfig, ExecInteractiveMode, Kubeconfig, NamedAuthInfo,
    NamedCluster, NamedContext, NamedExtension,
};
use serde_json::{Map, Value};

use super::io_reason;
use crate::{
    cluster::errors::ClusterError,
    yaml::{self, Kind, Limits, Node, Resolved, Unread},
};

/// Thousands of clusters, each with an authority and a client certificate.
const LARGEST: Limits = Limits { bytes: 64 << 20, entries: 100_000, nodes: 4_000_000 };
/// What an extension may grow to by naming a part of itself again and again.
const LARGEST_EXTENSION: usize = 10_000;

/// Reads it. Errors name the file and the line, and quote nothing: a token may stand there.
pub(super) fn read(path: &Path) -> Result<Kubeconfig, ClusterError> {
    let failed = |problem: String| ClusterError::config(format!("The kubeconfig {} {problem}.", path.display()), None);
    let text = text(path).map_err(|error| failed(format!("cannot be read: {}", io_reason(&error))))?;
    let invalid = |line: Option<usize>| {
        let place = line.map_or_else(String::new, |line| format!(" (see line {line})"));
        failed(format!("is not a valid kubeconfig{place}"))
    };
    let root = yaml::read_first(&text, LARGEST).map_err(|unread| match unread {
        Unread::Broken { line, .. } => invalid(Some(line)),
        Unread::Several => invalid(None),
        Unread::TooMuch => failed("is larger or deeper than any kubeconfig".to_owned()),
    })?;
    let mut config = kubeconfig(&root).map_err(|Misfit(line)| invalid(Some(line)))?;
    if let Some(folder) = path.parent() {
        for file in files(&mut config) {
            if Path::new(file).is_relative()
                && let Some(absolute) = folder.join(&*file).to_str()
            {
                absolute.clone_into(file);
            }
        }
    }
    Ok(config)
}

/// The text, in UTF-8 or, where a byte order mark says so, in UTF-16: Windows PowerShell's `>` writes that.
fn text(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    let text = match &*bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The paths in it. A plugin's command is one only with a folder before it.
fn files(config: &mut Kubeconfig) -> impl Iterator<Item = &mut String> {
    let of_clusters = config.clusters.iter_mut().filter_map(|one| one.cluster.as_mut()?.certificate_authority.as_mut());
    let of_users = config.auth_infos.iter_mut().filter_map(|one| one.auth_info.as_mut()).flat_map(|user| {
        let command = user.exec.as_mut().and_then(|plugin| plugin.command.as_mut());
        [
            user.client_certificate.as_mut(),
            user.client_key.as_mut(),
            user.token_file.as_mut(),
            command.filter(|command| command.contains(MAIN_SEPARATOR)),
        ]
    });
    of_clusters.chain(of_users.flatten()).filter(|file| !file.is_empty())
}

/// What stands in that line is of another kind than what belongs there.
struct Misfit(usize);

type Read<T> = Result<T, Misfit>;

fn kubeconfig(root: &Node) -> Read<Kubeconfig> {
    mapping(root)?;
    Ok(Kubeconfig {
        kind: text_at(root, "kind")?,
        api_version: text_at(root, "apiVersion")?,
        current_context: text_at(root, "current-context")?,
        clusters: named(root, "clusters", |name, item| {
            let cluster = part(item, "cluster", cluster)?;
            Ok(NamedCluster { name, cluster, ..NamedCluster::default() })
        })?,
        contexts: named(root, "contexts", |name, item| {
            let context = part(item, "context", context)?;
            Ok(NamedContext { name, context, ..NamedContext::default() })
        })?,
        auth_infos: named(root, "users", |name, item| {
            let auth_info = part(item, "user", user)?;
            Ok(NamedAuthInfo { name, auth_info, ..NamedAuthInfo::default() })
        })?,
        ..Kubeconfig::default()
    })
}

fn cluster(node: &Node) -> Read<Cluster> {
    let extension = |name, item: &Node| {
        // Only plugins look into it.
        let extension = item.entry("extension").and_then(|entry| value(&entry.value).ok()).unwrap_or_default();
        Ok(NamedExtension { name, extension })
    };
    Ok(Cluster {
        server: text_at(node, "server")?,
        insecure_skip_tls_verify: bool_at(node, "insecure-skip-tls-verify")?,
        certificate_authority: text_at(node, "certificate-authority")?,
        certificate_authority_data: text_at(node, "certificate-authority-data")?,
        proxy_url: text_at(node, "proxy-url")?,
        disable_compression: bool_at(node, "disable-compression")?,
        tls_server_name: text_at(node, "tls-server-name")?,
        extensions: some(named(node, "extensions", extension)?),
        ..Cluster::default()
    })
}

fn context(node: &Node) -> Read<Context> {
    Ok(Context {
        cluster: text_at(node, "cluster")?.unwrap_or_default(),
        user: text_at(node, "user")?,
        namespace: text_at(node, "namespace")?,
        ..Context::default()
    })
}

fn user(node: &Node) -> Read<AuthInfo> {
    let extra = |node: &Node| node.entries().iter().map(|one| Ok((key(one)?, texts(&one.value)?))).collect();
    Ok(AuthInfo {
        username: text_at(node, "username")?,
        password: text_at(node, "password")?.map(Into::into),
        token: text_at(node, "token")?.map(Into::into),
        token_file: text_at(node, "tokenFile")?,
        client_certificate: text_at(node, "client-certificate")?,
        client_certificate_data: text_at(node, "client-certificate-data")?,
        client_key: text_at(node, "client-key")?,
        client_key_data: text_at(node, "client-key-data")?.map(Into::into),
        impersonate: text_at(node, "as")?,
        impersonate_uid: text_at(node, "as-uid")?,
        impersonate_groups: texts_at(node, "as-groups")?,
        impersonate_user_extra: part(node, "as-user-extra", extra)?,
        auth_provider: part(node, "auth-provider", |node| {
            Ok(AuthProviderConfig {
                name: text_at(node, "name")?.unwrap_or_default(),
                config: part(node, "config", all_texts)?.unwrap_or_default(),
                ..AuthProviderConfig::default()
            })
        })?,
        exec: part(node, "exec", plugin)?,
        ..AuthInfo::default()
    })
}

fn plugin(node: &Node) -> Read<ExecConfig> {
    let interactive_mode = match text_at(node, "interactiveMode")?.as_deref() {
        Some("Never") => Some(ExecInteractiveMode::Never),
        Some("IfAvailable") => Some(ExecInteractiveMode::IfAvailable),
        Some("Always") => Some(ExecInteractiveMode::Always),
        // Whoever has a token beside the plugin never meets one that is unknown.
        _ => None,
    };
    Ok(ExecConfig {
        api_version: text_at(node, "apiVersion")?,
        command: text_at(node, "command")?,
        args: texts_at(node, "args")?,
        env: match items(node, "env")? {
            [] => None,
            items => Some(items.iter().map(|item| variable(item)).collect::<Read<_>>()?),
        },
        install_hint: text_at(node, "installHint")?,
        provide_cluster_info: bool_at(node, "provideClusterInfo")?.unwrap_or_default(),
        interactive_mode,
        ..ExecConfig::default()
    })
}

/// One that is null, or has no value, is empty: what this process has by that name is not meant.
fn variable(node: &Node) -> Read<HashMap<String, String>> {
    let part = |key: &str| Ok((key.to_owned(), text_at(node, key)?.unwrap_or_default()));
    ["name", "value"].into_iter().map(part).collect()
}

/// A list of things with names.
fn named<T>(node: &Node, key: &str, read: impl Fn(String, &Node) -> Read<T>) -> Read<Vec<T>> {
    let read = |item: &Rc<Node>| {
        mapping(item)?;
        read(text_at(item, "name")?.unwrap_or_default(), item)
    };
    items(node, key)?.iter().map(read).collect()
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// The value of a key, unless it is absent or null.
fn at<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.entry(key).map(|entry| &*entry.value).filter(|value| !value.is_null())
}

fn mapping(node: &Node) -> Read<()> {
    if matches!(node.kind, Kind::Map(_)) || node.is_null() { Ok(()) } else { Err(Misfit(node.line)) }
}

fn part<T>(node: &Node, key: &str, read: impl Fn(&Node) -> Read<T>) -> Read<Option<T>> {
    let Some(part) = at(node, key) else { return Ok(None) };
    mapping(part)?;
    read(part).map(Some)
}

fn items<'a>(node: &'a Node, key: &str) -> Read<&'a [Rc<Node>]> {
    match at(node, key) {
        None => Ok(&[]),
        Some(list) if matches!(list.kind, Kind::List(_)) => Ok(list.list()),
        Some(other) => Err(Misfit(other.line)),
    }
}

fn text_of(node: &Node) -> Read<String> {
    if node.is_null() {
        return Ok(String::new());
    }
    node.scalar().map(|scalar| scalar.text().to_owned()).ok_or(Misfit(node.line))
}

fn text_at(node: &Node, key: &str) -> Read<Option<String>> {
    at(node, key).map(text_of).transpose()
}

fn texts(node: &Node) -> Read<Vec<String>> {
    match node.kind {
        _ if node.is_null() => Ok(Vec::new()),
        Kind::List(ref items) => items.iter().map(|item| text_of(item)).collect(),
        _ => Err(Misfit(node.line)),
    }
}

fn texts_at(node: &Node, key: &str) -> Read<Option<Vec<String>>> {
    at(node, key).map(texts).transpose()
}

fn all_texts(node: &Node) -> Read<HashMap<String, String>> {
    let text = |entry: &yaml::Entry| Ok((key(entry)?, text_of(&entry.value)?));
    node.entries().iter().map(text).collect()
}

fn key(entry: &yaml::Entry) -> Read<String> {
    entry.key.clone().ok_or(Misfit(entry.line))
}

fn bool_at(node: &Node, key: &str) -> Read<Option<bool>> {
    let read = |node: &Node| match node.scalar().map(yaml::Scalar::old_reading) {
        Some(Resolved::Bool(value)) => Ok(value),
        // Go's YAML is as old as that.
        Some(Resolved::Text) if matches!(node.scalar().map(yaml::Scalar::text), Some("y" | "Y")) => Ok(true),
        Some(Resolved::Text) if matches!(node.scalar().map(yaml::Scalar::text), Some("n" | "N")) => Ok(false),
        _ => Err(Misfit(node.line)),
    };
    at(node, key).map(read).transpose()
}

/// Whatever stands there, for somebody else to understand.
fn value(node: &Node) -> Read<Value> {
    fn inner(node: &Node, left: &mut usize) -> Read<Value> {
        *left = left.checked_sub(1).ok_or(Misfit(node.line))?;
        Ok(match &node.kind {
            Kind::Scalar(scalar) => match scalar.new_reading() {
                Resolved::Null => Value::Null,
                Resolved::Bool(value) => value.into(),
                // In their decimal form both are JSON as they stand; anything else is a text.
                Resolved::Int(_) | Resolved::Float => {
                    serde_json::from_str(scalar.text()).unwrap_or_else(|_| scalar.text().into())
                }
                Resolved::Text => scalar.text().into(),
            },
            Kind::List(items) => items.iter().map(|item| inner(item, left)).collect::<Read<Vec<_>>>()?.into(),
            Kind::Map(entries) => {
                let pair = |entry: &yaml::Entry| Ok((key(entry)?, inner(&entry.value, left)?));
                entries.iter().map(pair).collect::<Read<Map<_, _>>>()?.into()
            }
            Kind::Opaque => return Err(Misfit(node.line)),
        })
    }
    inner(node, &mut LARGEST_EXTENSION.clone())
}

#[cfg(test)]
mod tests;
