//! Synapse's host before and after the migration. Source: Synapse, `synapse/rest/client/auth_metadata.py` and `login.py`; MSC3861, MSC3824;
//! recorded answers in `tests/recordings/http`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies, Server};
use crate::answers::http::{Outcome, Reached, Reply, excerpt};
use crate::checks::finding::{Code, Finding, Topic};

const SYNAPSE_REACHABLE: Code = "synapse-reachable";
const SYNAPSE_AUTH_METADATA: Code = "synapse-auth-metadata";
const SYNAPSE_LOGIN: Code = "synapse-login";
const SYNAPSE_ASKS_MAS: Code = "synapse-asks-mas";

pub(super) fn judge(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    let Some(host) = &expected.synapse_host else { return };
    let home = format!("https://{host}/");
    match answers.reached(Server::Synapse) {
        Reached::NotAsked => return,
        Reached::No(why) => {
            let migrating = expected.phase == EndpointPhase::Migrating;
            let why_so = if migrating { ", as expected during the migration" } else { "" };
            let text = format!("Synapse can't be reached from here{why_so}: {why}");
            let remedy = format!("Open the address on a user's network. {}", expected.another_way(host));
            return findings.push(Finding::warning(SYNAPSE_REACHABLE, home, text).remedy(remedy));
        }
        Reached::Yes => {}
    }
    findings.extend(answers.judge(expected, &Question::Versions, SYNAPSE_REACHABLE, versions));
    match expected.phase {
        EndpointPhase::Before | EndpointPhase::Rehearsed => before(expected, answers, findings),
        // Answers during the migration say nothing.
        EndpointPhase::Migrating => {}
        EndpointPhase::Active => {
            findings.extend(auth_metadata(expected, answers));
            let logins = [Question::LoginV3, Question::LoginR0];
            findings
                .extend(logins.iter().filter_map(|login| answers.judge(expected, login, SYNAPSE_LOGIN, login_after)));
            findings.extend(asks_mas(expected, answers));
        }
    }
}

fn versions(expected: &Expected, at: Topic, answer: &Reply) -> Finding {
    if answer.status == 200 && answer.json().is_ok_and(|document| document["versions"].is_array()) {
        return at.ok("Synapse responds");
    }
    let text = format!("Synapse doesn't respond as expected: its host responds with {}", answer.described());
    match expected.phase {
        EndpointPhase::Migrating => at.warning(format!("{text}; the operator stops Synapse during the migration")),
        _ => at.blocker(text).remedy(expected.look_at("Synapse")),
    }
}

fn before(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    findings.extend(answers.judge(expected, &Question::AuthMetadata, SYNAPSE_AUTH_METADATA, |_, at, answer| {
        match (answer.status, answer.json()) {
            (404, _) => {
                at.ok("Synapse has no auth metadata, as expected before the migration")
            }
            (200, Ok(document)) => {
                let issuer = document["issuer"].as_str().map_or_else(|| "another service".to_owned(), excerpt);
                at.blocker(format!("Synapse already delegates logins to {issuer}, but mas_active is not true"))
                    .remedy("Find its source (synapse.config.additional). A deployment that already delegates logins can't be migrated in this way.")
            }
            _ => {
                let text = format!("Synapse responds with {} instead of 404, which is expected before the migration", answer.described());
                at.warning(text)
            }
        }
    }));
    findings.extend(answers.judge(expected, &Question::LoginV3, SYNAPSE_LOGIN, |_, at, answer| {
        match (answer.status, answer.json()) {
            (200, Ok(flows)) if delegates(&flows) => at.blocker("login requests are already routed to MAS, where nobody can log in before the migration",
            )
            .remedy("Check the paths of the ingress of Synapse's host; until the migration is complete, they must point to Synapse."),
            (200, Ok(flows)) if flows["flows"].is_array() => {
                at.ok(format!("Synapse handles logins: {}", types(&flows)))
            }
            (200, Err(instead)) => at.blocker(format!("Synapse responds with {instead}")).remedy(expected.look_at("Synapse")),
            _ => at.warning(format!("the ways to log in couldn't be determined: Synapse responds with {}", answer.described()))
                .remedy(expected.look_at("Synapse")),
        }
    }));
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
fn auth_metadata(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let code = SYNAPSE_AUTH_METADATA;
    // Synapse before 1.138 has only the unstable name.
    let status = |question| answers.answer(expected, question, code).ok().map(|answer| answer.status);
    let is_old = status(&Question::AuthMetadata) == Some(404)
        && status(&Question::AuthMetadataUnstable).is_some_and(|status| status != 404);
    let question = if is_old { Question::AuthMetadataUnstable } else { Question::AuthMetadata };
    answers.judge(expected, &question, code, |_, at, answer| {
        let document = match (answer.status, answer.document()) {
            (_, Ok(document)) => document,
            (status, Err(instead)) => {
                let finding = if status == 404 && answer.json().is_ok() {
                    at.blocker("Synapse has no auth metadata, although mas_active is true")
                } else {
                    at.blocker(format!("Synapse responds with {instead}"))
                };
                return finding.remedy(expected.look_at("Synapse"));
            }
        };
        let discovery = answers.answer(expected, &Question::Discovery, code).ok().and_then(|answer| answer.json().ok());
        let discovered = discovery.as_ref().and_then(|document| document["issuer"].as_str());
        let by_host = expected.mas_host.as_ref().map(|host| format!("https://{host}/"));
        let named = document["issuer"].as_str().unwrap_or_default();
        match discovered.or(by_host.as_deref()) {
            None => at.unknown("MAS's issuer is unknown, so Synapse's can't be compared"),
            Some(wanted) if wanted == named => {
                let like = if discovered.is_some() { ", identical to MAS's discovery document" } else { "" };
                at.ok(format!("Synapse has the issuer {wanted}{like}"))
            }
            Some(wanted) => {
                let named = excerpt(named);
                let text = format!("Synapse has the issuer {named:?}, but MAS has {wanted:?}; clients can't log in unless they are equal");
                at.blocker(text).remedy("Synapse's response can be cached for up to an hour. If it persists, ask Element Support; both values come from MAS's host in the spec.")
            }
        }
    })
}

fn login_after(expected: &Expected, at: Topic, answer: &Reply) -> Finding {
    match (answer.status, answer.json()) {
        (200, Ok(flows)) if delegates(&flows) => {
            at.ok("MAS handles logins, and existing clients can detect it")
        }
        (200, Ok(flows)) => at.blocker(format!("MAS doesn't handle logins: {}", types(&flows)))
            .remedy("Check the paths of the ingress of Synapse's host: login, logout and refresh must point to MAS."),
        (404, Ok(_)) => at.blocker("the request reaches Synapse, which no longer handles logins, instead of MAS")
            .remedy(format!(
                "Check the paths of the ingress of Synapse's host: login, logout and refresh must point to MAS. {} get ingresses -o yaml",
                expected.commands.kubectl
            )),
        (_, answered) => {
            let instead = answered.err().unwrap_or_else(|| answer.described());
            at.blocker(format!("the host responds with {instead}")).remedy(expected.look_at("Synapse"))
        }
    }
}

/// An invalid token makes a process of Synapse ask MAS: 401 if MAS responds, 503 if it can't be reached.
fn asks_mas(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let at = Question::WhoamiJunk.topic(expected, SYNAPSE_ASKS_MAS);
    let all: Vec<&Outcome> = answers.to(&Question::WhoamiJunk).collect();
    let errcode = |answer: &Reply| answer.json().ok().and_then(|body| body["errcode"].as_str().map(str::to_owned));
    let refused = |outcome: &Outcome| {
        matches!(outcome, Outcome::Answered(answer) if answer.status == 401
            && errcode(answer).is_some_and(|errcode| errcode == "M_UNKNOWN_TOKEN"))
    };
    // A 503 without a Matrix error code comes from the ingress.
    let cannot = |outcome: &Outcome| matches!(outcome, Outcome::Answered(answer) if answer.status == 503 && errcode(answer).is_some());
    let tries = all.len();
    let good = all.iter().filter(|outcome| refused(outcome)).count();
    let failed = all.iter().filter(|outcome| cannot(outcome)).count();
    if tries > 0 && good == tries {
        let wanted = expected.tries();
        let few =
            if good < wanted { format!("; the time limit ended before {wanted} requests") } else { String::new() };
        let text = format!("Synapse validates tokens with MAS: {good} of {good} invalid tokens were rejected{few}");
        return Some(at.ok(text));
    }
    if failed > 0 {
        let text = format!("Synapse can't validate tokens with MAS: {failed} of {tries} requests got 503");
        let remedy = format!(
            "Workers restart one by one, so check again in a minute. If it persists, check that MAS is running and reachable from Synapse's pods: {} get pods",
            expected.commands.kubectl
        );
        return Some(at.blocker(text).remedy(remedy));
    }
    Some(match all.iter().find(|outcome| !refused(outcome))? {
        Outcome::Answered(answer) if answer.status == 429 => {
            let text = format!("the host limits requests after {good} of {tries}: {}", answer.described());
            at.unknown(text)
        }
        Outcome::Answered(answer) => {
            let answer_is = answer.described();
            let text = format!("Synapse responds with {answer_is} instead of 401 M_UNKNOWN_TOKEN to an invalid token");
            // A rate limit can look like a stopped process.
            let finding = if good > 0 && answer.status >= 500 {
                at.warning(format!("{text} ({} of {tries} requests)", tries - good))
            } else {
                at.blocker(text)
            };
            finding.remedy(expected.look_at("Synapse"))
        }
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::NotAsked(why) | Outcome::Unusable(why) => {
            at.unknown(format!("{} of {tries} requests got no answer: {why}", tries - good))
        }
    })
}
