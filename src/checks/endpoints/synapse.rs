//! Synapse's host before and after the migration. Source: Synapse, `synapse/rest/client/auth_metadata.py` and `login.py`; MSC3861, MSC3824;
//! recorded responses in `tests/recordings/http`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::probe::{Exchange, Probe, Replies, Server};
use crate::answers::http::{Outcome, Reached, excerpt};
use crate::checks::finding::Finding;

pub(super) fn judge(expected: &Expected, replies: &Replies, findings: &mut Vec<Finding>) {
    let Some(host) = &expected.synapse_host else { return };
    let home = format!("https://{host}/");
    match replies.reached(Server::Synapse) {
        Reached::NotAsked => return,
        Reached::No(why) => {
            let migrating = expected.phase == EndpointPhase::Migrating;
            let so = if migrating { ", as expected during the migration" } else { "" };
            let values = [("so", so), ("why", why), ("host", host)];
            return findings.push(expected.finding("synapse-unreached", home, &values));
        }
        Reached::Yes => {}
    }
    findings.extend(replies.judge(expected, &Probe::Versions, "synapse-reachable", versions));
    match expected.phase {
        EndpointPhase::Before | EndpointPhase::Deployed => {
            let metadata = replies.judge(expected, &Probe::AuthMetadata, "synapse-auth-metadata", metadata_before);
            findings.extend(metadata);
            findings.extend(replies.judge(expected, &Probe::LoginV3, "synapse-login", login_before));
        }
        // Answers during the migration say nothing.
        EndpointPhase::Migrating => {}
        EndpointPhase::Active => {
            findings.extend(metadata_after(expected, replies));
            let logins = [Probe::LoginV3, Probe::LoginR0];
            let judged = logins.iter().filter_map(|login| replies.judge(expected, login, "synapse-login", login_after));
            findings.extend(judged);
            findings.extend(asks_mas(expected, replies));
        }
    }
}

fn versions(at: &Exchange) -> Finding {
    let responds = at.reply.status == 200 && at.reply.json().is_ok_and(|document| document["versions"].is_array());
    let name = match at.expected.phase {
        _ if responds => "synapse",
        EndpointPhase::Migrating => "synapse-stopped",
        _ => "not-synapse",
    };
    at.finding(name, &[])
}

fn metadata_before(at: &Exchange) -> Finding {
    match (at.reply.status, at.reply.json()) {
        (404, _) => at.finding("no-metadata-yet", &[]),
        (200, Ok(document)) => {
            let issuer = document["issuer"].as_str().map_or_else(|| "another service".to_owned(), excerpt);
            at.finding("delegates-already", &[("issuer", &issuer)])
        }
        _ => at.finding("metadata-unclear", &[]),
    }
}

fn login_before(at: &Exchange) -> Finding {
    match (at.reply.status, at.reply.json()) {
        (200, Ok(flows)) if delegates(&flows) => at.finding("logins-at-mas-already", &[]),
        (200, Ok(flows)) if flows["flows"].is_array() => at.finding("logins-at-synapse", &[("types", &types(&flows))]),
        (200, Err(why)) => at.finding("no-logins", &[("why", &why)]),
        _ => at.finding("logins-unclear", &[]),
    }
}

pub(super) fn types(flows: &Value) -> String {
    let all = flows["flows"].as_array().into_iter().flatten();
    let types: Vec<String> = all.filter_map(|flow| flow["type"].as_str()).map(excerpt).collect();
    if types.is_empty() { "none".to_owned() } else { types.join(", ") }
}

/// Whether a flow has MSC3824's field, by its names in various releases of MAS.
pub(super) fn delegates(flows: &Value) -> bool {
    let signs =
        ["org.matrix.msc3824.delegated_oidc_compatibility", "delegated_oidc_compatibility", "oauth_aware_preferred"];
    let mut all = flows["flows"].as_array().into_iter().flatten();
    all.any(|flow| signs.iter().any(|sign| flow[*sign] == true))
}

/// Clients compare the issuer byte for byte, including the trailing slash (MAS issue 2800).
fn metadata_after(expected: &Expected, replies: &Replies) -> Option<Finding> {
    let code = "synapse-auth-metadata";
    // Synapse before 1.138 has only the unstable name.
    let status = |probe| replies.reply(expected, probe, code).ok().map(|reply| reply.status);
    let is_old = status(&Probe::AuthMetadata) == Some(404)
        && status(&Probe::AuthMetadataUnstable).is_some_and(|status| status != 404);
    let probe = if is_old { Probe::AuthMetadataUnstable } else { Probe::AuthMetadata };
    replies.judge(expected, &probe, code, |at| {
        let document = match (at.reply.status, at.reply.document()) {
            (_, Ok(document)) => document,
            (404, Err(_)) if at.reply.json().is_ok() => return at.finding("no-metadata", &[]),
            (_, Err(why)) => return at.finding("other-metadata", &[("why", &why)]),
        };
        let discovery = replies.reply(expected, &Probe::Discovery, code).ok().and_then(|reply| reply.json().ok());
        let discovered = discovery.as_ref().and_then(|document| document["issuer"].as_str());
        let by_host = expected.mas_host.as_ref().map(|host| format!("https://{host}/"));
        let named = document["issuer"].as_str().unwrap_or_default();
        match discovered.or(by_host.as_deref()) {
            None => at.finding("issuer-unknown", &[]),
            Some(wanted) if wanted == named => {
                let like = if discovered.is_some() { ", identical to MAS's discovery document" } else { "" };
                at.finding("same-issuer", &[("wanted", wanted), ("like", like)])
            }
            Some(wanted) => {
                let (named, wanted) = (format!("{:?}", excerpt(named)), format!("{wanted:?}"));
                at.finding("issuers-differ", &[("named", &named), ("wanted", &wanted)])
            }
        }
    })
}

fn login_after(at: &Exchange) -> Finding {
    match (at.reply.status, at.reply.json()) {
        (200, Ok(flows)) if delegates(&flows) => at.finding("logins-at-mas", &[]),
        (200, Ok(flows)) => at.finding("logins-not-at-mas", &[("types", &types(&flows))]),
        (404, Ok(_)) => at.finding("logins-reach-synapse", &[]),
        (_, answered) => {
            at.finding("logins-nowhere", &[("why", &answered.err().unwrap_or_else(|| at.reply.described()))])
        }
    }
}

/// A process of Synapse validates an invalid token with MAS: 401 if MAS responds, 503 if it can't be reached.
fn asks_mas(expected: &Expected, replies: &Replies) -> Option<Finding> {
    let all: Vec<&Outcome> = replies.to(&Probe::WhoamiJunk).collect();
    let errcode = |outcome: &Outcome, status: u16| match outcome {
        Outcome::Answered(reply) if reply.status == status => reply.json().ok()?["errcode"].as_str().map(str::to_owned),
        _ => None,
    };
    let refused = |outcome: &&&Outcome| errcode(outcome, 401).as_deref() == Some("M_UNKNOWN_TOKEN");
    // A 503 without a Matrix error code comes from the ingress.
    let cannot = |outcome: &&&Outcome| errcode(outcome, 503).is_some();
    let (tries, good) = (all.len(), all.iter().filter(refused).count());
    let failed = all.iter().filter(cannot).count();
    let wanted = expected.tries();
    let few = if good < wanted { format!("; the time limit ended before {wanted} requests") } else { String::new() };
    let numbers = [good, tries - good, tries, failed].map(|number| number.to_string());
    let mut values =
        vec![("good", &*numbers[0]), ("bad", &*numbers[1]), ("tries", &*numbers[2]), ("failed", &*numbers[3])];
    let described;
    let name = match all.iter().find(|outcome| !refused(outcome)) {
        None if tries == 0 => return None,
        None => {
            values.push(("few", &few));
            "asks-mas"
        }
        Some(_) if failed > 0 => "asks-in-vain",
        Some(Outcome::Answered(reply)) => {
            described = reply.described();
            values.push(("it", &described));
            match reply.status {
                429 => "limits-requests",
                // A rate limit can look like a stopped process.
                500.. if good > 0 => "answers-sometimes",
                _ => "accepts-junk",
            }
        }
        Some(Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::NotAsked(why) | Outcome::Unusable(why)) => {
            values.push(("why", why));
            "no-answers"
        }
    };
    Some(expected.finding(name, Probe::WhoamiJunk.url(expected), &values))
}
