//! Credential plugins (`users[].user.exec` of a kubeconfig), run once and kept for the run.
//!
//! kube runs such a plugin three times before the first request (once per layer that asks for credentials), each time
//! blocking the executor; they take 300 ms and more. So the plugin is run here, and kube sees no `exec` at all.
//! Protocol: `client.authentication.k8s.io`, <https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>.

use std::{io::IsTerminal as _, process::Stdio};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::errors::ClusterError;

/// A token counts as expired this long before it is, so that it does not expire on its way.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// Supplies the `Authorization` header where a credential plugin makes it.
pub(super) struct Credentials {
    plugin: Option<(ExecConfig, Mutex<Option<Token>>)>,
}

struct Token {
    header: HeaderValue,
    expires: Option<Timestamp>,
}

/// What a plugin answered.
pub(super) struct Issued {
    token: Option<Token>,
    /// PEM certificate chain and key for TLS.
    pub(super) certificate: Option<(String, String)>,
}

impl Credentials {
    /// For users without a plugin: kube handles all other kinds.
    pub(super) fn none() -> Self {
        Self { plugin: None }
    }

    /// Keeps the plugin and what it has issued.
    pub(super) fn of(plugin: ExecConfig, issued: Issued) -> Self {
        Self { plugin: Some((plugin, Mutex::new(issued.token))) }
    }

    /// The header for the next request, made anew when the last token has expired.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, ClusterError> {
        let Some((plugin, token)) = &self.plugin else { return Ok(None) };
        let mut token = token.lock().await;
        let expired = token
            .as_ref()
            .is_some_and(|token| token.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires));
        if expired {
            *token = run(plugin).await?.token;
        }
        Ok(token.as_ref().map(|token| token.header.clone()))
    }

    /// After a 401 to a request that carried `refused`: a new header, if there is a chance that it differs.
    ///
    /// When another request has renewed the token in the meantime, that one is given and the plugin is not run again.
    pub(super) async fn renewed(&self, refused: Option<&HeaderValue>) -> Result<Option<HeaderValue>, ClusterError> {
        let (Some((plugin, token)), Some(refused)) = (&self.plugin, refused) else { return Ok(None) };
        let mut token = token.lock().await;
        if token.as_ref().is_some_and(|token| token.header == *refused) {
            *token = run(plugin).await?.token;
        }
        Ok(token.as_ref().map(|token| token.header.clone()).filter(|header| header != refused))
    }
}

/// Runs a plugin once. It may ask on the terminal, so there is no time limit, as in kubectl.
pub(super) async fn run(plugin: &ExecConfig) -> Result<Issued, ClusterError> {
    let command = plugin.command.as_deref().filter(|command| !command.is_empty()).ok_or_else(|| {
        ClusterError::config("The kubeconfig's user has a credential plugin without a command.", None)
    })?;
    let on_terminal = std::io::stdin().is_terminal();
    let interactive = match plugin.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) if !on_terminal => {
            return Err(ClusterError::config(
                format!("The credential plugin {command} wants to ask on a terminal, and there is none."),
                Some("Log in with it on a terminal first.".to_owned()),
            ));
        }
        _ => on_terminal,
    };
    let mut process = tokio::process::Command::new(command);
    process
        .args(plugin.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", information(plugin, interactive)?)
        .kill_on_drop(true);
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            process.env(name, value);
        }
    }
    // What the plugin says on standard error is for the person, as with kubectl; standard output is the credential.
    process
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let output = match process.spawn() {
        Ok(child) => child.wait_with_output().await,
        Err(error) => Err(error),
    }
    .map_err(|error| {
        let hint = plugin.install_hint.as_deref().map(super::errors::plain).filter(|hint| !hint.is_empty());
        ClusterError::config(
            format!("The credential plugin {command} of the kubeconfig cannot be run: {}.", error.kind()),
            hint,
        )
    })?;
    if !output.status.success() {
        let how = output
            .status
            .code()
            .map_or_else(|| "was ended by a signal".to_owned(), |code| format!("failed with exit code {code}"));
        return Err(ClusterError::config(
            format!("The credential plugin {command} of the kubeconfig {how}."),
            Some("Its own message should stand above; log in again as you do for kubectl.".to_owned()),
        ));
    }
    read(&output.stdout).ok_or_else(|| {
        ClusterError::config(
            format!("The credential plugin {command} of the kubeconfig gave no credential that can be used."),
            None,
        )
    })
}

fn information(plugin: &ExecConfig, interactive: bool) -> Result<String, ClusterError> {
    let mut spec = json!({ "interactive": interactive });
    if plugin.provide_cluster_info {
        let cluster: Option<&ExecAuthCluster> = plugin.cluster.as_ref();
        spec["cluster"] = serde_json::to_value(cluster).map_err(|_| {
            ClusterError::config(
                "The cluster's entry in the kubeconfig cannot be given to the credential plugin.",
                None,
            )
        })?;
    }
    Ok(json!({ "kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec }).to_string())
}

fn read(output: &[u8]) -> Option<Issued> {
    // JSON by the protocol; client-go also takes YAML, which some plugins rely on.
    let credential: Value = serde_json::from_slice(output).ok().or_else(|| serde_yaml::from_slice(output).ok())?;
    let status = &credential["status"];
    let text = |key: &str| status[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let token = match text("token") {
        Some(token) => {
            let mut header = HeaderValue::try_from(format!("Bearer {}", token.trim())).ok()?;
            header.set_sensitive(true);
            let expires = match text("expirationTimestamp") {
                Some(time) => Some(time.parse().ok()?),
                None => None,
            };
            Some(Token { header, expires })
        }
        None => None,
    };
    let certificate = text("clientCertificateData").zip(text("clientKeyData"));
    (token.is_some() || certificate.is_some()).then_some(Issued { token, certificate })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn plugin(script: &str) -> ExecConfig {
        serde_json::from_value(
            json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
            "env": [{"name": "GREETING", "value": "hello"}], "interactiveMode": "Never"}),
        )
        .expect("plugin")
    }

    fn counting(folder: &std::path::Path, expires: &str) -> ExecConfig {
        let count = folder.join("count");
        plugin(&format!(
            r#"echo x >> {0}; n=$(wc -l < {0}); echo "{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"$GREETING-$(echo $n)\"{expires}}}}}""#,
            count.display()
        ))
    }

    #[tokio::test]
    async fn the_plugin_runs_once_and_again_only_when_its_token_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let plugin = counting(folder.path(), "");
        let credentials = Credentials::of(plugin.clone(), run(&plugin).await.expect("runs"));
        for _ in 0..3 {
            assert_eq!(credentials.header().await.expect("header").expect("token"), "Bearer hello-1");
        }
        let refused = HeaderValue::from_static("Bearer hello-1");
        assert_eq!(credentials.renewed(Some(&refused)).await.expect("runs").expect("new"), "Bearer hello-2");
        // A second request that was refused with the old token gets the new one without another run.
        assert_eq!(credentials.renewed(Some(&refused)).await.expect("runs").expect("new"), "Bearer hello-2");
    }

    #[tokio::test]
    async fn an_expired_token_is_renewed_before_it_is_used() {
        let folder = tempfile::tempdir().expect("folder");
        let plugin = counting(folder.path(), r#",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\""#);
        let credentials = Credentials::of(plugin.clone(), run(&plugin).await.expect("runs"));
        assert_eq!(credentials.header().await.expect("header").expect("token"), "Bearer hello-2");
    }

    #[tokio::test]
    async fn a_failing_plugin_is_told_in_a_sentence() {
        let error = run(&plugin("echo secret-output; exit 3")).await.err().expect("fails");
        assert_eq!(error.to_string(), "The credential plugin sh of the kubeconfig failed with exit code 3.");
        let error = run(&ExecConfig {
            command: Some("/does/not/exist".to_owned()),
            install_hint: Some("Install it\nlike so".to_owned()),
            ..plugin("")
        })
        .await
        .err()
        .expect("fails");
        assert_eq!(error.hints(), ["Install it like so"]);
        let error = run(&plugin("echo secret-output")).await.err().expect("fails");
        assert!(!error.to_string().contains("secret-output"));
    }

    #[test]
    fn the_header_is_marked_as_sensitive() {
        let issued = read(br#"{"status":{"token":"abc"}}"#).expect("token");
        assert!(issued.token.expect("token").header.is_sensitive());
        assert!(read(b"status:\n  token: abc\n").is_some());
        assert!(read(b"{}").is_none());
    }
}
