//! What clients see that know the server name only, and what they hold from before. Source: MSC2965; Synapse,
//! `synapse/rest/client/account.py`.

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies, Server};
use crate::answers::http::{Outcome, Reached, Reply, excerpt};
use crate::checks::finding::{Code, Finding};

const OLD_TOKEN: Code = "old-token";
const WELL_KNOWN_CLIENT: Code = "well-known-client";

pub(super) fn token(expected: &Expected, answers: &Replies) -> Option<Finding> {
    if expected.synapse_host.is_none() || answers.reached(Server::Synapse) != Reached::Yes {
        return None;
    }
    answers.judge(expected, &Question::WhoamiToken, OLD_TOKEN, old_token)
}

/// A token from before the migration is the best proof that accounts and devices came over.
fn old_token(expected: &Expected, url: String, answer: &Reply) -> Finding {
    let code = OLD_TOKEN;
    let body = match (answer.status, answer.json()) {
        (200, Ok(body)) => body,
        (401, Ok(body)) if body["errcode"] == "M_UNKNOWN_TOKEN" => {
            return Finding::blocker(code, url, "the token is not known, so its login did not come over, or was ended")
                .remedy("Try one of another device. Tokens of guests, of deactivated accounts and of application services do not come over.");
        }
        (503, _) => {
            return Finding::blocker(code, url, "Synapse cannot ask MAS about the token")
                .remedy("See whether MAS runs.");
        }
        (_, answered) => {
            let instead = answered.err().unwrap_or_else(|| answer.described());
            return Finding::warning(code, url, format!("it answers {instead}"));
        }
    };
    let user = body["user_id"].as_str().map(excerpt).unwrap_or_default();
    let device = body["device_id"]
        .as_str()
        .map_or_else(|| "no device".to_owned(), |device| format!("device {}", excerpt(device)));
    let Some((localpart, server)) = user.strip_prefix('@').and_then(|rest| rest.split_once(':')) else {
        return Finding::blocker(code, url, format!("the token names no user: {}", answer.described()));
    };
    if expected.server_name.as_deref().is_some_and(|name| name != server) {
        return Finding::blocker(code, url, format!("the token names {user}, who is of another server"));
    }
    let given = expected.token.clone().unwrap_or_default();
    let mixed_up = "Stop, and ask Element's support: accounts have been mixed up.";
    if let Some(of) = given.user.as_deref().filter(|given| *given != user) {
        let text = format!("the token named {} before, but names {user} now", excerpt(of));
        return Finding::blocker(code, url, text).remedy(mixed_up);
    }
    if let Some(of) = given.localpart.as_deref().filter(|given| *given != localpart) {
        let text = format!("the token was made for {}, but names {user} now", excerpt(of));
        return Finding::blocker(code, url, text).remedy(mixed_up);
    }
    if let Some(of) = given.device.as_deref().filter(|given| Some(*given) != body["device_id"].as_str()) {
        let text = format!("the token of {user} named device {} before, but {device} now", excerpt(of));
        let remedy = "Encrypted messages hang on the device. Try the token of another one, and ask Element's support.";
        return Finding::blocker(code, url, text).remedy(remedy);
    }
    let more = if given.user.is_some() && given.device.is_some() {
        ", as was given"
    } else if expected.phase == EndpointPhase::Active {
        "; compare with what it was before"
    } else {
        "; write both behind it into the file, and they are compared after the migration"
    };
    Finding::ok(code, url, format!("the token names {user}, {device}{more}"))
}

/// Where clients are sent that know the server name only. Absence is no fault of the migration; a wrong issuer is one.
pub(super) fn well_known(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let code = WELL_KNOWN_CLIENT;
    let url = Question::WellKnown.url(expected);
    let answer = match answers.to(&Question::WellKnown).next()? {
        Outcome::NotAsked(_) => return None,
        Outcome::Answered(answer) => answer,
        // Where Synapse cannot be reached either, being here tells nothing.
        Outcome::NotReached(_) | Outcome::Silent(_) if answers.reached(Server::Synapse) != Reached::Yes => return None,
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) => {
            return Some(Finding::unknown(code, url, format!("it could not be asked from here: {why}")));
        }
    };
    let Ok(document) = answer.document() else {
        let text = format!(
            "clients that are given the server name only do not find Synapse: it answers {}",
            answer.described()
        );
        let remedy = "This is so with and without MAS; the component wellKnownDelegation serves it where the server name leads to this cluster.";
        return Some(Finding::warning(code, url, text).remedy(remedy));
    };
    let wanted = expected.mas_host.as_ref().map(|host| format!("https://{host}/"));
    let issuer = document["org.matrix.msc2965.authentication"]["issuer"].as_str();
    let base = document["m.homeserver"]["base_url"].as_str().unwrap_or_default().trim_end_matches('/');
    let synapse = expected.synapse_host.as_ref().map(|host| format!("https://{host}"));
    Some(match (issuer, wanted) {
        (Some(issuer), Some(wanted)) if issuer != wanted => {
            let text = format!("it names the issuer {:?}, but MAS's is {wanted:?}", excerpt(issuer));
            Finding::blocker(code, url, text)
                .remedy("Correct or remove org.matrix.msc2965.authentication there; older Element apps follow it.")
        }
        _ if synapse.as_deref().is_some_and(|synapse| synapse != base) => {
            let text = format!("it sends clients to {:?}, not to Synapse's host of the spec", excerpt(base));
            Finding::warning(code, url, text)
        }
        (Some(_), _) => Finding::ok(code, url, "it names Synapse and MAS's issuer"),
        (None, _) => Finding::ok(code, url, "it names Synapse; that it does not name MAS is fine"),
    })
}
