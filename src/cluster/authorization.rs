//! The `Authorization` that a kubeconfig's user has without a credential plugin.
//!
//! As in client-go (`rest/transport.go`, `transport/round_trippers.go`); a token in a file goes before one that is written
//! down, and the file is read for every request, because a pod's is renewed every hour.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use kube::config::{AuthInfo, AuthProviderConfig};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::errors::ClusterError;

/// Whether a kubeconfig's user has any, whatever it holds. A plugin is not run then.
pub(super) fn is_written_down(user: &AuthInfo) -> bool {
    let token = user.token.as_ref().is_some_and(|token| !token.expose_secret().is_empty());
    let given = |text: Option<&String>| text.is_some_and(|text| !text.is_empty());
    token || given(user.token_file.as_ref()) || given(user.username.as_ref()) || user.auth_provider.is_some()
}

/// What stands in the kubeconfig, or in the file that it names, now.
pub(super) fn written_down(user: &AuthInfo) -> Result<Option<HeaderValue>, ClusterError> {
    let token = user.token.as_ref().map(ExposeSecret::expose_secret).filter(|token| !token.is_empty());
    if let Some(name) = user.username.as_deref().filter(|name| !name.is_empty()) {
        if token.is_some() {
            return Err(ClusterError::config(
                "The kubeconfig's user has a token, and a name with a password as well.",
                Some("Leave out one of them; kubectl takes no such user either.".to_owned()),
            ));
        }
        let password = user.password.as_ref().map_or("", |password| password.expose_secret());
        let pair = Zeroizing::new(format!("{name}:{password}"));
        return header(&format!("Basic {}", STANDARD.encode(pair.as_bytes()))).map(Some);
    }
    match (user.token_file.as_deref().filter(|file| !file.is_empty()), token) {
        (Some(file), token) => match (fs::read_to_string(file).map(Zeroizing::new), token) {
            (Ok(read), _) if !read.trim().is_empty() => bearer(read.trim()).map(Some),
            (_, Some(token)) => bearer(token).map(Some),
            (read, None) => Err(ClusterError::config(
                format!(
                    "The file {file} with the token of the kubeconfig's user {}.",
                    read.err().map_or("is empty".to_owned(), |error| format!("cannot be read: {}", error.kind()))
                ),
                None,
            )),
        },
        (None, Some(token)) => bearer(token).map(Some),
        (None, None) => user.auth_provider.as_ref().map(from_provider).transpose(),
    }
}

/// kubectl would renew it; what it renewed last is in the kubeconfig.
fn from_provider(provider: &AuthProviderConfig) -> Result<HeaderValue, ClusterError> {
    match provider.config.get("id-token").filter(|token| provider.name == "oidc" && !token.is_empty()) {
        Some(token) => bearer(token),
        None if provider.name == "oidc" => Err(ClusterError::config(
            "The kubeconfig's user logs in with OpenID Connect and has no id-token.",
            Some("Log in again as you do for kubectl.".to_owned()),
        )),
        None => Err(ClusterError::config(
            format!(
                "The kubeconfig's user logs in with {}, which is no longer a part of kubectl either.",
                super::errors::plain(&provider.name)
            ),
            Some("Let the cluster's provider write a kubeconfig with a credential plugin.".to_owned()),
        )),
    }
}

/// Whom to act as, and nothing to prove it with: as in client-go, no credentials go where everybody can read them.
pub(super) fn unproven(user: &AuthInfo) -> AuthInfo {
    AuthInfo {
        impersonate: user.impersonate.clone(),
        impersonate_uid: user.impersonate_uid.clone(),
        impersonate_groups: user.impersonate_groups.clone(),
        impersonate_user_extra: user.impersonate_user_extra.clone(),
        ..AuthInfo::default()
    }
}

fn bearer(token: &str) -> Result<HeaderValue, ClusterError> {
    header(&format!("Bearer {token}"))
}

fn header(text: &str) -> Result<HeaderValue, ClusterError> {
    let mut header = HeaderValue::try_from(text).map_err(|_| {
        ClusterError::config(
            "The token or password of the kubeconfig's user holds what cannot be sent.",
            Some("Log in again as you do for kubectl.".to_owned()),
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn header_of(user: Value) -> Result<Option<String>, String> {
        let user: AuthInfo = serde_json::from_value(user).expect("a user");
        let header = written_down(&user).map_err(|error| error.to_string())?;
        assert!(header.as_ref().is_none_or(HeaderValue::is_sensitive));
        assert_eq!(is_written_down(&user), header.is_some());
        Ok(header.map(|header| header.to_str().expect("text").to_owned()))
    }

    #[test]
    fn what_stands_in_the_kubeconfig_is_sent() {
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(header_of(json!({})), Ok(None));
        assert_eq!(header_of(json!({"token": "abc"})), some("Bearer abc"));
        // "jane:p:w" in Base64.
        assert_eq!(header_of(json!({"username": "jane", "password": "p:w"})), some("Basic amFuZTpwOnc="));
        let oidc = json!({"auth-provider": {"name": "oidc", "config": {"id-token": "i", "refresh-token": "r"}}});
        assert_eq!(header_of(oidc), some("Bearer i"));
        // `kubectl config set-credentials --token` leaves the provider where it is.
        let both = json!({"token": "t", "auth-provider": {"name": "oidc", "config": {"id-token": "old"}}});
        assert_eq!(header_of(both), some("Bearer t"));
        assert!(header_of(json!({"token": "t", "username": "jane"})).is_err());
        // As good as nothing for kubectl, and then a plugin counts.
        assert_eq!(header_of(json!({"token": "", "tokenFile": "", "username": ""})), Ok(None));
    }

    #[test]
    fn a_token_in_a_file_goes_before_one_that_is_written_down() {
        let file = tempfile::NamedTempFile::new().expect("file");
        let path = file.path().to_str().expect("text");
        let both = json!({"token": "old", "tokenFile": path});
        std::fs::write(path, "new\n").expect("written");
        assert_eq!(header_of(both.clone()), Ok(Some("Bearer new".to_owned())));
        std::fs::write(path, "\n").expect("written");
        assert_eq!(header_of(both), Ok(Some("Bearer old".to_owned())));
        let user: AuthInfo = serde_json::from_value(json!({"tokenFile": path})).expect("a user");
        assert!(written_down(&user).expect_err("empty").to_string().ends_with("is empty."));
        let user: AuthInfo = serde_json::from_value(json!({"tokenFile": "/nonexistent"})).expect("a user");
        let error = written_down(&user).expect_err("absent").to_string();
        assert!(error.contains("/nonexistent") && error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn a_login_that_kubectl_no_longer_has_is_told_as_such() {
        let user: AuthInfo =
            serde_json::from_value(json!({"auth-provider": {"name": "gcp", "config": {"access-token": "canary"}}}))
                .expect("a user");
        let error = written_down(&user).expect_err("refused");
        assert!(
            error.to_string().contains("logs in with gcp") && !format!("{error:?}").contains("canary"),
            "{error:?}"
        );
        let user: AuthInfo = serde_json::from_value(json!({"auth-provider": {"name": "oidc"}})).expect("a user");
        assert!(written_down(&user).expect_err("refused").to_string().contains("no id-token"));
    }

    #[test]
    fn what_cannot_be_sent_is_not_repeated() {
        let user: AuthInfo = serde_json::from_value(json!({"token": "canary\u{7}"})).expect("a user");
        let error = written_down(&user).expect_err("refused");
        assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
    }
}
