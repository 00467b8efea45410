//! The identity providers: at MAS, at the provider itself, and as Synapse offers them.
//!
//! `GET /upstream/authorize/<id>` begins a login and ends none: MAS notes a session that nothing reads. A login that is
//! *completed* before the migration spoils it: the link it leaves makes MAS's database count as not empty.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::Uri;
use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies};
use crate::answers::http::{Outcome, Reply, excerpt};
use crate::checks::finding::{Code, Finding};
use crate::deployment::{IdentityProvider, mas_redirect_uri};

const IDP_AT_MAS: Code = "idp-at-mas";
const IDP_OFFERED: Code = "idp-offered";
const IDP_REDIRECT_URI: Code = "idp-redirect-uri";

pub(super) fn judge(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    for (index, provider) in expected.providers.iter().enumerate() {
        let question = Question::Authorize(index);
        match answers.answer(expected, &question, IDP_AT_MAS) {
            Ok(answer) => findings.push(at_mas(expected, provider, &question.url(expected), answer)),
            Err(finding) => findings.extend(finding),
        }
        for outcome in answers.to(&Question::AtProvider(index)) {
            findings.push(at_provider(expected, index, next_at_provider(answers, index).ok().as_ref(), outcome));
        }
    }
    if matches!(expected.phase, EndpointPhase::Before | EndpointPhase::Rehearsed)
        && let Ok(answer) = answers.answer(expected, &Question::LoginV3, IDP_OFFERED)
        && let Ok(flows) = answer.json()
        && answer.status == 200
    {
        findings.extend(offered(expected, &flows));
    }
}

fn called(provider: &IdentityProvider) -> String {
    provider.name.as_ref().map_or_else(|| provider.idp_id.clone(), |name| format!("{name} ({})", provider.idp_id))
}

/// The parameters of an address's query and fragment, decoded.
fn parameters(location: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let parts = location.split(['?', '#', ';']).skip(1);
    parts.flat_map(|part| form_urlencoded::parse(part.as_bytes()))
}

/// What an address says of an error, whatever a product calls it: `error=…`, `errorCode=…`, `authError=…`, `/error`.
fn error_in(location: &str) -> Option<String> {
    let address = location.split_once("://").map_or(location, |(_, rest)| rest.trim_start_matches(|c| c != '/'));
    let mut path = address.split(['?', '#', ';']).next().unwrap_or_default().split('/');
    let mut parameters = parameters(location);
    let named = parameters.find(|(key, _)| key.to_ascii_lowercase().contains("error"));
    named
        .map(|(key, value)| format!("{} {}", excerpt(&key), excerpt(&value)))
        .or_else(|| path.find(|part| part.to_ascii_lowercase().starts_with("error")).map(excerpt))
}

fn parameter(location: &str, name: &str) -> Option<String> {
    parameters(location).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn at_mas(expected: &Expected, provider: &IdentityProvider, url: &str, answer: &Reply) -> Finding {
    let code = IDP_AT_MAS;
    let name = called(provider);
    match (answer.status, &answer.location) {
        (302 | 303 | 307, Some(location)) => begun(expected, provider, url, location),
        (404, _) => Finding::blocker(code, url, format!("MAS does not know the identity provider {name}")).remedy(
            "MAS and Synapse must have the same providers under the same ids; let the deployment reconcile, and compare with its spec.",
        ),
        (400, _) => Finding::blocker(code, url, format!("MAS does not take {:?} as the id of a provider: it answers {}", provider.idp_id, answer.described()))
            .remedy("MAS's ids are ULIDs. Ask Element's support; renaming the idpId orphans the accounts that belong to it."),
        (500, _) => Finding::blocker(code, url, format!("MAS knows {name}, but cannot begin a login there: it answers {}", answer.described()))
        .remedy(format!(
            "Most often MAS's pod cannot reach the provider, does not trust its certificate, or the issuer is not the one that the provider \
             names. MAS's log tells: {} get pods, then logs",
            expected.commands.kubectl
        )),
        (502..=504, _) => Finding::unknown(code, url, format!("no MAS behind it at the moment: it answers {}", answer.described()))
            .remedy(expected.look_at("MAS")),
        _ => Finding::warning(code, url, format!("where a login at {name} begins, it answers {}", answer.described()))
            .remedy(expected.look_at("MAS")),
    }
}

/// MAS sends on to the provider: with this client and this redirect URI?
fn begun(expected: &Expected, provider: &IdentityProvider, url: &str, location: &str) -> Finding {
    let code = IDP_AT_MAS;
    let name = called(provider);
    let wanted = mas_redirect_uri(expected.mas_host.as_deref().unwrap_or_default(), &provider.idp_id);
    let Some(redirect_uri) = parameter(location, "redirect_uri") else {
        let text = format!("it sends on to {} without a redirect URI to compare", excerpt(location));
        return Finding::unknown(code, url, text);
    };
    if redirect_uri != wanted {
        let text = format!("for {name} MAS uses the redirect URI {}, not {wanted}", excerpt(&redirect_uri));
        return Finding::blocker(code, url, text)
            .remedy("Register the one that MAS uses at the provider, and find out why it differs from the guide's before you migrate.");
    }
    let client = parameter(location, "client_id");
    if let (Some(ours), Some(theirs)) = (&provider.client_id, &client)
        && ours != theirs
    {
        let text = format!("for {name} MAS uses the client {:?}, but the spec has {ours:?}", excerpt(theirs));
        return Finding::blocker(code, url, text)
            .remedy("Let the deployment reconcile, and compare MAS's configuration with the spec.");
    }
    let client = client.map_or_else(String::new, |client| format!(" as client {}", excerpt(&client)));
    Finding::ok(code, url, format!("MAS sends on to {name}{client} with the redirect URI {wanted}"))
}

/// The one address to ask at a provider: where MAS sends browsers. It is asked once, without any cookie or credential, and
/// what it answers is not followed. An error says why it is not asked.
pub fn next_at_provider(answers: &Replies, index: usize) -> Result<Uri, Option<String>> {
    let question = Question::Authorize(index);
    let Some(Outcome::Answered(Reply { status: 302 | 303 | 307, location: Some(location), .. })) =
        answers.to(&question).next()
    else {
        return Err(None);
    };
    let not_asked = |why: &str| Err(Some(format!("MAS sends browsers to {}, {why}", excerpt(location))));
    let Ok(uri) = location.split('#').next().unwrap_or_default().parse::<Uri>() else {
        return not_asked("which is not an address");
    };
    if uri.scheme_str() != Some("https") {
        return not_asked("which is not HTTPS, so it was not asked");
    }
    if uri.host().is_none_or(str::is_empty) || authority(&uri).contains('@') {
        return not_asked("which names no host alone, so it was not asked");
    }
    Ok(uri)
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map(http::uri::Authority::as_str).unwrap_or_default()
}

/// What products write on the page that they show for a redirect URI that is not registered, in lower case. Pages come with
/// any status, so these are phrases that no login page has.
const NOT_REGISTERED: &str = include_str!("redirect_uri_errors.txt");

fn at_provider(expected: &Expected, index: usize, uri: Option<&Uri>, outcome: &Outcome) -> Finding {
    let code = IDP_REDIRECT_URI;
    let provider = &expected.providers[index];
    let name = called(provider);
    let wanted = mas_redirect_uri(expected.mas_host.as_deref().unwrap_or_default(), &provider.idp_id);
    let subject = uri.map_or_else(|| name.clone(), |uri| format!("https://{}{}", authority(uri), uri.path()));
    let start = Question::Authorize(index).url(expected);
    let open_where_users_are =
        format!("Open {start} in a browser where users are, and go no further than the login page.");
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::NotAsked(why) => {
            return Finding::unknown(code, subject, why).remedy(open_where_users_are);
        }
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) => {
            let text = format!("whether {name} knows the redirect URI could not be asked from here: {why}");
            return Finding::unknown(code, subject, text).remedy(open_where_users_are);
        }
    };
    let register = format!("Register {wanted} there for this client, beside Synapse's.");
    let said = said(answer);
    let lower = said.to_lowercase();
    if NOT_REGISTERED.lines().any(|phrase| !phrase.is_empty() && lower.contains(phrase)) {
        let text = format!("{name} does not know the redirect URI {wanted}: it answers {}", shown(answer));
        return Finding::warning(code, subject, text).remedy(register);
    }
    let location = answer.location.as_deref().unwrap_or_default();
    if let Some(error) = error_in(location) {
        let more = parameter(location, "error_description");
        let error = error + &more.map_or_else(String::new, |more| format!(" ({})", excerpt(&more)));
        let look = "Look at what this client may do at the provider: scopes, response types, users.";
        // It sends back to the redirect URI, so it knows that one; what is wrong is something else.
        if location.split(['?', '#']).next() == Some(wanted.as_str()) {
            let text = format!("{name} knows the redirect URI, but sends back {error}");
            return Finding::warning(code, subject, text).remedy(look);
        }
        let text = format!(
            "{name} refuses the redirect URI {wanted} or this client: it answers {} with {error}",
            shown(answer)
        );
        return Finding::warning(code, subject, text).remedy(format!("{register} If it is registered: {look}"));
    }
    match answer.status {
        200..=399 => {
            let text = format!("{name} answers {}, and does not complain about the redirect URI", shown(answer));
            Finding::ok(code, subject, text)
        }
        _ if lower.contains("redirect") || lower.contains("callback") => {
            let text = format!("{name} complains about the redirect URI {wanted}: it answers {}", shown(answer));
            Finding::warning(code, subject, text).remedy(register)
        }
        _ => {
            let text = format!("where {name} should show its login page, it answers {}", shown(answer));
            Finding::unknown(code, subject, text)
                .remedy(format!("Open {start} in a browser, and go no further than the login page."))
        }
    }
}

/// Everything in an answer that may hold an error: the text of the page, and the address that it sends on to, decoded.
fn said(answer: &Reply) -> String {
    let parameters = parameters(answer.location.as_deref().unwrap_or_default());
    // Google packs its error.
    let unpacked = |value: Cow<'_, str>| match URL_SAFE.decode(value.as_bytes()) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value.into_owned(),
    };
    let errors: Vec<String> = parameters.map(|(_, value)| unpacked(value)).collect();
    // Entra's page holds its number in a script.
    let number = String::from_utf8_lossy(&answer.body).contains("AADSTS50011").then_some("redirect_uri_mismatch");
    format!("{} {} {}", answer.whole_text(), errors.join(" "), number.unwrap_or_default())
}

/// Status and the words that a person would see.
fn shown(answer: &Reply) -> String {
    let text = answer.text();
    if answer.status >= 400 && !text.is_empty() && serde_json::from_slice::<Value>(&answer.body).is_err() {
        return format!("{} \"{text}\"", answer.status);
    }
    match &answer.location {
        // Its query may carry states and nonces of a login that nobody makes.
        Some(location) => {
            format!(
                "{}, sending on to {}",
                answer.status,
                excerpt(location.split(['?', '#', ';']).next().unwrap_or_default())
            )
        }
        None => answer.described(),
    }
}

/// Compares what Synapse offers with the spec: `oidc-<idpId>`, or `oidc` for a provider without an id of its own. Source:
/// Synapse, `synapse/config/oidc.py`, and the recordings.
fn offered(expected: &Expected, flows: &Value) -> Vec<Finding> {
    let url = Question::LoginV3.url(expected);
    let code = IDP_OFFERED;
    let all = flows["flows"].as_array().into_iter().flatten();
    let offered: BTreeSet<&str> = all
        .filter(|flow| flow["type"] == "m.login.sso")
        .flat_map(|flow| flow["identity_providers"].as_array().into_iter().flatten())
        .filter_map(|one| one["id"].as_str())
        .collect();
    let known = expected.providers.iter().filter(|one| !one.idp_id.is_empty());
    let wanted: BTreeSet<String> = known.map(|one| format!("oidc-{}", one.idp_id)).collect();
    let mut findings = Vec::new();
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|id| !offered.contains(id)).collect();
    let extra: Vec<String> = offered.iter().filter(|id| !wanted.contains(**id)).map(|id| excerpt(id)).collect();
    if !missing.is_empty() {
        let text = format!("the spec has {}, but Synapse does not offer it", missing.join(", "));
        let remedy = "Let the deployment reconcile. Accounts that belong to a provider which Synapse does not have cannot be migrated.";
        findings.push(Finding::warning(code, &url, text).remedy(remedy));
    }
    if !extra.is_empty() {
        let text = format!("Synapse offers {}, which is not in delegatedAuth.oidc of the spec", extra.join(", "));
        let remedy = "MAS is told of the providers in delegatedAuth.oidc only. Move this one there, or find out whether anybody uses it (check --databases).";
        findings.push(Finding::warning(code, &url, text).remedy(remedy));
    }
    if findings.is_empty() {
        let all = Vec::from_iter(wanted).join(", ");
        let text = match offered.len() {
            0 => "Synapse offers no identity provider, as the spec has none".to_owned(),
            count => format!("Synapse offers the {count} of the spec: {all}"),
        };
        findings.push(Finding::ok(code, url, text));
    }
    findings
}
