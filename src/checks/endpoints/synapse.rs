//! Synapse's host before and after the migration. Source: Synapse, `synapse/rest/client/auth_metadata.py` and `login.py`; MSC3861, MSC3824;
//! recorded answers in `tests/recordings/http`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies, Server};
use crate::answers::http::{Outcome, Reached, Reply, excerpt};
use crate::checks::finding::{Code, Finding};

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
            findings.push(Finding::warning(SYNAPSE_REACHABLE, home, text).remedy(remedy));
            return;
        }
        Reached::Yes => {}
    }
    findings.extend(answers.judge(expected, &Question::Versions, SYNAPSE_REACHABLE, versions));
    match expected.phase {
        EndpointPhase::Before | EndpointPhase::Rehearsed => before(expected, answers, findings),
        // Answers during the migration say nothing.
        EndpointPhase::Migrating => {}
        EndpointPhase::Active => after(expected, answers, findings),
    }
}

fn versions(expected: &Expected, url: String, answer: &Reply) -> Finding {
    let code = SYNAPSE_REACHABLE;
    if answer.status == 200 && answer.json().is_ok_and(|document| document["versions"].is_array()) {
        return Finding::ok(code, url, "Synapse responds");
    }
    let text = format!("Synapse doesn't respond as expected: its host responds with {}", answer.described());
    match expected.phase {
        EndpointPhase::Migrating => {
            Finding::warning(code, url, format!("{text}; the operator stops Synapse during the migration"))
        }
        _ => Finding::blocker(code, url, text).remedy(expected.look_at("Synapse")),
    }
}

fn before(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    let code = SYNAPSE_AUTH_METADATA;
    findings.extend(answers.judge(expected, &Question::AuthMetadata, code, |_, url, answer| {
        match (answer.status, answer.json()) {
            (404, _) => {
                Finding::ok(code, url, "Synapse has no auth metadata, as expected before the migration")
            }
            (200, Ok(document)) => {
                let issuer = document["issuer"].as_str().map_or_else(|| "another service".to_owned(), excerpt);
                Finding::blocker(code, url, format!("Synapse already delegates logins to {issuer}, but mas_active is not true"))
                    .remedy("Find its source (synapse.config.additional). A deployment that already delegates logins can't be migrated in this way.")
            }
            _ => {
                let text = format!("Synapse responds with {} instead of 404, which is expected before the migration", answer.described());
                Finding::warning(code, url, text)
            }
        }
    }));
    let code = SYNAPSE_LOGIN;
    findings.extend(answers.judge(expected, &Question::LoginV3, code, |_, url, answer| {
        match (answer.status, answer.json()) {
            (200, Ok(flows)) if delegates(&flows) => Finding::blocker(
                code,
                url,
                "login requests are already routed to MAS, where nobody can log in before the migration",
            )
            .remedy("Check the paths of the ingress of Synapse's host; until the migration is complete, they must point to Synapse."),
            (200, Ok(flows)) if flows["flows"].is_array() => {
                Finding::ok(code, url, format!("Synapse handles logins: {}", types(&flows)))
            }
            (200, Err(instead)) => Finding::blocker(code, url, format!("Synapse responds with {instead}")).remedy(expected.look_at("Synapse")),
            _ => Finding::warning(code, url, format!("the ways to log in couldn't be determined: Synapse responds with {}", answer.described()))
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

fn after(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    auth_metadata(expected, answers, findings);
    for question in [Question::LoginV3, Question::LoginR0] {
        findings.extend(answers.judge(expected, &question, SYNAPSE_LOGIN, login_after));
    }
    findings.extend(asks_mas(expected, answers));
}

/// Clients compare the issuer byte for byte, including the trailing slash (MAS issue 2800).
fn auth_metadata(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    let code = SYNAPSE_AUTH_METADATA;
    // Synapse before 1.138 has only the unstable name.
    let status = |question| answers.answer(expected, question, code).ok().map(|answer| answer.status);
    let is_old = status(&Question::AuthMetadata) == Some(404)
        && status(&Question::AuthMetadataUnstable).is_some_and(|status| status != 404);
    let question = if is_old { Question::AuthMetadataUnstable } else { Question::AuthMetadata };
    findings.extend(answers.judge(expected, &question, code, |_, url, answer| {
        let document = match (answer.status, answer.document()) {
            (_, Ok(document)) => document,
            (404, Err(_)) if answer.json().is_ok() => {
                return Finding::blocker(code, url, "Synapse has no auth metadata, although mas_active is true")
                    .remedy(expected.look_at("Synapse"));
            }
            (_, Err(instead)) => {
                return Finding::blocker(code, url, format!("Synapse responds with {instead}")).remedy(expected.look_at("Synapse"));
            }
        };
        let discovered = answers
            .answer(expected, &Question::Discovery, code)
            .ok()
            .and_then(|answer| answer.json().ok())
            .and_then(|document| document["issuer"].as_str().map(str::to_owned));
        let by_host = expected.mas_host.as_ref().map(|host| format!("https://{host}/"));
        let named = document["issuer"].as_str().unwrap_or_default();
        match discovered.clone().or(by_host) {
            None => Finding::unknown(code, url, "MAS's issuer is unknown, so Synapse's can't be compared"),
            Some(wanted) if wanted == named => {
                let like = if discovered.is_some() { ", identical to MAS's discovery document" } else { "" };
                Finding::ok(code, url, format!("Synapse has the issuer {wanted}{like}"))
            }
            Some(wanted) => Finding::blocker(
                code,
                url,
                format!("Synapse has the issuer {:?}, but MAS has {wanted:?}; clients can't log in unless they are equal", excerpt(named)),
            )
            .remedy("Synapse's response can be cached for up to an hour. If it persists, ask Element Support; both values come from MAS's host in the spec."),
        }
    }));
}

fn login_after(expected: &Expected, url: String, answer: &Reply) -> Finding {
    let code = SYNAPSE_LOGIN;
    match (answer.status, answer.json()) {
        (200, Ok(flows)) if delegates(&flows) => {
            Finding::ok(code, url, "MAS handles logins, and existing clients can detect it")
        }
        (200, Ok(flows)) => Finding::blocker(code, url, format!("MAS doesn't handle logins: {}", types(&flows)))
            .remedy("Check the paths of the ingress of Synapse's host: login, logout and refresh must point to MAS."),
        (404, Ok(_)) => Finding::blocker(code, url, "the request reaches Synapse, which no longer handles logins, instead of MAS")
            .remedy(format!(
                "Check the paths of the ingress of Synapse's host: login, logout and refresh must point to MAS. {} get ingresses -o yaml",
                expected.commands.kubectl
            )),
        (_, answered) => {
            let instead = answered.err().unwrap_or_else(|| answer.described());
            Finding::blocker(code, url, format!("the host responds with {instead}")).remedy(expected.look_at("Synapse"))
        }
    }
}

/// An invalid token makes a process of Synapse ask MAS: 401 if MAS responds, 503 if it can't be reached.
fn asks_mas(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let code = SYNAPSE_ASKS_MAS;
    let url = Question::WhoamiJunk.url(expected);
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
        return Some(Finding::ok(code, url, text));
    }
    if failed > 0 {
        let text = format!("Synapse can't validate tokens with MAS: {failed} of {tries} requests got 503");
        let remedy = format!(
            "Workers restart one by one, so check again in a minute. If it persists, check that MAS is running and reachable from Synapse's pods: {} get pods",
            expected.commands.kubectl
        );
        return Some(Finding::blocker(code, url, text).remedy(remedy));
    }
    Some(match all.iter().find(|outcome| !refused(outcome))? {
        Outcome::Answered(answer) if answer.status == 429 => {
            let text = format!("the host limits requests after {good} of {tries}: {}", answer.described());
            Finding::unknown(code, url, text)
        }
        Outcome::Answered(answer) => {
            let answer_is = answer.described();
            let text = format!("Synapse responds with {answer_is} instead of 401 M_UNKNOWN_TOKEN to an invalid token");
            // A rate limit can look like a stopped process.
            let finding = if good > 0 && answer.status >= 500 {
                Finding::warning(code, url, format!("{text} ({} of {tries} requests)", tries - good))
            } else {
                Finding::blocker(code, url, text)
            };
            finding.remedy(expected.look_at("Synapse"))
        }
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::NotAsked(why) | Outcome::Unusable(why) => {
            Finding::unknown(code, url, format!("{} of {tries} requests got no answer: {why}", tries - good))
        }
    })
}
