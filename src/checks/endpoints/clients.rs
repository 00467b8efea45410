//! Existing clients: access tokens from before the migration, and discovery by server name. Source: MSC2965; Synapse,
//! `synapse/rest/client/account.py`.

use super::expected::{EndpointPhase, Expected};
use super::probe::{Exchange, Probe, Replies, Server};
use crate::answers::http::{Outcome, Reached, excerpt};
use crate::checks::finding::Finding;

pub(super) fn token(expected: &Expected, replies: &Replies) -> Option<Finding> {
    if expected.synapse_host.is_none() || replies.reached(Server::Synapse) != Reached::Yes {
        return None;
    }
    replies.judge(expected, &Probe::WhoamiToken, "old-token", old_token)
}

/// A token from before the migration proves that accounts and devices were migrated.
fn old_token(at: &Exchange) -> Finding {
    let body = match (at.reply.status, at.reply.json()) {
        (200, Ok(body)) => body,
        (401, Ok(body)) if body["errcode"] == "M_UNKNOWN_TOKEN" => return at.finding("token-unknown", &[]),
        (503, _) => return at.finding("token-not-validated", &[]),
        (_, answered) => {
            return at.finding("token-unclear", &[("why", &answered.err().unwrap_or_else(|| at.reply.described()))]);
        }
    };
    let user = body["user_id"].as_str().map(excerpt).unwrap_or_default();
    let device = body["device_id"].as_str();
    let shown = device.map_or_else(|| "no device".to_owned(), |device| format!("device {}", excerpt(device)));
    let Some((localpart, server)) = user.strip_prefix('@').and_then(|rest| rest.split_once(':')) else {
        return at.finding("token-without-user", &[]);
    };
    if at.expected.server_name.as_deref().is_some_and(|name| name != server) {
        return at.finding("token-of-other-server", &[("user", &user)]);
    }
    let given = at.expected.token.clone().unwrap_or_default();
    for (given, now, name) in [
        (&given.user, Some(user.as_str()), "token-of-other-user"),
        (&given.localpart, Some(localpart), "token-of-other-localpart"),
        (&given.device, device, "token-of-other-device"),
    ] {
        if let Some(before) = given.as_deref().filter(|given| Some(*given) != now) {
            return at.finding(name, &[("before", &excerpt(before)), ("user", &user), ("device", &shown)]);
        }
    }
    let more = if given.user.is_some() && given.device.is_some() {
        ", as in the file"
    } else if at.expected.phase == EndpointPhase::Active {
        "; compare both with their values before the migration"
    } else {
        "; to compare both after the migration, write them after the token in the file"
    };
    at.finding("token", &[("user", &user), ("device", &shown), ("more", more)])
}

/// The discovery document of the server name. Without one, the migration still works; a wrong issuer breaks logins.
pub(super) fn well_known(expected: &Expected, replies: &Replies) -> Option<Finding> {
    let url = Probe::WellKnown.url(expected);
    let reply = match replies.to(&Probe::WellKnown).next()? {
        Outcome::NotAsked(_) => return None,
        Outcome::Answered(reply) => reply,
        // If Synapse can't be reached either, this machine's network is the reason.
        Outcome::NotReached(_) | Outcome::Silent(_) if replies.reached(Server::Synapse) != Reached::Yes => return None,
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) => {
            return Some(expected.finding("document-unread", url, &[("why", why)]));
        }
    };
    let at = Exchange { expected, url, reply };
    let Ok(document) = reply.document() else { return Some(at.finding("no-document", &[])) };
    let wanted = expected.mas_host.as_ref().map(|host| format!("https://{host}/"));
    let issuer = document["org.matrix.msc2965.authentication"]["issuer"].as_str();
    let base = document["m.homeserver"]["base_url"].as_str().unwrap_or_default().trim_end_matches('/');
    let synapse = expected.synapse_host.as_ref().map(|host| format!("https://{host}"));
    Some(match (issuer, wanted) {
        (Some(issuer), Some(wanted)) if issuer != wanted => {
            let (named, wanted) = (format!("{:?}", excerpt(issuer)), format!("{wanted:?}"));
            at.finding("document-other-issuer", &[("named", &named), ("wanted", &wanted)])
        }
        _ if synapse.as_deref().is_some_and(|synapse| synapse != base) => {
            at.finding("document-other-host", &[("base", &format!("{:?}", excerpt(base)))])
        }
        (Some(_), _) => at.finding("document-with-issuer", &[]),
        (None, _) => at.finding("document", &[]),
    })
}
