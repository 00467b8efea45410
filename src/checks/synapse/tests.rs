//! Every setting: a text that must be reported, and one that must not.

use serde_json::{Value, json};

use super::super::finding::Severity;
use super::*;
use crate::checks::Components;
use crate::deployment::{Deployment, Features};

/// The code, path and line of everything found in a text.
fn found(text: &str, process: Process) -> Vec<(&'static str, Severity, String)> {
    let scan = scan(text, process);
    let all = scan.hits.iter().map(|hit| hit.finding("P"));
    all.map(|finding| (finding.code, finding.severity, finding.subject)).collect()
}

#[track_caller]
fn finds(text: &str, code: &str, severity: Severity, subject: &str) {
    let found = found(text, Process::Main);
    let wanted = found.iter().any(|(c, s, at)| *c == code && *s == severity && at == subject);
    assert!(wanted, "{text:?} gives {found:?}");
}

#[track_caller]
fn passes(text: &str) {
    assert_eq!(found(text, Process::Main), [], "{text:?}");
}

#[test]
fn settings_that_synapse_refuses_with_mas_are_blockers_with_lines() {
    use Severity::Blocker;
    for (text, code, subject) in [
        ("password_config:\n  enabled: true\n", "synapse-password-login", "P: password_config.enabled, line 2"),
        (
            "password_config: {enabled: only_for_reauth}\n",
            "synapse-password-login",
            "P: password_config.enabled, line 1",
        ),
        ("a: b\nenable_registration: yes\n", "synapse-registration", "P: enable_registration, line 2"),
        ("enable_registration: \"on\"\n", "synapse-registration", "P: enable_registration, line 1"),
        ("disable_registration: false\n", "synapse-registration", "P: disable_registration, line 1"),
        ("enable_registration_captcha: true\n", "synapse-captcha", "P: enable_registration_captcha, line 1"),
        ("user_consent:\n  version: 1.0\n", "synapse-user-consent", "P: user_consent, line 1"),
        ("user_consent: {}\n", "synapse-user-consent", "P: user_consent, line 1"),
        ("enable_3pid_changes: true\n", "synapse-3pid-changes", "P: enable_3pid_changes, line 1"),
        (
            "login_via_existing_session: {enabled: true}\n",
            "synapse-login-via-existing-session",
            "P: login_via_existing_session.enabled, line 1",
        ),
        ("session_lifetime: 24h\n", "synapse-session-lifetime", "P: session_lifetime, line 1"),
        ("refresh_token_lifetime: 3600000\n", "synapse-session-lifetime", "P: refresh_token_lifetime, line 1"),
        (
            "nonrefreshable_access_token_lifetime: 5m\n",
            "synapse-session-lifetime",
            "P: nonrefreshable_access_token_lifetime, line 1",
        ),
        ("saml2_config:\n  sp_config: {metadata: {}}\n", "saml-not-supported", "P: saml2_config, line 1"),
        ("cas_config: {server_url: https://cas.example.com}\n", "cas-not-supported", "P: cas_config, line 1"),
        ("jwt_config: {enabled: true, secret: x, algorithm: HS256}\n", "jwt-not-supported", "P: jwt_config, line 1"),
        (
            "oidc_config: {enabled: true, issuer: https://x/, client_id: y}\n",
            "synapse-oidc-free-form",
            "P: oidc_config, line 1",
        ),
        (
            "oidc_providers:\n- {idp_id: x, issuer: https://x/, client_id: y}\n",
            "synapse-oidc-free-form",
            "P: oidc_providers, line 1",
        ),
        (
            "experimental_features: {msc3861: {enabled: true}}\n",
            "synapse-delegates-already",
            "P: experimental_features.msc3861, line 1",
        ),
        (
            "matrix_authentication_service: {enabled: true}\n",
            "synapse-delegates-already",
            "P: matrix_authentication_service, line 1",
        ),
        (
            "password_providers:\n- module: ldap_auth_provider.LdapAuthProvider\n  config: {}\n",
            "synapse-password-module",
            "P: password_providers[0], line 2",
        ),
        ("ldap_config: {enabled: true}\n", "synapse-password-module", "P: ldap_config, line 1"),
        (
            "modules:\n- module: mjolnir.Module\n- module: ldap_auth_provider.LdapAuthProviderModule\n",
            "synapse-password-module",
            "P: modules[1], line 3",
        ),
    ] {
        finds(text, code, Blocker, subject);
        if code != "synapse-password-login" || !text.contains("reauth") {
            let worker = found(text, Process::Worker);
            assert!(
                worker.iter().any(|(c, s, _)| *c == code && *s == Blocker),
                "a worker refuses {text:?} too: {worker:?}"
            );
        }
    }
}

#[test]
fn settings_that_synapse_accepts_with_mas_pass() {
    for text in [
        "",
        "# session_lifetime: 24h\n",
        "max_upload_size: 100M\n",
        "password_config: {enabled: false}\n",
        "password_config:\n  policy: {enabled: true, minimum_length: 12}\n",
        "enable_registration: false\n",
        "disable_registration: true\n",
        "enable_registration_captcha: false\n",
        "user_consent: null\n",
        "enable_3pid_changes: false\n",
        "login_via_existing_session: {enabled: false}\n",
        "session_lifetime: null\n",
        "session_lifetime: 0\n",
        "session_lifetime: 0s\n",
        "refreshable_access_token_lifetime: 5m\n",
        "saml2_config: {enabled: false, sp_config: {}}\n",
        "saml2_config: {user_mapping_provider: {}}\n",
        "cas_config: {enabled: false}\n",
        "jwt_config: {enabled: false, secret: x, algorithm: HS256}\n",
        "oidc_providers: []\n",
        "oidc_config: {enabled: false}\n",
        "experimental_features: {msc3861: {}, msc2409_to_device_messages_enabled: true}\n",
        "matrix_authentication_service: {enabled: false}\n",
        "modules: []\n",
        "modules:\n- module: mjolnir.Module\n  config: {}\n",
        "sso: {client_whitelist: [https://x.example.com/]}\n",
        "ui_auth: {session_timeout: 15s}\n",
        "registration_shared_secret: s\nregistrations_require_3pid: [email]\nregistration_requires_token: true\n",
        "enable_set_displayname: false\n",
        "allow_guest_access: false\n",
        "database: {name: psycopg2, args: {user: s, database: s, host: h, port: 5432}}\n",
    ] {
        passes(text);
    }
}

#[test]
fn settings_that_only_syn2mas_refuses_are_found() {
    use Severity::{Blocker, Warning};
    let off = "experimental_features:\n  msc3861: {enabled: false}\n";
    finds(off, "synapse-delegates-already", Warning, "P: experimental_features.msc3861, line 2");
    finds("allow_guest_access: true\n", "synapse-guests", Blocker, "P: allow_guest_access, line 1");
    finds("password_config:\n  pepper: x\n", "password-pepper", Warning, "P: password_config.pepper, line 2");
    finds("password_config:\n  pepper: ''\n", "password-pepper", Warning, "P: password_config.pepper, line 2");
    passes("password_config: {pepper: null}\n");
    finds("database: {name: sqlite3}\n", "synapse-database", Blocker, "P: database.name, line 1");
    let both = "database:\n  args:\n    dbname: a\n    database: b\n";
    finds(both, "synapse-database", Blocker, "P: database.args.dbname, line 3");
    finds("database: {args: {dbname: a}}\n", "synapse-database", Warning, "P: database.args.dbname, line 1");
    finds(
        "password_config: {localdb_enabled: false}\n",
        "ldap-only",
        Warning,
        "P: password_config.localdb_enabled, line 1",
    );
    passes("password_config: {enabled: false, localdb_enabled: false}\n");
    assert_eq!(
        found("allow_guest_access: true\n", Process::Worker).len(),
        1,
        "Synapse's own rows are the same for workers"
    );
    assert_eq!(found("database: {args: {dbname: a}}\n", Process::Worker), [], "syn2mas does not read a worker's part");
}

#[test]
fn texts_without_settings_are_unreadable() {
    use Severity::{Blocker, Unknown, Warning};
    finds("a: [\n", "synapse-config-unreadable", Blocker, "P, line 1");
    finds("just words\n", "synapse-config-unreadable", Blocker, "P, line 1");
    finds("- a\n- b\n", "synapse-config-unreadable", Blocker, "P, line 1");
    finds("a: 1\n---\nb: 2\n", "synapse-config-unreadable", Blocker, "P");
    finds(&"[".repeat(1000), "synapse-config-unreadable", Unknown, "P");
    finds("a: 1\nb: 2\na: 3\n", "synapse-duplicate-key", Warning, "P: a, line 1");
    finds("a: {b: 1, b: 2}\n", "synapse-duplicate-key", Warning, "P: a.b, line 1");
    passes("a: {b: 1}\nc: {b: 2}\n");
}

#[test]
fn last_duplicate_key_wins() {
    let twice = |first: &str, last: &str| format!("session_lifetime: {first}\nsession_lifetime: {last}\n");
    finds(&twice("null", "1h"), "synapse-session-lifetime", Severity::Blocker, "P: session_lifetime, line 2");
    let found = found(&twice("1h", "null"), Process::Main);
    assert!(found.iter().all(|(code, ..)| *code == "synapse-duplicate-key"), "{found:?}");
}

#[test]
fn unlisted_module_is_unknown() {
    let text = "modules:\n- module: our.own.Thing\n";
    finds(text, "synapse-password-module", Severity::Unknown, "P: modules[0], line 2");
}

#[test]
fn restrictions_of_a_free_form_provider_are_reported() {
    let text = "oidc_providers:\n- idp_id: x\n  issuer: https://x/\n  client_id: y\n  enable_registration: false\n  attribute_requirements: [{attribute: a, value: b}]\n  user_mapping_provider: {module: our.Mapping}\n  client_secret_path: /x\n";
    for (code, key) in [
        ("oidc-restriction-lost", "enable_registration"),
        ("oidc-restriction-lost", "attribute_requirements"),
        ("oidc-restriction-lost", "user_mapping_provider.module"),
        ("oidc-setting-lost", "client_secret_path"),
    ] {
        finds(text, code, Severity::Warning, &format!("P: oidc_providers[0].{key}, line 2"));
    }
}

#[test]
fn messages_contain_no_values() {
    let text = "registration_shared_secret: 7731\npassword_config: {pepper: hunter2}\nrecaptcha_private_key: [hunter2]\ndatabase: {args: {password: 7731, dbname: hunter2}}\nhunter2\n";
    for text in [text, "password_config: {pepper: hunter2, enabled: hunter2}\nregistration_shared_secret: 7731\n"] {
        for hit in scan(text, Process::Main).hits {
            let finding = hit.finding("P");
            let told = format!("{finding:?}");
            assert!(!told.contains("hunter2") && !told.contains("7731"), "{told}");
        }
    }
}

fn snapshot(config: Value, rendered: Known<Vec<SynapseConfig>>) -> Snapshot {
    let object = json!({
        "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {"components": {"synapse": {"config": config}}}});
    Snapshot {
        deployment: Deployment::from_value(object).unwrap(),
        features: Known::Known(Features::default()),
        secret: Known::Known(None),
        record: Known::Known(None),
        settings: None,
        chart: None,
        environment: crate::checks::Environment::default(),
        components: Components { rendered, ..Components::default() },
    }
}

fn told(config: Value, rendered: Known<Vec<SynapseConfig>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    check(&snapshot(config, rendered), &mut findings);
    findings
}

fn nothing_rendered() -> Known<Vec<SynapseConfig>> {
    Known::Known(Vec::new())
}

fn rendered(text: &str) -> Known<Vec<SynapseConfig>> {
    let whole = format!("server_name: example.com\n{text}");
    Known::Known(vec![SynapseConfig::read("Secret s, key k.yaml".to_owned(), &whole).unwrap()])
}

#[track_caller]
fn only(findings: Vec<Finding>) -> Finding {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.into_iter().next().unwrap()
}

#[test]
fn subjects_are_paths_of_the_object() {
    let main = only(told(json!({"additional": "session_lifetime: 1h"}), nothing_rendered()));
    assert_eq!(main.subject, "spec.components.synapse.config.additional: session_lifetime, line 1");
    let workers = json!({"workers": [{"type": "a"}, {"type": "pusher", "additional": "x: 1\nsession_lifetime: 1h\n"}]});
    let worker = only(told(workers, nothing_rendered()));
    assert_eq!(
        worker.subject,
        "spec.components.synapse.config.workers[1].additional (pusher): session_lifetime, line 2"
    );
    let mapping = only(told(json!({"additional": {"session_lifetime": "1h"}}), nothing_rendered()));
    assert_eq!(mapping.subject, "spec.components.synapse.config.additional: session_lifetime");
}

#[test]
fn compatible_settings_are_ok() {
    for config in
        [json!({}), json!({"additional": ""}), json!({"additional": "a: 1", "workers": [{"additional": "b: 2"}]})]
    {
        let finding = only(told(config, nothing_rendered()));
        assert_eq!((finding.code, finding.severity), ("synapse-settings", Severity::Ok));
    }
}

#[test]
fn typed_field_is_a_warning_unless_the_rendered_configuration_lacks_it() {
    let config = || json!({"delegatedAuth": {"userProfiles": {"allowEmailChange": true}}});
    let blind = only(told(config(), nothing_rendered()));
    assert_eq!((blind.code, blind.severity), ("synapse-3pid-changes", Severity::Warning));
    assert_eq!(blind.subject, "spec.components.synapse.config.delegatedAuth.userProfiles.allowEmailChange");
    let not_allowed = only(told(config(), Known::Unreadable("not allowed to get it".to_owned())));
    assert!(not_allowed.message.contains("not allowed to get it"), "{}", not_allowed.message);
    let confirmed = only(told(config(), rendered("enable_3pid_changes: true\n")));
    assert!(confirmed.message.contains("Secret s, key k.yaml"), "{}", confirmed.message);
    assert_eq!(only(told(config(), rendered("a: 1\n"))).severity, Severity::Ok, "the operator does not render it");
}

#[test]
fn typed_fields_are_found_in_either_spelling_if_enabled() {
    for (path, on, off, code) in [
        ("/delegatedAuth/localPasswordDatabase/enableRegistration", json!(true), json!(false), "synapse-registration"),
        ("/delegated_auth/user_profiles/allow_email_change", json!(true), json!(false), "synapse-3pid-changes"),
    ] {
        let with = |value: Value| {
            let mut config = json!({});
            let mut place = &mut config;
            for key in path.split('/').skip(1) {
                place = &mut place[key];
            }
            *place = value;
            told(config, nothing_rendered())
        };
        let found = only(with(on));
        assert_eq!((found.code, found.severity), (code, Severity::Warning), "{path}");
        assert_eq!(only(with(off)).severity, Severity::Ok, "{path}");
    }
    let provider = json!({"delegatedAuth": {"oidc": [{"idpId": "x", "enableRegistration": true}]}});
    assert_eq!(only(told(provider, nothing_rendered())).severity, Severity::Ok, "a provider's field is another one");
}

#[test]
fn rendered_settings_are_warnings_except_unsupported_logins() {
    let lifetime = only(told(json!({}), rendered("session_lifetime: 1h\n")));
    assert_eq!((lifetime.code, lifetime.severity), ("synapse-session-lifetime", Severity::Warning));
    assert_eq!(lifetime.subject, "Secret s, key k.yaml: session_lifetime, line 2");
    let saml = only(told(json!({}), rendered("saml2_config: {sp_config: {x: y}}\n")));
    assert_eq!((saml.code, saml.severity), ("saml-not-supported", Severity::Blocker));
    // The operator currently renders legacy authentication itself.
    let legacy = "password_config: {enabled: true}\noidc_providers: [{idp_id: x, issuer: https://x/, client_id: y}]\nmodules: [{module: ldap_auth_provider.LdapAuthProviderModule}]\n";
    assert_eq!(only(told(json!({}), rendered(legacy))).severity, Severity::Ok);
    // Settings that are also in the free-form settings are reported only once.
    let both = told(json!({"additional": "session_lifetime: 1h"}), rendered("session_lifetime: 1h\n"));
    assert_eq!(only(both).severity, Severity::Blocker);
}

#[test]
fn only_configurations_of_synapse_count_as_rendered() {
    assert!(SynapseConfig::may_be("chat", "chat-synapse-main", "instance_template.yaml"));
    assert!(!SynapseConfig::may_be("chat", "chat-synapse-main", "log_config"));
    assert!(!SynapseConfig::may_be("chat", "chatty-synapse-main", "homeserver.yaml"));
    assert!(!SynapseConfig::may_be("chat", "chat-element-web", "config.yaml"));
    let read = |text: &str| SynapseConfig::read("p".to_owned(), text);
    assert!(read("server_name: x\n").is_some());
    assert!(read("version: 1\nhandlers: {server_name: x}\n").is_none());
    assert!(read("{{ not yaml server_name").is_none());
}

mod generated {
    use proptest::prelude::*;

    use super::*;

    fn line() -> impl Strategy<Value = String> {
        let keys = [
            "session_lifetime",
            "enable_registration",
            "password_config",
            "oidc_providers",
            "modules",
            "user_consent",
            "database",
            "login_via_existing_session",
            "cas_config",
            "<<",
            "server_name",
            "experimental_features",
            "bcrypt_rounds",
        ];
        let values = [
            "true",
            "yes",
            "null",
            "0",
            "1h",
            "[]",
            "{}",
            "{enabled: on}",
            "[{module: x}]",
            "&a {b: *a}",
            "*a",
            "!x y",
            "'",
            "{args: {dbname: a, database: b}}",
            "{enabled: only_for_reauth, pepper: \"\"}",
            "|\n  text",
            "[[[",
            "\t",
        ];
        (prop::sample::select(keys.to_vec()), prop::sample::select(values.to_vec()), 0..3_usize)
            .prop_map(|(key, value, indent)| format!("{}{key}: {value}\n", "  ".repeat(indent)))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

        #[test]
        fn a_scan_ends_whatever_is_written(lines in prop::collection::vec(line(), 0..30), process in any::<bool>()) {
            let process = if process { Process::Main } else { Process::Worker };
            let scan = scan(&lines.concat(), process);
            prop_assert!(scan.hits.len() <= 100);
            for hit in &scan.hits {
                let finding = hit.finding("P");
                prop_assert!(!finding.message.is_empty() && finding.remedy.is_some());
            }
        }

        #[test]
        fn a_scan_of_any_bytes_ends(text in any::<String>()) {
            let _ = scan(&text, Process::Main);
        }
    }
}

#[test]
fn exponential_aliases_are_scanned_fast() {
    use std::time::{Duration, Instant};
    let big: String = (0..4900).map(|key: u32| "k".to_owned() + &key.to_string() + ": 1, ").collect();
    let many = "*a, ".repeat(100_000);
    let keys: String = (0..4000).map(|key: u32| "x".to_owned() + &key.to_string() + ": *a\n").collect();
    for text in [
        format!("big: &a {{{big}}}\noidc_providers: [{many}]\nmodules: [{many}]\n"),
        format!("big: &a {{{big}}}\n{keys}"),
        format!("big: &a {{<<: [{}]}}\noidc_providers: [{many}]\n", "*a, ".repeat(10)),
    ] {
        let start = Instant::now();
        let scan = scan(&text, Process::Main);
        assert!(scan.hits.len() <= 100);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}

#[test]
fn every_setting_has_one_rule() {
    let sources = [include_str!("scan.rs"), include_str!("oidc.rs"), include_str!("settings.rs")].concat();
    let table = include_str!("settings.yaml");
    let names: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("- setting: ")).collect();
    for name in &names {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        assert!(sources.contains(&format!("\"{name}\"")), "{name}");
    }
    // The names in the sources: of rows, of results and of arguments.
    let rows =
        sources.lines().filter_map(|line| line.trim().strip_prefix("(&[")?.split_once("], \"")?.1.split('"').next());
    let calls = sources.split("self.hit(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let used: Vec<_> = rows.chain(calls).collect();
    assert!(used.len() > 15 && used.iter().all(|name| names.contains(name)), "{used:?}");
    assert!(settings::of_module("mjolnir.Module").is_none(), "the table can be read");
}
