//! `--login-file`: logs in, requests the user of the new token, and logs out.

use serde_json::json;

use super::access::TestAccount;
use super::ask::Round;
use crate::checks::endpoints::{Outcome, Probe};
use crate::redact::Redactor;
use crate::secrets::{SecretText, wipe};

impl Round<'_> {
    /// Returns the requests and their responses, without password and token.
    pub(super) async fn log_in(&self, account: &TestAccount) -> Vec<(Probe, Outcome)> {
        let mut login = json!({
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": account.user},
            "password": account.password.expose(),
            "initial_device_display_name": "kubectl ess-mas verify",
        });
        let body = SecretText::new(login.to_string());
        wipe(&mut login);
        let mut outcome = self.at_spec(&Probe::LogIn, None, Some(&body)).await.outcome;
        let token = token(&outcome);
        let secrets: Vec<_> = [Some(&account.password), token.as_ref()].into_iter().flatten().collect();
        clean(&mut outcome, &account.user, &secrets);
        let mut all = vec![(Probe::LogIn, outcome)];
        if let Some(token) = &token {
            for (probe, body) in [(Probe::WhoamiNew, None), (Probe::LogOut, Some(SecretText::from("{}")))] {
                let mut outcome = self.at_spec(&probe, Some(token), body.as_ref()).await.outcome;
                clean(&mut outcome, &account.user, &secrets);
                all.push((probe, outcome));
            }
        }
        all
    }
}

fn token(outcome: &Outcome) -> Option<SecretText> {
    let Outcome::Answered(answer) = outcome else { return None };
    let mut body = answer.document().ok()?;
    let token = body["access_token"].as_str().filter(|token| !token.is_empty()).map(SecretText::from);
    wipe(&mut body);
    token
}

/// Removes secrets from a response, because a server can repeat them. Of a JSON document, only user and device remain.
fn clean(outcome: &mut Outcome, user: &str, secrets: &[&SecretText]) {
    let Outcome::Answered(answer) = outcome else { return };
    let Ok(mut body) = answer.document() else {
        let bytes: Vec<_> = secrets.iter().map(|secret| secret.to_bytes()).collect();
        let redactor = Redactor::of_echoes(&bytes);
        answer.location = answer.location.as_deref().map(|location| redactor.text(location));
        answer.body = redactor.text(&String::from_utf8_lossy(&answer.body)).into_bytes();
        return;
    };
    let field = |key: &str| {
        let text = body[key].as_str()?;
        let is_user = text.trim_start_matches('@').starts_with(user.trim_start_matches('@'));
        let repeats = secrets.iter().any(|secret| text.contains(secret.expose()));
        Some(if repeats && !is_user { "***" } else { text }.to_owned())
    };
    let kept = json!({"user_id": field("user_id"), "device_id": field("device_id"), "access_token": body["access_token"].as_str().map(|_| "")});
    wipe(&mut body);
    answer.body = kept.to_string().into_bytes();
}
