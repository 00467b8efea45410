//! MAS at its own host. Source: MAS, `crates/router/src/endpoints.rs` and `crates/oauth2-types`; recorded answers in
//! `tests/recordings/http`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies, Server};
use crate::answers::Known;
use crate::answers::http::{Reached, Reply, excerpt};
use crate::checks::finding::{Code, Finding, Topic};

const MAS_REACHABLE: Code = "mas-reachable";
const MAS_DISCOVERY: Code = "mas-discovery";
pub const MAS_SIGNING_KEY: Code = "mas-signing-key";
const MAS_LOGIN_PAGE: Code = "mas-login-page";
pub const MAS_ISSUER: Code = "mas-issuer";

pub(super) fn judge(expected: &Expected, answers: &Replies, findings: &mut Vec<Finding>) {
    let Some(host) = &expected.mas_host else { return };
    let home = format!("https://{host}/");
    match answers.reached(Server::Mas) {
        Reached::NotAsked => return,
        Reached::No(why) => {
            let warning = |text: String| Finding::warning(MAS_REACHABLE, home, text);
            return findings.push(if expected.phase == EndpointPhase::Before {
                warning(format!("MAS will use this address, but {why}"))
                    .remedy("Before the dry run, point the host to the same ingress as Synapse's host.")
            } else {
                warning(format!("MAS can't be reached from here: {why}"))
                    .remedy(format!("Open it in a browser on a user's network. {}", expected.another_way(host)))
            });
        }
        Reached::Yes => {}
    }
    if expected.phase == EndpointPhase::Before {
        if let Ok(answer) = answers.answer(expected, &Question::MasAddress, MAS_REACHABLE) {
            let text = format!("MAS's host resolves to {}; MAS is not deployed yet", answer.text());
            findings.push(Finding::ok(MAS_REACHABLE, home, text));
        }
        return;
    }
    findings.push(Finding::ok(MAS_REACHABLE, home, "MAS can be reached from here"));
    match answers.answer(expected, &Question::Discovery, MAS_DISCOVERY) {
        Ok(answer) => discovery(expected, answer, findings),
        Err(finding) => findings.extend(finding),
    }
    findings.extend(answers.judge(expected, &Question::Keys, MAS_SIGNING_KEY, keys));
    findings.extend(answers.judge(expected, &Question::LoginPage, MAS_LOGIN_PAGE, login_page));
}

fn discovery(expected: &Expected, answer: &Reply, findings: &mut Vec<Finding>) {
    let url = Question::Discovery.url(expected);
    match answer.document() {
        Ok(document) => {
            let host = expected.mas_host.as_deref().unwrap_or_default();
            findings.extend([issuer(&url, host, &document), rs256(&url, &document)]);
            findings.extend(foreign_endpoints(&url, host, &document));
        }
        Err(instead) => {
            let text = format!("the host is not MAS: it responds with {instead}");
            findings.push(Finding::blocker(MAS_DISCOVERY, url, text).remedy(expected.look_at("MAS")));
        }
    }
}

/// Reports endpoints at other hosts, unless the issuer is wrong too, which is a separate finding.
fn foreign_endpoints(url: &str, host: &str, document: &Value) -> Option<Finding> {
    const ENDPOINTS: [&str; 5] =
        ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "account_management_uri"];
    let home = format!("https://{host}/");
    document["issuer"].as_str().filter(|issuer| *issuer == home)?;
    let elsewhere = |name: &&&str| document[**name].as_str().is_some_and(|address| !address.starts_with(&home));
    let name = ENDPOINTS.iter().find(elsewhere)?;
    let text = format!("MAS's {name} is {}, which is not at {home}", excerpt(document[*name].as_str()?));
    Some(
        Finding::warning(MAS_DISCOVERY, url, text)
            .remedy("Clients use this address. Find its source; the operator doesn't configure it."),
    )
}

/// Clients compare the issuer byte for byte (OpenID Connect Discovery §4.3); MAS writes a trailing slash.
fn issuer(url: &str, host: &str, document: &Value) -> Finding {
    let wanted = format!("https://{host}/");
    match document["issuer"].as_str() {
        Some(issuer) if issuer == wanted => {
            Finding::ok(MAS_ISSUER, url, format!("MAS's issuer is {wanted}, as expected"))
        }
        Some(issuer) => {
            let shown = excerpt(issuer);
            Finding::blocker(MAS_ISSUER, url, format!("MAS's issuer is {shown:?}, but must be {wanted:?}"))
                .remedy("The public address in MAS's configuration differs from its host in the spec. Ask Element Support before you migrate.")
        }
        None => Finding::blocker(MAS_ISSUER, url, "the discovery document has no issuer")
            .remedy("The document is not MAS's. Check which service answers at this host."),
    }
}

fn rs256(url: &str, document: &Value) -> Finding {
    let known = document["id_token_signing_alg_values_supported"].as_array();
    if known.into_iter().flatten().any(|algorithm| algorithm == "RS256") {
        return Finding::ok(MAS_DISCOVERY, url, "MAS offers RS256, which every client supports");
    }
    let text = "MAS has no RSA key, so it doesn't offer RS256, which OpenID Connect requires";
    Finding::blocker(MAS_DISCOVERY, url, text)
        .remedy("Add an RSA key to the Secret (`openssl genrsa`), and start a reconcile.")
}

/// The published modulus proves that the pod uses the intended Secret.
fn keys(expected: &Expected, at: Topic, answer: &Reply) -> Finding {
    let keys = |document: Value| document["keys"].as_array().cloned().ok_or_else(|| answer.described());
    let keys = match answer.document().and_then(keys) {
        Ok(keys) => keys,
        Err(instead) => return at.blocker(format!("MAS responds with {instead}")).remedy(expected.look_at("MAS")),
    };
    let rsa = keys.iter().filter(|key| key["kty"] == "RSA");
    let published: Vec<&str> = rsa.filter_map(|key| key["n"].as_str()).collect();
    if published.is_empty() {
        let text = "MAS publishes no RSA key, so clients that request an ID token can't log in";
        return at.blocker(text).remedy("Add an RSA key to the Secret (`openssl genrsa`), and start a reconcile.");
    }
    match &expected.modulus {
        Known::Unreadable(why) => at.unknown(format!("MAS publishes an unverified RSA key: {why}")),
        Known::Known(modulus) if published.contains(&modulus.as_str()) => {
            at.ok(format!("MAS uses the RSA key of Secret {}", expected.secret_name))
        }
        Known::Known(_) => {
            let text = format!("MAS publishes another RSA key than the one in Secret {}", expected.secret_name);
            let remedy = "Either another MAS answers here, or the Secret was changed after MAS started. Check the address of the host, \
                          or start a reconcile and repeat the dry run.";
            // The key of an active MAS can be changed; MAS must then load it.
            let make = if expected.phase == EndpointPhase::Active { Topic::warning } else { Topic::blocker };
            make(at, text).remedy(remedy)
        }
    }
}

/// Without passwords and with one provider, the page redirects to that provider.
fn login_page(expected: &Expected, at: Topic, answer: &Reply) -> Finding {
    let to_provider = answer.location.as_deref().is_some_and(|location| location.contains("/upstream/authorize/"));
    match answer.status {
        200 if answer.is_page() => at.ok("MAS shows its login page, so it can read its database"),
        302 | 303 | 307 if to_provider => {
            at.ok("MAS redirects to the identity provider, so it can read its database")
        }
        500..=599 => at.blocker(format!("MAS can't show its login page: it responds with {}", answer.described()))
            .remedy(format!(
                "The page reads MAS's database, whose tables an interrupted dry run can leave renamed. Check MAS's log: {} get pods, then logs",
                expected.commands.kubectl
            )),
        _ => at.warning(format!("MAS responds with {} instead of its login page", answer.described()))
            .remedy(expected.look_at("MAS")),
    }
}
