//! A new login with a test account: who does it, whose the token is, and that it ends. Source: Matrix specification, client-server
//! API §5.7; MAS, `crates/handlers/src/compat`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies};
use super::synapse::{delegates, types};
use crate::answers::http::{Outcome, Reply, excerpt};
use crate::checks::finding::{Code, Finding};

const NEW_LOGIN: Code = "new-login";

/// Why no login is tried. `None` where it harms nobody and may succeed.
pub fn not_tried(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let url = Question::LogIn.url(expected);
    if matches!(expected.phase, EndpointPhase::Rehearsed | EndpointPhase::Migrating) {
        let text = "no login was tried: MAS is set up and the migration is not done, so a login at MAS makes the migration fail";
        let remedy = "Use --login-file after the migration, or before MAS is set up.";
        return Some(Finding::blocker(NEW_LOGIN, url, text).remedy(remedy));
    }
    let why = match answer(answers, &Question::LoginV3).map(Reply::document) {
        Err(why) | Ok(Err(why)) => format!("asked how clients log in, the host answers {why}"),
        Ok(Ok(flows)) if delegates(&flows) != (expected.phase == EndpointPhase::Active) => {
            "another service than expected does the logins; see synapse-login".to_owned()
        }
        Ok(Ok(flows)) if !has_password(&flows) => {
            format!("logins with a password are switched off; the host offers {}", types(&flows))
        }
        Ok(Ok(_)) => return None,
    };
    Some(Finding::unknown(NEW_LOGIN, url, format!("no login was tried: {why}")))
}

fn has_password(flows: &Value) -> bool {
    flows["flows"].as_array().into_iter().flatten().any(|flow| flow["type"] == "m.login.password")
}

fn answer<'a>(answers: &'a Replies, question: &'a Question) -> Result<&'a Reply, String> {
    match answers.to(question).next() {
        Some(Outcome::Answered(answer)) => Ok(answer),
        Some(Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) | Outcome::NotAsked(why)) => {
            Err(format!("nothing: {why}"))
        }
        None => Err("nothing: it was not asked".to_owned()),
    }
}

pub(super) fn judge(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let user = expected.test_user.as_deref()?;
    Some(not_tried(expected, answers).unwrap_or_else(|| {
        let finding = logged_in(expected, user, answers);
        match answer(answers, &Question::LogOut) {
            // Nobody was logged in, so nobody is logged out.
            _ if answers.to(&Question::LogOut).next().is_none() => finding,
            Ok(Reply { status: 200, .. }) => {
                Finding { message: format!("{}; the program logged out again", finding.message), ..finding }
            }
            left => {
                let instead = left.map_or_else(|why| why, Reply::described);
                let text = format!(
                    "{}; the logout is answered with {instead}, so the new device may be left",
                    finding.message
                );
                let make = if finding.blocks() { Finding::blocker } else { Finding::unknown };
                make(NEW_LOGIN, finding.subject, text).remedy("Remove the device from the test account's sessions.")
            }
        }
    }))
}

fn logged_in(expected: &Expected, user: &str, answers: &Replies) -> Finding {
    let url = Question::LogIn.url(expected);
    let service = if expected.phase == EndpointPhase::Active { "MAS" } else { "Synapse" };
    let user = excerpt(user);
    let unknown = |text: String| Finding::unknown(NEW_LOGIN, &url, text);
    let blocker = |text: String| Finding::blocker(NEW_LOGIN, &url, text);
    let reply = match answer(answers, &Question::LogIn) {
        Ok(reply) => reply,
        Err(why) => return unknown(format!("the login of {user} is answered with {why}")),
    };
    let body = match (reply.status, reply.json()) {
        (200, Ok(body)) if body["access_token"].is_string() => body,
        (403, Ok(_)) => {
            let text = format!("{service} refuses the login of {user}: {}", reply.described());
            return blocker(text)
                .remedy("Log in as this user in a browser. If that works, correct user or password in the file.");
        }
        (429, _) => {
            return unknown(format!("something limits logins: {}", reply.described())).remedy("Try again in a while.");
        }
        _ => {
            let text =
                format!("the login of {user} is answered with {}, where an access token belongs", reply.described());
            return blocker(text).remedy(expected.look_at(service));
        }
    };
    let named = match answer(answers, &Question::WhoamiNew) {
        Err(why) => {
            return unknown(format!("{user} logs in, but asked whose the new token is, the host answers {why}"));
        }
        Ok(reply) => match reply.document() {
            Ok(named) => named,
            Err(instead) => {
                let text = format!("{user} logs in, but the new token is not accepted: the host answers {instead}");
                return blocker(text).remedy(expected.look_at("Synapse"));
            }
        },
    };
    let text = |document: &Value, key: &str| excerpt(document[key].as_str().unwrap_or("none"));
    let (names, device) = (text(&named, "user_id"), text(&named, "device_id"));
    let localpart = names.strip_prefix('@').and_then(|rest| rest.split_once(':'));
    let is_user = localpart.is_some_and(|(localpart, server)| {
        let asked = user.strip_prefix('@').unwrap_or(&user);
        let (wanted, on) = asked.split_once(':').unwrap_or((asked, server));
        wanted.eq_ignore_ascii_case(localpart)
            && on == server
            && expected.server_name.as_deref().is_none_or(|name| name == server)
    });
    if !is_user || named["user_id"] != body["user_id"] || named["device_id"] != body["device_id"] {
        let text = format!(
            "{user} logs in as {}, device {}, but the token names {names}, device {device}",
            text(&body, "user_id"),
            text(&body, "device_id")
        );
        return blocker(text).remedy("Stop, and ask Element Support: accounts are mixed up.");
    }
    Finding::ok(
        NEW_LOGIN,
        &url,
        format!("{user} logs in with a password at {service}; the new token names {names}, device {device}"),
    )
}
