#![cfg(unix)]

mod exec;

use super::*;
use crate::cluster::config::resolve::resolve_in;
use exec::plugin;

fn resolved(user: Value) -> Resolved {
    let flags = ConnectionFlags { server: Some("http://127.0.0.1:1".to_owned()), ..ConnectionFlags::default() };
    let mut resolved = resolve_in(&flags, &|_| None).expect("resolves");
    resolved.user = serde_json::from_value(user).expect("a user");
    resolved
}

async fn proof_of(user: Value) -> Result<Option<String>, String> {
    let proof = prove(&resolved(user)).await.map_err(|error| {
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        error.to_string()
    })?;
    let basic = proof
        .user
        .username
        .zip(proof.user.password)
        .map(|(name, password)| format!("{name}:{}", password.expose_secret()));
    Ok(proof.user.token.map(|token| token.expose_secret().to_owned()).or(basic))
}

/// The credentials of the next request.
async fn token(credentials: &Credentials) -> String {
    credentials.current().await.expect("access");
    credentials.state.lock().await.proof.user.token.as_ref().expect("a token").expose_secret().to_owned()
}

fn counting(folder: &std::path::Path, expires: &str) -> ExecConfig {
    let count = folder.join("count");
    plugin(&format!(
        r#"echo x >> {0}; n=$(wc -l < {0}); echo "{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"$GREETING-$(echo $n)\"{expires}}}}}""#,
        count.display()
    ))
}

async fn begin(plugin: &ExecConfig) -> Credentials {
    let resolved = resolved(json!({ "exec": plugin }));
    Credentials::begin(resolved, None, None).await.expect("set up")
}

#[tokio::test]
async fn the_plugin_runs_once_and_again_only_when_its_token_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let credentials = begin(&counting(folder.path(), "")).await;
    let first = credentials.current().await.expect("access");
    for _ in 0..3 {
        assert_eq!(token(&credentials).await, "hello-1");
    }
    // A second request refused with the old token gets the new one, and the plugin is not run again.
    for _ in 0..2 {
        assert!(credentials.renewed(&first).await.expect("runs").is_some());
        assert_eq!(token(&credentials).await, "hello-2");
    }
}

#[tokio::test]
async fn a_token_file_is_read_again_after_a_401() {
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), "first").expect("written");
    let resolved = resolved(json!({ "tokenFile": file.path() }));
    let credentials = Credentials::begin(resolved, None, None).await.expect("set up");
    let token = async || token(&credentials).await;
    let before = credentials.current().await.expect("access");
    assert_eq!(token().await, "first");
    assert!(credentials.renewed(&before).await.expect("reads").is_none(), "there is nothing new");
    std::fs::write(file.path(), "second").expect("written");
    assert!(credentials.renewed(&before).await.expect("reads").is_some());
    assert_eq!(token().await, "second");
}

#[tokio::test]
async fn an_expired_token_is_renewed_before_it_is_used() {
    let folder = tempfile::tempdir().expect("folder");
    let plugin = counting(folder.path(), r#",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\""#);
    let credentials = begin(&plugin).await;
    assert_eq!(token(&credentials).await, "hello-2");
}

/// A plugin may open a browser each time.
#[tokio::test]
async fn a_plugin_without_a_new_credential_is_not_run_repeatedly() {
    let folder = tempfile::tempdir().expect("folder");
    let count = folder.path().join("count");
    let script = format!(r#"echo x >> {}; echo "{{\"status\":{{\"token\":\"same\"}}}}""#, count.display());
    let credentials = begin(&plugin(&script)).await;
    let access = credentials.current().await.expect("access");
    for _ in 0..5 {
        assert!(credentials.renewed(&access).await.expect("runs").is_none());
    }
    assert_eq!(std::fs::read_to_string(&count).expect("count").lines().count(), 2);
}

#[tokio::test]
async fn credentials_of_the_kubeconfig_are_sent() {
    let some = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(proof_of(json!({})).await, Ok(None));
    assert_eq!(proof_of(json!({"token": "abc"})).await, some("abc"));
    assert_eq!(proof_of(json!({"username": "jane", "password": "p:w"})).await, some("jane:p:w"));
    assert_eq!(proof_of(json!({"username": "jane"})).await, some("jane:"));
    let oidc = json!({"auth-provider": {"name": "oidc", "config": {"id-token": "i", "refresh-token": "r"}}});
    assert_eq!(proof_of(oidc).await, some("i"));
    // `kubectl config set-credentials --token` does not remove the provider; a plugin is not run then.
    let both = json!({"token": "t", "auth-provider": {"name": "oidc", "config": {"id-token": "old"}},
        "exec": {"command": "/nonexistent"}});
    assert_eq!(proof_of(both).await, some("t"));
}

#[tokio::test]
async fn a_token_file_takes_precedence_over_a_token() {
    let file = tempfile::NamedTempFile::new().expect("file");
    let both = json!({"token": "old", "tokenFile": file.path()});
    std::fs::write(file.path(), "new\n").expect("written");
    assert_eq!(proof_of(both.clone()).await, Ok(Some("new".to_owned())));
    std::fs::write(file.path(), "\n").expect("written");
    assert_eq!(proof_of(both).await, Ok(Some("old".to_owned())));
    assert!(proof_of(json!({"tokenFile": file.path()})).await.expect_err("empty").ends_with("is empty"));
    let error = proof_of(json!({"tokenFile": "/nonexistent"})).await.expect_err("absent");
    assert!(error.contains("/nonexistent") && error.contains("cannot be read"), "{error}");
}

#[tokio::test]
async fn a_removed_auth_provider_is_refused() {
    let gcp = json!({"auth-provider": {"name": "gcp", "config": {"access-token": "canary"}}});
    assert!(proof_of(gcp).await.expect_err("refused").contains("auth provider gcp"));
    let oidc = json!({"auth-provider": {"name": "oidc"}});
    assert!(proof_of(oidc).await.expect_err("refused").contains("no id-token"));
}

#[tokio::test]
async fn an_invalid_token_is_refused_without_showing_it() {
    let error = proof_of(json!({"token": "canary\u{7}"})).await.expect_err("refused");
    assert!(!error.contains("canary"), "{error}");
}
