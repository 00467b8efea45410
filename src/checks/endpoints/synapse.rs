//! Synapse's host, before and after. Source: Synapse, `synapse/rest/client/auth_metadata.py` and `login.py`; MSC3861, MSC3824;
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
            let why_so = if migrating { ", as is to be expected while it migrates" } else { "" };
            let text = format!("Synapse cannot be reached from here{why_so}: {why}");
            let remedy = format!("Look where users are. {}", expected.another_way(host));
            findings.push(Finding::warning(SYNAPSE_REACHABLE, home, text).remedy(remedy));
            return;
        }
        Reached::Yes => {}
    }
    findings.extend(answers.judge(expected, &Question::Versions, SYNAPSE_REACHABLE, versions));
    match expected.phase {
        EndpointPhase::Before | EndpointPhase::Rehearsed => before(expected, answers, findings),
        // What answers in between says nothing.
        EndpointPhase::Migrating => {}
        EndpointPhase::Active => after(expected, answers, findings),
    }
}

fn versions(expected: &Expected, url: String, answer: &Reply) -> Finding {
    let code = SYNAPSE_REACHABLE;
    if answer.status == 200 && answer.json().is_ok_and(|document| document["versions"].is_array()) {
        return Finding::ok(code, url, "Synapse answers");
    }
    let text = format!("Synapse does not answer there: {}", answer.described());
    match expected.phase {
        EndpointPhase::Migrating => {
            Finding::warning(code, url, format!("{text}; it is stopped while the operator migrates"))
        }
        _ => Finding::blocker(code, url, text).remedy(expected.look_at("Synapse")),
    }
}

fn before(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    let code = SYNAPSE_AUTH_METADATA;
    findings.extend(answers.judge(expected, &Question::AuthMetadata, code, |_, url, answer| {
        match (answer.status, answer.json()) {
            (404, _) => {
                Finding::ok(code, url, "Synapse does not speak of MAS yet, as it should be before the migration")
            }
            (200, Ok(document)) => {
                let issuer = document["issuer"].as_str().map_or_else(|| "another service".to_owned(), excerpt);
                Finding::blocker(code, url, format!("Synapse delegates to {issuer} already, but mas_active is not true"))
                    .remedy("Find out who set that up (synapse.config.additional); a deployment that delegates already is not migrated this way.")
            }
            _ => {
                let text = format!("where 404 is right before the migration, it answers {}", answer.described());
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
                "requests for a login go to MAS already, where nobody can log in before the migration",
            )
            .remedy("Look at the paths of the ingress of Synapse's host; they must lead to Synapse until the migration is done."),
            (200, Ok(flows)) if flows["flows"].is_array() => {
                Finding::ok(code, url, format!("logins are Synapse's: {}", types(&flows)))
            }
            (200, Err(instead)) => Finding::blocker(code, url, format!("it answers {instead}")).remedy(expected.look_at("Synapse")),
            _ => Finding::warning(code, url, format!("how clients log in cannot be seen: it answers {}", answer.described()))
                .remedy(expected.look_at("Synapse")),
        }
    }));
}

pub(super) fn types(flows: &Value) -> String {
    let all = flows["flows"].as_array().into_iter().flatten();
    let types: Vec<String> = all.filter_map(|flow| flow["type"].as_str()).map(excerpt).collect();
    if types.is_empty() { "none".to_owned() } else { types.join(", ") }
}

/// The sign of MSC3824, under the names that releases of MAS have for it.
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

/// Clients compare the issuer byte for byte; a slash more or less and they do not log in (MAS issue 2800).
fn auth_metadata(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    let code = SYNAPSE_AUTH_METADATA;
    // Synapse older than 1.138 knows the unstable name only.
    let status = |question| answers.answer(expected, question, code).ok().map(|answer| answer.status);
    let is_old = status(&Question::AuthMetadata) == Some(404)
        && status(&Question::AuthMetadataUnstable).is_some_and(|status| status != 404);
    let question = if is_old { Question::AuthMetadataUnstable } else { Question::AuthMetadata };
    findings.extend(answers.judge(expected, &question, code, |_, url, answer| {
        let document = match (answer.status, answer.document()) {
            (_, Ok(document)) => document,
            (404, Err(_)) if answer.json().is_ok() => {
                return Finding::blocker(code, url, "Synapse does not speak of MAS, although mas_active is true")
                    .remedy(expected.look_at("Synapse"));
            }
            (_, Err(instead)) => {
                return Finding::blocker(code, url, format!("it answers {instead}")).remedy(expected.look_at("Synapse"));
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
            None => Finding::unknown(code, url, "there is no issuer of MAS to compare with"),
            Some(wanted) if wanted == named => {
                let like = if discovered.is_some() { ", byte for byte as MAS's own discovery" } else { "" };
                Finding::ok(code, url, format!("Synapse names the issuer {wanted}{like}"))
            }
            Some(wanted) => Finding::blocker(
                code,
                url,
                format!("Synapse names the issuer {:?}, MAS {wanted:?}: clients refuse to log in unless they are equal", excerpt(named)),
            )
            .remedy("Ask Element's support; both follow from the host of MAS in the spec. Synapse's answer may be cached for up to an hour."),
        }
    }));
}

fn login_after(expected: &Expected, url: String, answer: &Reply) -> Finding {
    let code = SYNAPSE_LOGIN;
    match (answer.status, answer.json()) {
        (200, Ok(flows)) if delegates(&flows) => {
            Finding::ok(code, url, "clients of before are told that MAS does the logins")
        }
        (200, Ok(flows)) => Finding::blocker(code, url, format!("logins are not MAS's: {}", types(&flows)))
            .remedy("Look at the paths of the ingress of Synapse's host: login, logout and refresh must lead to MAS."),
        (404, Ok(_)) => Finding::blocker(code, url, "the request comes to Synapse, which no longer knows logins; it has to lead to MAS")
            .remedy(format!(
                "Look at the paths of the ingress of Synapse's host: login, logout and refresh must lead to MAS. {} get ingresses -o yaml",
                expected.commands.kubectl
            )),
        (_, answered) => {
            let instead = answered.err().unwrap_or_else(|| answer.described());
            Finding::blocker(code, url, format!("it answers {instead}")).remedy(expected.look_at("Synapse"))
        }
    }
}

/// A made-up token makes every process of Synapse ask MAS: 401 if MAS answered, 503 if it could not be asked.
fn asks_mas(expected: &Expected, answers: &Replies) -> Option<Finding> {
    let code = SYNAPSE_ASKS_MAS;
    let url = Question::WhoamiJunk.url(expected);
    let all: Vec<&Outcome> = answers.to(&Question::WhoamiJunk).collect();
    let errcode = |answer: &Reply| answer.json().ok().and_then(|body| body["errcode"].as_str().map(str::to_owned));
    let refused = |outcome: &Outcome| {
        matches!(outcome, Outcome::Answered(answer) if answer.status == 401
            && errcode(answer).is_some_and(|errcode| errcode == "M_UNKNOWN_TOKEN"))
    };
    // A 503 without Matrix's error code is the ingress's own.
    let cannot = |outcome: &Outcome| matches!(outcome, Outcome::Answered(answer) if answer.status == 503 && errcode(answer).is_some());
    let tries = all.len();
    let good = all.iter().filter(|outcome| refused(outcome)).count();
    let failed = all.iter().filter(|outcome| cannot(outcome)).count();
    if tries > 0 && good == tries {
        let wanted = expected.tries();
        let few = if good < wanted { format!("; time was up before {wanted} tries") } else { String::new() };
        let text = format!("Synapse asks MAS about tokens: {good} of {good} made-up ones were refused{few}");
        return Some(Finding::ok(code, url, text));
    }
    if failed > 0 {
        let text = format!("Synapse cannot ask MAS about tokens: {failed} of {tries} tries were answered with 503");
        let remedy = format!(
            "Workers restart one after the other, so look again in a minute. If it stays: is MAS up, and may Synapse's pods reach it? {} get pods",
            expected.commands.kubectl
        );
        return Some(Finding::blocker(code, url, text).remedy(remedy));
    }
    Some(match all.iter().find(|outcome| !refused(outcome))? {
        Outcome::Answered(answer) if answer.status == 429 => {
            let text = format!("something limits requests after {good} of {tries} tries: {}", answer.described());
            Finding::unknown(code, url, text)
        }
        Outcome::Answered(answer) => {
            let answer_is = answer.described();
            let text = format!("where 401 M_UNKNOWN_TOKEN is right for a made-up token, it answers {answer_is}");
            // A limit on requests looks the same as a process that is down.
            let finding = if good > 0 && answer.status >= 500 {
                Finding::warning(code, url, format!("{text} ({} of {tries} tries)", tries - good))
            } else {
                Finding::blocker(code, url, text)
            };
            finding.remedy(expected.look_at("Synapse"))
        }
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::NotAsked(why) | Outcome::Unusable(why) => {
            Finding::unknown(code, url, format!("{} of {tries} tries had no answer: {why}", tries - good))
        }
    })
}
