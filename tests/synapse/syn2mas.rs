//! The types that syn2mas expects, read with the library that it reads them with. The shapes are written down here a second
//! time, as a Rust program would have them, from syn2mas's documentation and behaviour.

use std::collections::BTreeMap;

use ess_mas::checks::synapse::{Process, Setting, scan};
use figment::Figment;
use figment::providers::{Format, Yaml};
use proptest::prelude::*;
use serde::Deserialize;

/// Every field stands for a type only.
#[derive(Deserialize)]
#[expect(dead_code, reason = "what matters is whether it can be read")]
#[expect(clippy::struct_excessive_bools, reason = "so are the settings")]
struct Synapse {
    #[serde(default)]
    database: Database,
    #[serde(default)]
    password_config: Passwords,
    bcrypt_rounds: Option<u32>,
    #[serde(default)]
    allow_guest_access: bool,
    #[serde(default)]
    enable_registration: bool,
    #[serde(default)]
    enable_registration_captcha: bool,
    recaptcha_public_key: Option<String>,
    enable_3pid_changes: Option<bool>,
    user_consent: Option<Empty>,
    #[serde(default)]
    registrations_require_3pid: Vec<String>,
    #[serde(default)]
    registration_requires_token: bool,
    registration_shared_secret: Option<String>,
    #[serde(default)]
    login_via_existing_session: Switch,
    #[serde(default)]
    cas_config: Switch,
    #[serde(default)]
    jwt_config: Switch,
    oidc_config: Option<Provider>,
    #[serde(default)]
    oidc_providers: Vec<Provider>,
}

#[derive(Deserialize, Default)]
#[expect(dead_code, reason = "what matters is whether it can be read")]
struct Database {
    #[serde(default)]
    name: String,
    #[serde(default)]
    args: Arguments,
}

#[derive(Deserialize, Default)]
#[expect(dead_code, reason = "what matters is whether it can be read")]
struct Arguments {
    user: Option<String>,
    password: Option<String>,
    host: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize, Default)]
#[expect(dead_code, reason = "what matters is whether it can be read")]
struct Passwords {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    localdb_enabled: bool,
    pepper: Option<String>,
}

#[derive(Deserialize, Default)]
#[expect(dead_code, reason = "what matters is whether it can be read")]
struct Switch {
    #[serde(default)]
    enabled: bool,
}

#[derive(Deserialize)]
struct Empty {}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what matters is whether it can be read")]
struct Provider {
    issuer: Option<String>,
    idp_id: Option<String>,
    #[serde(default)]
    discover: bool,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    additional_authorization_parameters: BTreeMap<String, String>,
    #[serde(default)]
    pkce_method: Pkce,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Pkce {
    #[default]
    Auto,
    #[serde(other)]
    Other,
}

fn syn2mas_reads(text: &str) -> bool {
    Figment::new().merge(Yaml::string(text)).extract::<Synapse>().is_ok()
}

/// Whether we say that it cannot be read: `None` where that depends on who writes the file anew, or on the section.
fn we_say_it_reads(text: &str) -> Option<bool> {
    let sections = [
        "database",
        "password_config",
        "user_consent",
        "login_via_existing_session",
        "cas_config",
        "jwt_config",
        "oidc_config",
    ];
    if sections.iter().any(|section| text.contains(&format!("{section}: []"))) {
        return None;
    }
    let hits = scan(text, Process::Main).hits;
    if hits.iter().any(|hit| matches!(hit.setting, Setting::WrongType(_) | Setting::Broken(_) | Setting::NoMapping)) {
        return Some(false);
    }
    let open = hits.iter().any(|hit| matches!(hit.setting, Setting::ReadDifferently(_) | Setting::TooMuch));
    (!open).then_some(true)
}

const VALUES: [&str; 40] = [
    "true",
    "false",
    "True",
    "null",
    "~",
    "",
    "yes",
    "no",
    "0",
    "1",
    "12",
    "-1",
    "70000",
    "4294967296",
    "1.5",
    "\"12\"",
    "'true'",
    "text",
    "\"\"",
    "[]",
    "[a, b]",
    "[1]",
    "[null]",
    "{}",
    "{enabled: true}",
    "{enabled: null}",
    "{enabled: \"true\"}",
    "{enabled: only_for_reauth}",
    "{pepper: 5}",
    "{pepper: x, enabled: false}",
    "{name: psycopg2, args: {port: 5432}}",
    "{name: psycopg2, args: {port: \"5432\"}}",
    "{args: null}",
    "{name: null}",
    "[{issuer: x, idp_id: 5}]",
    "[{issuer: x, scopes: [openid]}]",
    "[{scopes: openid}]",
    "[{additional_authorization_parameters: {a: b, c: 1}}]",
    "[{pkce_method: always}]",
    "[{discover: null}]",
];

const KEYS: [&str; 18] = [
    "database",
    "password_config",
    "bcrypt_rounds",
    "allow_guest_access",
    "enable_registration",
    "enable_registration_captcha",
    "recaptcha_public_key",
    "enable_3pid_changes",
    "user_consent",
    "registrations_require_3pid",
    "registration_requires_token",
    "registration_shared_secret",
    "login_via_existing_session",
    "cas_config",
    "jwt_config",
    "oidc_config",
    "oidc_providers",
    "something_else",
];

#[test]
fn each_type_is_taken_or_refused_as_we_say() {
    let (mut read, mut refused, mut open, mut wrong) = (0, 0, 0, Vec::new());
    for key in KEYS {
        for value in VALUES {
            let text = format!("{key}: {value}\n");
            let theirs = syn2mas_reads(&text);
            match we_say_it_reads(&text) {
                None => open += 1,
                Some(ours) if ours != theirs => wrong.push(format!("{text:?}: it reads it: {theirs}")),
                Some(true) => read += 1,
                Some(false) => refused += 1,
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{read} read, {refused} refused, {open} depend on the version of YAML");
    assert!(read > 150 && refused > 300, "{read} {refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn several_at_once_as_well(chosen in prop::collection::vec((0..KEYS.len(), 0..VALUES.len()), 1..5)) {
        // A key that comes twice counts once, the last time.
        let text: String = chosen.iter().map(|(key, value)| [KEYS[*key], ": ", VALUES[*value], "\n"].concat()).collect::<Vec<_>>().concat();
        if let Some(ours) = we_say_it_reads(&text) {
            prop_assert_eq!(ours, syn2mas_reads(&text), "{:?}", text);
        }
    }
}
