//! The identity providers, as MAS, Synapse and the providers themselves present them.
//!
//! `GET /upstream/authorize/<id>` only starts a login: MAS stores a session that nothing reads. A login that is *completed*
//! before the migration makes it fail: its link makes MAS's database not empty.

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

fn label(provider: &IdentityProvider) -> String {
    provider.name.as_ref().map_or_else(|| provider.idp_id.clone(), |name| format!("{name} ({})", provider.idp_id))
}

/// The decoded parameters of a URL's query and fragment.
fn parameters(location: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let parts = location.split(['?', '#', ';']).skip(1);
    parts.flat_map(|part| form_urlencoded::parse(part.as_bytes()))
}

/// An error in a URL, in the forms of various products: `error=…`, `errorCode=…`, `authError=…`, `/error`.
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
    let name = label(provider);
    match (answer.status, &answer.location) {
        (302 | 303 | 307, Some(location)) => redirected(expected, provider, url, location),
        (404, _) => Finding::blocker(code, url, format!("MAS doesn't have the identity provider {name}")).remedy(
            "MAS and Synapse must have the same providers with the same ids. Start a reconcile, and compare MAS's configuration with the spec.",
        ),
        (400, _) => Finding::blocker(code, url, format!("MAS rejects {:?} as a provider's id: it responds with {}", provider.idp_id, answer.described()))
            .remedy("MAS's ids are ULIDs. Ask Element Support; if you rename the idpId, its accounts lose their link to the provider."),
        (500, _) => Finding::blocker(code, url, format!("MAS can't start a login at {name}: it responds with {}", answer.described()))
        .remedy(format!(
            "Usually, MAS's pod can't reach the provider or doesn't trust its certificate, or the issuer differs from the provider's. Check \
             MAS's log: {} get pods, then logs",
            expected.commands.kubectl
        )),
        (502..=504, _) => Finding::unknown(code, url, format!("MAS is currently not available: its host responds with {}", answer.described()))
            .remedy(expected.look_at("MAS")),
        _ => Finding::warning(code, url, format!("MAS responds with {} instead of a redirect to {name}", answer.described()))
            .remedy(expected.look_at("MAS")),
    }
}

/// Checks the client and the redirect URI of MAS's redirect to the provider.
fn redirected(expected: &Expected, provider: &IdentityProvider, url: &str, location: &str) -> Finding {
    let code = IDP_AT_MAS;
    let name = label(provider);
    let wanted = mas_redirect_uri(expected.mas_host.as_deref().unwrap_or_default(), &provider.idp_id);
    let Some(redirect_uri) = parameter(location, "redirect_uri") else {
        let text = format!("MAS redirects to {} without a redirect URI to compare", excerpt(location));
        return Finding::unknown(code, url, text);
    };
    if redirect_uri != wanted {
        let text = format!("MAS uses the redirect URI {} for {name}, not {wanted}", excerpt(&redirect_uri));
        return Finding::blocker(code, url, text)
            .remedy("Before you migrate, find out why it differs from the guide's, and register MAS's redirect URI at the provider.");
    }
    let client = parameter(location, "client_id");
    if let (Some(ours), Some(theirs)) = (&provider.client_id, &client)
        && ours != theirs
    {
        let text = format!("for {name}, MAS uses the client {:?}, but the spec has {ours:?}", excerpt(theirs));
        return Finding::blocker(code, url, text)
            .remedy("Start a reconcile, and compare MAS's configuration with the spec.");
    }
    let client = client.map_or_else(String::new, |client| format!(" as client {}", excerpt(&client)));
    Finding::ok(code, url, format!("MAS redirects to {name}{client} with the redirect URI {wanted}"))
}

/// The URL to request at a provider: the target of MAS's redirect. It is requested once, without cookies or credentials, and
/// redirects are not followed. The error says why it is not requested.
pub fn next_at_provider(answers: &Replies, index: usize) -> Result<Uri, Option<String>> {
    let question = Question::Authorize(index);
    let Some(Outcome::Answered(Reply { status: 302 | 303 | 307, location: Some(location), .. })) =
        answers.to(&question).next()
    else {
        return Err(None);
    };
    let not_asked = |why: &str| Err(Some(format!("MAS redirects browsers to {}, {why}", excerpt(location))));
    let Ok(uri) = location.split('#').next().unwrap_or_default().parse::<Uri>() else {
        return not_asked("which is not a valid URL");
    };
    if uri.scheme_str() != Some("https") {
        return not_asked("which is not HTTPS, so it was not requested");
    }
    if uri.host().is_none_or(str::is_empty) || authority(&uri).contains('@') {
        return not_asked("which has no plain host, so it was not requested");
    }
    Ok(uri)
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map(http::uri::Authority::as_str).unwrap_or_default()
}

/// Phrases of error pages for an unregistered redirect URI, in lower case. Any status can have such a page, so no login page
/// contains these phrases.
const NOT_REGISTERED: &str = include_str!("redirect_uri_errors.txt");

fn at_provider(expected: &Expected, index: usize, uri: Option<&Uri>, outcome: &Outcome) -> Finding {
    let code = IDP_REDIRECT_URI;
    let provider = &expected.providers[index];
    let name = label(provider);
    let wanted = mas_redirect_uri(expected.mas_host.as_deref().unwrap_or_default(), &provider.idp_id);
    let subject = uri.map_or_else(|| name.clone(), |uri| format!("https://{}{}", authority(uri), uri.path()));
    let start = Question::Authorize(index).url(expected);
    let open_in_browser = format!("Open {start} in a browser on a user's network, and stop at the login page.");
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::NotAsked(why) => {
            return Finding::unknown(code, subject, why).remedy(open_in_browser);
        }
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) => {
            let text = format!("couldn't check from here whether {name} accepts the redirect URI: {why}");
            return Finding::unknown(code, subject, text).remedy(open_in_browser);
        }
    };
    let register = format!("Register {wanted} for this client at the provider, in addition to Synapse's redirect URI.");
    let lower = error_text(answer).to_lowercase();
    if NOT_REGISTERED.lines().any(|phrase| !phrase.is_empty() && lower.contains(phrase)) {
        let text = format!("{name} rejects the redirect URI {wanted}: it responds with {}", shown(answer));
        return Finding::warning(code, subject, text).remedy(register);
    }
    let location = answer.location.as_deref().unwrap_or_default();
    if let Some(error) = error_in(location) {
        let more = parameter(location, "error_description");
        let error = error + &more.map_or_else(String::new, |more| format!(" ({})", excerpt(&more)));
        let look = "Check the client's permissions at the provider: scopes, response types, users.";
        // A redirect to the redirect URI proves that it is registered.
        if location.split(['?', '#']).next() == Some(wanted.as_str()) {
            let text = format!("{name} accepts the redirect URI, but returns {error}");
            return Finding::warning(code, subject, text).remedy(look);
        }
        let text = format!(
            "{name} rejects the redirect URI {wanted} or this client: it responds with {} and {error}",
            shown(answer)
        );
        return Finding::warning(code, subject, text).remedy(format!("{register} If it is registered already: {look}"));
    }
    match answer.status {
        200..=399 => {
            let text = format!("{name} responds with {}, without an error about the redirect URI", shown(answer));
            Finding::ok(code, subject, text)
        }
        _ if lower.contains("redirect") || lower.contains("callback") => {
            let text =
                format!("{name} reports a problem with the redirect URI {wanted}: it responds with {}", shown(answer));
            Finding::warning(code, subject, text).remedy(register)
        }
        _ => {
            let text = format!("{name} responds with {} instead of its login page", shown(answer));
            Finding::unknown(code, subject, text)
                .remedy(format!("Open {start} in a browser, and stop at the login page."))
        }
    }
}

/// All text in an answer that can contain an error: the page's text, and the decoded parameters of a redirect.
fn error_text(answer: &Reply) -> String {
    let parameters = parameters(answer.location.as_deref().unwrap_or_default());
    // Google encodes its error in base64.
    let unpacked = |value: Cow<'_, str>| match URL_SAFE.decode(value.as_bytes()) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value.into_owned(),
    };
    let errors: Vec<String> = parameters.map(|(_, value)| unpacked(value)).collect();
    // Entra's page contains the error number only in a script.
    let number = String::from_utf8_lossy(&answer.body).contains("AADSTS50011").then_some("redirect_uri_mismatch");
    format!("{} {} {}", answer.whole_text(), errors.join(" "), number.unwrap_or_default())
}

/// Status and visible text.
fn shown(answer: &Reply) -> String {
    let text = answer.text();
    if answer.status >= 400 && !text.is_empty() && serde_json::from_slice::<Value>(&answer.body).is_err() {
        return format!("{} \"{text}\"", answer.status);
    }
    match &answer.location {
        // The query contains only values of this request, such as state and nonce.
        Some(location) => {
            format!(
                "{}, a redirect to {}",
                answer.status,
                excerpt(location.split(['?', '#', ';']).next().unwrap_or_default())
            )
        }
        None => answer.described(),
    }
}

/// Compares the providers that Synapse offers with the spec: `oidc-<idpId>`, or `oidc` for a provider without an id. Source:
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
        let text = format!("the spec has {}, but Synapse doesn't offer it", missing.join(", "));
        let remedy = "Start a reconcile. Accounts of a provider that Synapse doesn't have can't be migrated.";
        findings.push(Finding::warning(code, &url, text).remedy(remedy));
    }
    if !extra.is_empty() {
        let text = format!("Synapse offers {}, which is not in delegatedAuth.oidc", extra.join(", "));
        let remedy = "MAS gets only the providers in delegatedAuth.oidc. Move this one there, or check whether users depend on it (check --databases).";
        findings.push(Finding::warning(code, &url, text).remedy(remedy));
    }
    if findings.is_empty() {
        let all = Vec::from_iter(wanted).join(", ");
        let text = match offered.len() {
            0 => "Synapse offers no identity provider, and the spec has none".to_owned(),
            count => format!("Synapse offers all {count} identity providers of the spec: {all}"),
        };
        findings.push(Finding::ok(code, url, text));
    }
    findings
}
