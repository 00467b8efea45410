//! A new login with a test account, and its logout. Source: Matrix specification, client-server API §5.7; MAS,
//! `crates/handlers/src/compat`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::probe::{Probe, Replies};
use super::synapse::{delegates, types};
use crate::answers::http::{Outcome, excerpt};
use crate::checks::finding::{Finding, Severity};

/// Why a login would do harm or can't succeed; `None` if it can be tried.
pub fn not_tried(expected: &Expected, replies: &Replies) -> Option<Finding> {
    let url = Probe::LogIn.url(expected);
    if matches!(expected.phase, EndpointPhase::Deployed | EndpointPhase::Migrating) {
        return Some(expected.finding("login-too-early", url, &[]));
    }
    let why = match reply(replies, &Probe::LoginV3).1 {
        Err(why) => format!("the request for the login types got {why}"),
        Ok(flows) if delegates(&flows) != (expected.phase == EndpointPhase::Active) => {
            "an unexpected service handles logins; see synapse-login".to_owned()
        }
        Ok(flows) if !types(&flows).contains("m.login.password") => {
            format!("password login is off; the host offers {}", types(&flows))
        }
        Ok(_) => return None,
    };
    Some(expected.finding("no-login", url, &[("why", &why)]))
}

/// The status of a response, 0 without one, and its document or a description.
fn reply(replies: &Replies, probe: &Probe) -> (u16, Result<Value, String>) {
    match replies.to(probe).next() {
        Some(Outcome::Answered(reply)) => (reply.status, reply.document()),
        Some(Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) | Outcome::NotAsked(why)) => {
            (0, Err(format!("no response: {why}")))
        }
        None => (0, Err("no response: the request was not sent".to_owned())),
    }
}

pub(super) fn judge(expected: &Expected, replies: &Replies) -> Option<Finding> {
    let user = expected.test_user.as_deref().map(excerpt)?;
    if let Some(finding) = not_tried(expected, replies) {
        return Some(finding);
    }
    let mut finding = logged_in(expected, &user, replies);
    match reply(replies, &Probe::LogOut) {
        // The login failed.
        _ if replies.to(&Probe::LogOut).next().is_none() => {}
        (200, _) => finding.message += "; the program logged out again",
        (_, left) => {
            let instead = left.err().unwrap_or_default();
            finding.message =
                format!("{}; the logout got {instead}, so the new device may still exist", finding.message);
            finding.severity = finding.severity.min(Severity::Unknown);
            finding.remedy = Some("Remove the device in the test account's session settings.".to_owned());
        }
    }
    Some(finding)
}

fn logged_in(expected: &Expected, user: &str, replies: &Replies) -> Finding {
    let service = if expected.phase == EndpointPhase::Active { "MAS" } else { "Synapse" };
    let finding = |name: &str, values: &[(&str, &str)]| {
        let common = [("user", user), ("service", service)];
        expected.finding(name, Probe::LogIn.url(expected), &[&common, values].concat())
    };
    let body = match reply(replies, &Probe::LogIn) {
        (_, Ok(body)) if body["access_token"].is_string() => body,
        (0, Err(why)) => return finding("login-unanswered", &[("why", &why)]),
        (429, Err(why)) => return finding("login-limited", &[("why", &why)]),
        (403, Err(why)) => return finding("login-rejected", &[("why", &why)]),
        (status, body) => {
            return finding("login-fails", &[("why", &body.err().unwrap_or_else(|| status.to_string()))]);
        }
    };
    let whose = match reply(replies, &Probe::WhoamiNew) {
        (_, Ok(whose)) => whose,
        (0, Err(why)) => return finding("login-user-unknown", &[("why", &why)]),
        (_, Err(why)) => return finding("new-token-rejected", &[("why", &why)]),
    };
    let text = |key: &str| excerpt(whose[key].as_str().unwrap_or("none"));
    let (names, device) = (text("user_id"), text("device_id"));
    let is_user = names.strip_prefix('@').and_then(|rest| rest.split_once(':')).is_some_and(|(localpart, server)| {
        let given = user.trim_start_matches('@');
        let (wanted, on) = given.split_once(':').unwrap_or((given, server));
        let here = expected.server_name.as_deref().unwrap_or(server);
        wanted.eq_ignore_ascii_case(localpart) && on == server && here == server
    });
    let same = is_user && whose["user_id"] == body["user_id"] && whose["device_id"] == body["device_id"];
    finding(if same { "login" } else { "new-token-of-other" }, &[("names", &names), ("device", &device)])
}
