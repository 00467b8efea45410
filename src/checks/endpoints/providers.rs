//! The identity providers, as MAS, Synapse and the providers themselves present them.
//!
//! `GET /upstream/authorize/<ID>` only starts a login: MAS stores a session that nothing reads. A login that is *completed*
//! before the migration makes it fail: its link makes MAS's database not empty.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::Uri;
use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::probe::{Exchange, Probe, Replies};
use crate::answers::http::{Outcome, Reply, excerpt};
use crate::checks::finding::Finding;
use crate::deployment::{IdentityProvider, mas_redirect_uri};

pub(super) fn judge(expected: &Expected, replies: &Replies, findings: &mut Vec<Finding>) {
    for (index, provider) in expected.providers.iter().enumerate() {
        let authorize = Probe::Authorize(index);
        findings.extend(replies.judge(expected, &authorize, "idp-at-mas", |at| at_mas(at, provider)));
        for outcome in replies.to(&Probe::AtProvider(index)) {
            findings.push(at_provider(expected, index, next_at_provider(replies, index).ok().as_ref(), outcome));
        }
    }
    if matches!(expected.phase, EndpointPhase::Before | EndpointPhase::Deployed)
        && let Ok(reply) = replies.reply(expected, &Probe::LoginV3, "idp-offered")
        && reply.status == 200
        && let Ok(flows) = reply.json()
    {
        findings.extend(offered(&Exchange { expected, url: Probe::LoginV3.url(expected), reply }, &flows));
    }
}

/// Compares the providers that Synapse offers with the spec: `oidc-<idpId>`, or `oidc` for a provider without an ID. Source:
/// Synapse, `synapse/config/oidc.py`, and the recordings.
fn offered(at: &Exchange, flows: &Value) -> Vec<Finding> {
    let sso = flows["flows"].as_array().into_iter().flatten().filter(|flow| flow["type"] == "m.login.sso");
    let providers = sso.flat_map(|flow| flow["identity_providers"].as_array().into_iter().flatten());
    let offered: BTreeSet<String> = providers.filter_map(|one| one["id"].as_str()).map(excerpt).collect();
    let known = at.expected.providers.iter().filter(|one| !one.idp_id.is_empty());
    let wanted: BTreeSet<String> = known.map(|one| format!("oidc-{}", one.idp_id)).collect();
    let list = |ids: Vec<&String>| ids.into_iter().cloned().collect::<Vec<_>>().join(", ");
    let (missing, extra) = (list(wanted.difference(&offered).collect()), list(offered.difference(&wanted).collect()));
    let mut findings = Vec::new();
    for (name, ids) in [("idp-not-offered", missing), ("idp-not-in-spec", extra)] {
        findings.extend((!ids.is_empty()).then(|| at.finding(name, &[("ids", &ids)])));
    }
    if findings.is_empty() {
        let name = if offered.is_empty() { "idp-none-offered" } else { "idp-offered" };
        findings.push(at.finding(name, &[("ids", &list(wanted.iter().collect()))]));
    }
    findings
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
    let is_error = |key: &str| key.contains("error") || key.starts_with("err");
    let named = parameters.find(|(key, _)| is_error(&key.to_ascii_lowercase()));
    let has_word = |part: &&str| part.to_ascii_lowercase().split(['-', '_', '.']).any(|word| word.starts_with("error"));
    named
        .map(|(key, value)| format!("{} {}", excerpt(&key), excerpt(&value)))
        .or_else(|| path.find(has_word).map(excerpt))
}

fn parameter(location: &str, name: &str) -> Option<String> {
    parameters(location).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn at_mas(at: &Exchange, provider: &IdentityProvider) -> Finding {
    let name = match (at.reply.status, &at.reply.location) {
        (302 | 303 | 307, Some(location)) => return redirected(at, provider, location),
        (404, _) => "idp-missing",
        (400, _) => "idp-id-rejected",
        (500, _) => "idp-fails",
        (502..=504, _) => "idp-unavailable",
        _ => "idp-no-redirect",
    };
    at.finding(name, &[("name", &label(provider)), ("id", &format!("{:?}", provider.idp_id))])
}

/// Checks the client and the redirect URI of MAS's redirect to the provider.
fn redirected(at: &Exchange, provider: &IdentityProvider, location: &str) -> Finding {
    let (name, wanted) = (label(provider), wanted(at.expected, provider));
    let Some(redirect_uri) = parameter(location, "redirect_uri") else {
        return at.finding("idp-without-uri", &[("location", &excerpt(location))]);
    };
    if redirect_uri != wanted {
        let uri = excerpt(&redirect_uri);
        return at.finding("idp-other-uri", &[("uri", &uri), ("name", &name), ("wanted", &wanted)]);
    }
    let client = parameter(location, "client_id");
    if let (Some(ours), Some(theirs)) = (&provider.client_id, &client)
        && ours != theirs
    {
        let (theirs, ours) = (format!("{:?}", excerpt(theirs)), format!("{ours:?}"));
        return at.finding("idp-other-client", &[("name", &name), ("theirs", &theirs), ("ours", &ours)]);
    }
    let client = client.map_or_else(String::new, |client| format!(" as client {}", excerpt(&client)));
    at.finding("idp", &[("name", &name), ("client", &client), ("wanted", &wanted)])
}

/// MAS's redirect URI for a provider.
fn wanted(expected: &Expected, provider: &IdentityProvider) -> String {
    mas_redirect_uri(expected.mas_host.as_deref().unwrap_or_default(), &provider.idp_id)
}

/// The URL to request at a provider: the target of MAS's redirect. It is requested once, without cookies or credentials, and
/// redirects are not followed. The error says why it is not requested.
pub fn next_at_provider(replies: &Replies, index: usize) -> Result<Uri, Option<String>> {
    let probe = Probe::Authorize(index);
    let Some(Outcome::Answered(Reply { status: 302 | 303 | 307, location: Some(location), .. })) =
        replies.to(&probe).next()
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
    let provider = &expected.providers[index];
    let (name, wanted) = (label(provider), wanted(expected, provider));
    let start = Probe::Authorize(index).url(expected);
    let finding = |row: &str, values: &[(&str, &str)]| {
        let subject = uri.map_or_else(|| name.clone(), |uri| format!("https://{}{}", authority(uri), uri.path()));
        let common = [("name", name.as_str()), ("wanted", &wanted), ("start", &start)];
        expected.finding(row, subject, &[&common, values].concat())
    };
    let reply = match outcome {
        Outcome::Answered(reply) => reply,
        Outcome::NotAsked(why) => return finding("uri-not-asked", &[("why", why)]),
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) => {
            return finding("uri-unanswered", &[("why", why)]);
        }
    };
    let shown = shown(reply);
    let lower = error_text(reply).to_lowercase();
    if NOT_REGISTERED.lines().any(|phrase| !phrase.is_empty() && lower.contains(phrase)) {
        return finding("uri-rejected", &[("shown", &shown)]);
    }
    let location = reply.location.as_deref().unwrap_or_default();
    if let Some(error) = error_in(location) {
        let more = parameter(location, "error_description");
        let error = error + &more.map_or_else(String::new, |more| format!(" ({})", excerpt(&more)));
        // A redirect to the redirect URI proves that it is registered.
        let accepted = location.split(['?', '#']).next() == Some(wanted.as_str());
        let row = if accepted { "uri-accepted-with-error" } else { "uri-or-client-rejected" };
        return finding(row, &[("shown", &shown), ("error", &error)]);
    }
    let row = match reply.status {
        200..=399 => "uri-accepted",
        _ if lower.contains("redirect") || lower.contains("callback") => "uri-problem",
        _ => "uri-unclear",
    };
    finding(row, &[("shown", &shown)])
}

/// All text in a response that can contain an error: the page's text, and the decoded parameters of a redirect.
fn error_text(reply: &Reply) -> String {
    let parameters = parameters(reply.location.as_deref().unwrap_or_default());
    // Google encodes its error in base64.
    let unpacked = |value: Cow<'_, str>| match URL_SAFE.decode(value.as_bytes()) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value.into_owned(),
    };
    let errors: Vec<String> = parameters.map(|(_, value)| unpacked(value)).collect();
    // Entra's page contains the error number only in a script.
    let number = String::from_utf8_lossy(&reply.body).contains("AADSTS50011").then_some("redirect_uri_mismatch");
    format!("{} {} {}", reply.whole_text(), errors.join(" "), number.unwrap_or_default())
}

/// Status and visible text.
fn shown(reply: &Reply) -> String {
    let (status, text) = (reply.status, reply.text());
    if status >= 400 && !text.is_empty() && serde_json::from_slice::<Value>(&reply.body).is_err() {
        return format!("{status} \"{text}\"");
    }
    // The query contains only values of this request, such as state and nonce.
    let target = reply.location.as_deref().and_then(|location| location.split(['?', '#', ';']).next());
    target.map_or_else(|| reply.described(), |target| format!("{status}, a redirect to {}", excerpt(target)))
}
