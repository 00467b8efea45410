//! MAS at its own host. Source: MAS, `crates/router/src/endpoints.rs` and `crates/oauth2-types`; recorded answers in
//! `tests/recordings/http`.

use serde_json::Value;

use super::expected::{EndpointPhase, Expected};
use super::question::{Question, Replies, Server};
use crate::answers::Known;
use crate::answers::http::{Reached, Reply, excerpt};
use crate::checks::finding::{Code, Finding};

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
            findings.push(if expected.phase == EndpointPhase::Before {
                warning(format!("MAS is to be here, and {why}"))
                    .remedy("Let the name point to the same ingress as Synapse before the dry run.")
            } else {
                warning(format!("MAS cannot be reached from here: {why}"))
                    .remedy(format!("Open it in a browser where users are. {}", expected.another_way(host)))
            });
            return;
        }
        Reached::Yes => {}
    }
    if expected.phase == EndpointPhase::Before {
        if let Ok(answer) = answers.answer(expected, &Question::MasAddress, MAS_REACHABLE) {
            let text = format!("the name points to {}; MAS is not there yet", answer.text());
            findings.push(Finding::ok(MAS_REACHABLE, home, text));
        }
        return;
    }
    findings.push(Finding::ok(MAS_REACHABLE, home, "it can be reached from here"));
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
            findings.extend(strays(&url, host, &document));
        }
        Err(instead) => {
            let text = format!("this is not MAS: it answers {instead}");
            findings.push(Finding::blocker(MAS_DISCOVERY, url, text).remedy(expected.look_at("MAS")));
        }
    }
}

/// Endpoints that clients are sent to, and that are not MAS's. Where the issuer is wrong as well, that says it.
fn strays(url: &str, host: &str, document: &Value) -> Option<Finding> {
    const ENDPOINTS: [&str; 5] =
        ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "account_management_uri"];
    let home = format!("https://{host}/");
    document["issuer"].as_str().filter(|issuer| *issuer == home)?;
    let elsewhere = |name: &&&str| document[**name].as_str().is_some_and(|address| !address.starts_with(&home));
    let name = ENDPOINTS.iter().find(elsewhere)?;
    let text = format!("its {name} is {}, which is not at {home}", excerpt(document[*name].as_str()?));
    Some(
        Finding::warning(MAS_DISCOVERY, url, text)
            .remedy("Clients are sent there. Find out who set it; the operator's configuration does not."),
    )
}

/// The issuer is compared byte for byte by clients (OpenID Connect Discovery §4.3); MAS writes the slash at the end.
fn issuer(url: &str, host: &str, document: &Value) -> Finding {
    let wanted = format!("https://{host}/");
    match document["issuer"].as_str() {
        Some(issuer) if issuer == wanted => {
            Finding::ok(MAS_ISSUER, url, format!("its issuer is {wanted}, as it has to be"))
        }
        Some(issuer) => {
            let shown = excerpt(issuer);
            Finding::blocker(MAS_ISSUER, url, format!("its issuer is {shown:?}, but it has to be {wanted:?}"))
                .remedy("MAS's public address does not follow from its host here; what the operator gave it is in MAS's configuration. Ask Element's support before you migrate.")
        }
        None => Finding::blocker(MAS_ISSUER, url, "it names no issuer")
            .remedy("This is not MAS's discovery document; see what else answers at this host."),
    }
}

fn rs256(url: &str, document: &Value) -> Finding {
    let known = document["id_token_signing_alg_values_supported"].as_array();
    if known.into_iter().flatten().any(|algorithm| algorithm == "RS256") {
        return Finding::ok(MAS_DISCOVERY, url, "it offers RS256, which every client knows");
    }
    let text = "it does not offer RS256, which OpenID Connect demands: it has no RSA key";
    Finding::blocker(MAS_DISCOVERY, url, text)
        .remedy("Put an RSA key into the Secret (`openssl genrsa`), and let the deployment reconcile.")
}

/// The modulus, as MAS publishes it, proves that the pod runs with the intended Secret.
fn keys(expected: &Expected, url: String, answer: &Reply) -> Finding {
    let code = MAS_SIGNING_KEY;
    let keys = |document: Value| if document["keys"].is_array() { Ok(document) } else { Err(answer.described()) };
    let document = match answer.document().and_then(keys) {
        Ok(document) => document,
        Err(instead) => {
            return Finding::blocker(code, url, format!("it answers {instead}")).remedy(expected.look_at("MAS"));
        }
    };
    let all = document["keys"].as_array().into_iter().flatten();
    let published: Vec<&str> = all.filter(|key| key["kty"] == "RSA").filter_map(|key| key["n"].as_str()).collect();
    if published.is_empty() {
        let text = "it publishes no RSA key, so clients that ask for an ID token cannot log in";
        return Finding::blocker(code, url, text)
            .remedy("Put an RSA key into the Secret (`openssl genrsa`), and let the deployment reconcile.");
    }
    match &expected.modulus {
        Known::Unreadable(why) => Finding::unknown(code, url, format!("it publishes an RSA key; {why}")),
        Known::Known(modulus) if published.contains(&modulus.as_str()) => {
            Finding::ok(code, url, format!("it runs with the RSA key of Secret {}", expected.secret_name))
        }
        Known::Known(_) => {
            let text = format!("the RSA key that it publishes is not the one in Secret {}", expected.secret_name);
            let remedy = "Either another MAS answers here, or the Secret was changed after MAS started. Look at the address behind the \
                          host, or let the deployment reconcile and rehearse again.";
            // A key may be changed once MAS is in use; then it only has to be loaded.
            let make = if expected.phase == EndpointPhase::Active { Finding::warning } else { Finding::blocker };
            make(code, url, text).remedy(remedy)
        }
    }
}

/// Without passwords and with one provider the page sends on to that provider.
fn login_page(expected: &Expected, url: String, answer: &Reply) -> Finding {
    let code = MAS_LOGIN_PAGE;
    let to_provider = answer.location.as_deref().is_some_and(|location| location.contains("/upstream/authorize/"));
    match answer.status {
        200 if answer.is_page() => Finding::ok(code, url, "its login page is there, so MAS can read its database"),
        302 | 303 | 307 if to_provider => {
            Finding::ok(code, url, "it sends on to the identity provider, so MAS can read its database")
        }
        500..=599 => Finding::blocker(code, url, format!("it cannot show its login page: it answers {}", answer.described()))
            .remedy(format!(
                "The page reads MAS's database, which a failed rehearsal can leave half renamed. See MAS's log: {} get pods, then logs",
                expected.commands.kubectl
            )),
        _ => Finding::warning(code, url, format!("where the login page belongs, it answers {}", answer.described()))
            .remedy(expected.look_at("MAS")),
    }
}
