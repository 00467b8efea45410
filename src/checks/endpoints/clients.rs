//! Existing clients: access tokens from before the migration, and discovery by server name. Source: MSC2965; Synapse,
//! `synapse/rest/client/account.py`.

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies, Server};
use crate::answers::http::{Outcome, Reached, Reply, excerpt};
use crate::checks::finding::{Code, Finding, Topic};

const OLD_TOKEN: Code = "old-token";
const WELL_KNOWN_CLIENT: Code = "well-known-client";

pub(super) fn token(expected: &Expected, answers: &Replies) -> Option<Finding> {
    if expected.synapse_host.is_none() || answers.reached(Server::Synapse) != Reached::Yes {
        return None;
    }
    answers.judge(expected, &Question::WhoamiToken, OLD_TOKEN, old_token)
}

/// A token from before the migration proves that accounts and devices were migrated.
fn old_token(expected: &Expected, at: Topic, answer: &Reply) -> Finding {
    let body = match (answer.status, answer.json()) {
        (200, Ok(body)) => body,
        (401, Ok(body)) if body["errcode"] == "M_UNKNOWN_TOKEN" => {
            return at.blocker("the token is unknown, so its session was not migrated, or has ended")
                .remedy("Try a token of another device. Tokens of guests, deactivated accounts and application services are not migrated.");
        }
        (503, _) => {
            return at.blocker("Synapse can't validate the token with MAS").remedy("Check that MAS is running.");
        }
        (_, answered) => {
            let instead = answered.err().unwrap_or_else(|| answer.described());
            return at.warning(format!("Synapse responds with {instead}"));
        }
    };
    let user = body["user_id"].as_str().map(excerpt).unwrap_or_default();
    let device = body["device_id"].as_str();
    let shown = device.map_or_else(|| "no device".to_owned(), |device| format!("device {}", excerpt(device)));
    let Some((localpart, server)) = user.strip_prefix('@').and_then(|rest| rest.split_once(':')) else {
        return at.blocker(format!("the token has no user: {}", answer.described()));
    };
    if expected.server_name.as_deref().is_some_and(|name| name != server) {
        return at.blocker(format!("the token belongs to {user}, a user of another server"));
    }
    let given = expected.token.clone().unwrap_or_default();
    let mixed_up = "Stop, and ask Element Support: accounts are mixed up.";
    if let Some(of) = given.user.as_deref().filter(|given| *given != user) {
        let text = format!("the token belonged to {} before, but now belongs to {user}", excerpt(of));
        return at.blocker(text).remedy(mixed_up);
    }
    if let Some(of) = given.localpart.as_deref().filter(|given| *given != localpart) {
        let text = format!("the token was issued to {}, but now belongs to {user}", excerpt(of));
        return at.blocker(text).remedy(mixed_up);
    }
    if let Some(of) = given.device.as_deref().filter(|given| Some(*given) != device) {
        let text = format!("the token of {user} belonged to device {} before, but now to {shown}", excerpt(of));
        let remedy = "Encrypted messages depend on the device. Try a token of another device, and ask Element Support.";
        return at.blocker(text).remedy(remedy);
    }
    let more = if given.user.is_some() && given.device.is_some() {
        ", as in the file"
    } else if expected.phase == EndpointPhase::Active {
        "; compare both with their values before the migration"
    } else {
        "; to compare both after the migration, write them after the token in the file"
    };
    at.ok(format!("the token belongs to {user}, {shown}{more}"))
}

/// The discovery document of the server name. Without one, the migration still works; a wrong issuer breaks logins.
pub(super) fn well_known(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let at = Question::WellKnown.topic(expected, WELL_KNOWN_CLIENT);
    let answer = match answers.to(&Question::WellKnown).next()? {
        Outcome::NotAsked(_) => return None,
        Outcome::Answered(answer) => answer,
        // If Synapse can't be reached either, this machine's network is the reason.
        Outcome::NotReached(_) | Outcome::Silent(_) if answers.reached(Server::Synapse) != Reached::Yes => return None,
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) => {
            return Some(at.unknown(format!("the document couldn't be read from here: {why}")));
        }
    };
    let Ok(document) = answer.document() else {
        let text = format!("clients can't discover Synapse: the server name responds with {}", answer.described());
        let remedy = "This doesn't depend on MAS. The component wellKnownDelegation serves the document if the server name points to this cluster.";
        return Some(at.warning(text).remedy(remedy));
    };
    let wanted = expected.mas_host.as_ref().map(|host| format!("https://{host}/"));
    let issuer = document["org.matrix.msc2965.authentication"]["issuer"].as_str();
    let base = document["m.homeserver"]["base_url"].as_str().unwrap_or_default().trim_end_matches('/');
    let synapse = expected.synapse_host.as_ref().map(|host| format!("https://{host}"));
    Some(match (issuer, wanted) {
        (Some(issuer), Some(wanted)) if issuer != wanted => {
            let text = format!("the document has the issuer {:?}, but MAS's issuer is {wanted:?}", excerpt(issuer));
            at.blocker(text).remedy("Correct or remove org.matrix.msc2965.authentication; older Element apps use it.")
        }
        _ if synapse.as_deref().is_some_and(|synapse| synapse != base) => {
            let text = format!("the document points to {:?}, not to Synapse's host in the spec", excerpt(base));
            at.warning(text)
        }
        (Some(_), _) => at.ok("the document has Synapse's address and MAS's issuer"),
        (None, _) => at.ok("the document has Synapse's address; MAS's issuer is optional"),
    })
}
