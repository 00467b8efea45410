//! The identity providers, as MAS, Synapse and the providers themselves present them.
//!
//! `GET /upstream/authorize/<id>` only starts a login: MAS stores a session that nothing reads. A login that is *completed*
//! before the migration makes it fail: its link makes MAS's database not empty.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::Uri;
use serde_json::Value;

use super::expected::Expected;
use super::question::{Question, Replies};
use crate::answers::http::{Outcome, Reply, excerpt};
use crate::checks::finding::{Code, Finding, Topic};
use crate::deployment::{IdentityProvider, mas_redirect_uri};

const IDP_AT_MAS: Code = "idp-at-mas";
const IDP_REDIRECT_URI: Code = "idp-redirect-uri";

pub(super) fn judge(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    for (index, provider) in expected.providers.iter().enumerate() {
        let authorize = Question::Authorize(index);
        let at_mas = |_: &Expected, at: Topic, answer: &Reply| at_mas(expected, provider, at, answer);
        findings.extend(answers.judge(expected, &authorize, IDP_AT_MAS, at_mas));
        for outcome in answers.to(&Question::AtProvider(index)) {
            findings.push(at_provider(expected, index, next_at_provider(answers, index).ok().as_ref(), outcome));
        }
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

fn at_mas(expected: &Expected, provider: &IdentityProvider, at: Topic, answer: &Reply) -> Finding {
    let (name, id, described) = (label(provider), &provider.idp_id, answer.described());
    match (answer.status, &answer.location) {
        (302 | 303 | 307, Some(location)) => redirected(expected, provider, at, location),
        (404, _) => at.blocker(format!("MAS doesn't have the identity provider {name}")).remedy(
            "MAS and Synapse must have the same providers with the same ids. Start a reconcile, and compare MAS's configuration with the spec.",
        ),
        (400, _) => at.blocker(format!("MAS rejects {id:?} as a provider's id: it responds with {described}"))
            .remedy("MAS's ids are ULIDs. Ask Element Support; if you rename the idpId, its accounts lose their link to the provider."),
        (500, _) => at.blocker(format!("MAS can't start a login at {name}: it responds with {described}")).remedy(format!(
            "Usually, MAS's pod can't reach the provider or doesn't trust its certificate, or the issuer differs from the provider's. Check \
             MAS's log: {} get pods, then logs",
            expected.commands.kubectl
        )),
        (502..=504, _) => at.unknown(format!("MAS is currently not available: its host responds with {described}"))
            .remedy(expected.look_at("MAS")),
        _ => at.warning(format!("MAS responds with {described} instead of a redirect to {name}")).remedy(expected.look_at("MAS")),
    }
}

/// Checks the client and the redirect URI of MAS's redirect to the provider.
fn redirected(expected: &Expected, provider: &IdentityProvider, at: Topic, location: &str) -> Finding {
    let (name, wanted) = (label(provider), wanted(expected, provider));
    let Some(redirect_uri) = parameter(location, "redirect_uri") else {
        return at.unknown(format!("MAS redirects to {} without a redirect URI to compare", excerpt(location)));
    };
    if redirect_uri != wanted {
        let text = format!("MAS uses the redirect URI {} for {name}, not {wanted}", excerpt(&redirect_uri));
        return at.blocker(text).remedy("Before you migrate, find out why it differs from the guide's, and register MAS's redirect URI at the provider.");
    }
    let client = parameter(location, "client_id");
    if let (Some(ours), Some(theirs)) = (&provider.client_id, &client)
        && ours != theirs
    {
        let text = format!("for {name}, MAS uses the client {:?}, but the spec has {ours:?}", excerpt(theirs));
        return at.blocker(text).remedy("Start a reconcile, and compare MAS's configuration with the spec.");
    }
    let client = client.map_or_else(String::new, |client| format!(" as client {}", excerpt(&client)));
    at.ok(format!("MAS redirects to {name}{client} with the redirect URI {wanted}"))
}

/// MAS's redirect URI for a provider.
fn wanted(expected: &Expected, provider: &IdentityProvider) -> String {
    mas_redirect_uri(expected.mas_host.as_deref().unwrap_or_default(), &provider.idp_id)
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
    let provider = &expected.providers[index];
    let (name, wanted) = (label(provider), wanted(expected, provider));
    let subject = uri.map_or_else(|| name.clone(), |uri| format!("https://{}{}", authority(uri), uri.path()));
    let at = Topic { code: IDP_REDIRECT_URI, subject };
    let start = Question::Authorize(index).url(expected);
    let open_in_browser = format!("Open {start} in a browser on a user's network, and stop at the login page.");
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::NotAsked(why) => return at.unknown(why).remedy(open_in_browser),
        Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::Unusable(why) => {
            let text = format!("couldn't check from here whether {name} accepts the redirect URI: {why}");
            return at.unknown(text).remedy(open_in_browser);
        }
    };
    let shown = shown(answer);
    let register = format!("Register {wanted} for this client at the provider, in addition to Synapse's redirect URI.");
    let lower = error_text(answer).to_lowercase();
    if NOT_REGISTERED.lines().any(|phrase| !phrase.is_empty() && lower.contains(phrase)) {
        let text = format!("{name} rejects the redirect URI {wanted}: it responds with {shown}");
        return at.warning(text).remedy(register);
    }
    let location = answer.location.as_deref().unwrap_or_default();
    if let Some(error) = error_in(location) {
        let more = parameter(location, "error_description");
        let error = error + &more.map_or_else(String::new, |more| format!(" ({})", excerpt(&more)));
        let look = "Check the client's permissions at the provider: scopes, response types, users.";
        // A redirect to the redirect URI proves that it is registered.
        if location.split(['?', '#']).next() == Some(wanted.as_str()) {
            return at.warning(format!("{name} accepts the redirect URI, but returns {error}")).remedy(look);
        }
        let text =
            format!("{name} rejects the redirect URI {wanted} or this client: it responds with {shown} and {error}");
        return at.warning(text).remedy(format!("{register} If it is registered already: {look}"));
    }
    match answer.status {
        200..=399 => at.ok(format!("{name} responds with {shown}, without an error about the redirect URI")),
        _ if lower.contains("redirect") || lower.contains("callback") => {
            let text = format!("{name} reports a problem with the redirect URI {wanted}: it responds with {shown}");
            at.warning(text).remedy(register)
        }
        _ => at
            .unknown(format!("{name} responds with {shown} instead of its login page"))
            .remedy(format!("Open {start} in a browser, and stop at the login page.")),
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
    let (status, text) = (answer.status, answer.text());
    if status >= 400 && !text.is_empty() && serde_json::from_slice::<Value>(&answer.body).is_err() {
        return format!("{status} \"{text}\"");
    }
    // The query contains only values of this request, such as state and nonce.
    let target = answer.location.as_deref().and_then(|location| location.split(['?', '#', ';']).next());
    target.map_or_else(|| answer.described(), |target| format!("{status}, a redirect to {}", excerpt(target)))
}
