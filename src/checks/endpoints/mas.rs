//! MAS at its own host. Source: MAS, `crates/router/src/endpoints.rs` and `crates/oauth2-types`; recorded responses in
//! `tests/recordings/http`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::probe::{Exchange, Probe, Replies, Server};
use crate::answers::Known;
use crate::answers::http::{Reached, excerpt};
use crate::checks::finding::{Finding, Severity};

pub(super) fn judge(expected: &Expected, replies: &Replies, findings: &mut Vec<Finding>) {
    let Some(host) = &expected.mas_host else { return };
    let home = format!("https://{host}/");
    let before = expected.phase == EndpointPhase::Before;
    match replies.reached(Server::Mas) {
        Reached::NotAsked => {}
        Reached::No(why) => {
            let name = if before { "mas-before" } else { "mas-unreached" };
            findings.push(expected.finding(name, home, &[("why", why), ("host", host)]));
        }
        Reached::Yes if before => {
            if let Ok(reply) = replies.reply(expected, &Probe::MasAddress, "mas-reachable") {
                findings.push(expected.finding("mas-resolves", home, &[("address", &reply.text())]));
            }
        }
        Reached::Yes => {
            findings.push(expected.finding("mas-reached", home, &[]));
            match replies.reply(expected, &Probe::Discovery, "mas-discovery") {
                Ok(reply) => {
                    let url = Probe::Discovery.url(expected);
                    findings.extend(discovery(&Exchange { expected, url, reply }, host));
                }
                Err(finding) => findings.extend(finding),
            }
            findings.extend(replies.judge(expected, &Probe::Keys, "mas-signing-key", keys));
            findings.extend(replies.judge(expected, &Probe::LoginPage, "mas-login-page", login_page));
        }
    }
}

fn discovery(at: &Exchange, host: &str) -> Vec<Finding> {
    match at.reply.document() {
        Ok(document) => {
            let known = document["id_token_signing_alg_values_supported"].as_array();
            let rs256 = known.into_iter().flatten().any(|algorithm| algorithm == "RS256");
            let rs256 = at.finding(if rs256 { "rs256" } else { "no-rs256" }, &[]);
            let more = foreign_endpoint(at, host, &document);
            [issuer(at, host, &document), rs256].into_iter().chain(more).collect()
        }
        Err(why) => vec![at.finding("not-mas", &[("why", &why)])],
    }
}

/// Reports endpoints at other hosts, unless the issuer is wrong too, which is a separate finding.
fn foreign_endpoint(at: &Exchange, host: &str, document: &Value) -> Option<Finding> {
    const ENDPOINTS: [&str; 5] =
        ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "account_management_uri"];
    let home = format!("https://{host}/");
    document["issuer"].as_str().filter(|issuer| *issuer == home)?;
    let addresses = ENDPOINTS.iter().filter_map(|name| Some((name, document[*name].as_str()?)));
    let (name, address) = addresses.into_iter().find(|(_, address)| !address.starts_with(&home))?;
    Some(at.finding("foreign-endpoint", &[("name", name), ("address", &excerpt(address)), ("home", &home)]))
}

/// Clients compare the issuer byte for byte (OpenID Connect Discovery §4.3); MAS writes a trailing slash.
fn issuer(at: &Exchange, host: &str, document: &Value) -> Finding {
    let wanted = format!("https://{host}/");
    match document["issuer"].as_str() {
        Some(issuer) if issuer == wanted => at.finding("issuer", &[("wanted", &wanted)]),
        Some(issuer) => {
            let (named, wanted) = (format!("{:?}", excerpt(issuer)), format!("{wanted:?}"));
            at.finding("other-issuer", &[("named", &named), ("wanted", &wanted)])
        }
        None => at.finding("no-issuer", &[]),
    }
}

/// The published modulus proves that the pod uses the intended Secret.
fn keys(at: &Exchange) -> Finding {
    let keys = |document: Value| document["keys"].as_array().cloned().ok_or_else(|| at.reply.described());
    let keys = match at.reply.document().and_then(keys) {
        Ok(keys) => keys,
        Err(why) => return at.finding("no-keys", &[("why", &why)]),
    };
    let mut published = keys.iter().filter(|key| key["kty"] == "RSA").filter_map(|key| key["n"].as_str()).peekable();
    if published.peek().is_none() {
        return at.finding("no-rsa-key", &[]);
    }
    match &at.expected.modulus {
        Known::Unreadable(why) => at.finding("unverified-key", &[("why", why)]),
        Known::Known(modulus) if published.any(|key| key == modulus) => at.finding("same-key", &[]),
        // The key of an active MAS can be changed; MAS must then load it.
        Known::Known(_) if at.expected.phase == EndpointPhase::Active => {
            Finding { severity: Severity::Warning, ..at.finding("other-key", &[]) }
        }
        Known::Known(_) => at.finding("other-key", &[]),
    }
}

/// Without passwords and with one provider, the page redirects to that provider.
fn login_page(at: &Exchange) -> Finding {
    let to_provider = at.reply.location.as_deref().is_some_and(|location| location.contains("/upstream/authorize/"));
    let name = match at.reply.status {
        200 if at.reply.is_page() => "login-page",
        302 | 303 | 307 if to_provider => "login-page-of-provider",
        500..=599 => "login-page-fails",
        _ => "no-login-page",
    };
    at.finding(name, &[])
}
