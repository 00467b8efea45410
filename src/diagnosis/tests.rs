use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn codes(message: &str) -> Vec<&'static str> {
    understand(message).into_iter().map(|cause| cause.code).collect()
}

/// Every recording of the real `syn2mas`, with its expected cause.
const RECORDINGS: [(&str, &[&str]); 17] = [
    ("check-clean", &[]),
    (
        "check-leftovers-in-synapse-database",
        &["mapping-of-earlier-mas", "provider-missing-in-synapse", "guests-in-database", "phone-numbers-in-database"],
    ),
    (
        "check-many",
        &[
            "account-changes-enabled",
            "login-via-existing-session",
            "password-pepper-differs",
            "guests-enabled",
            "registration-enabled",
            "user-consent-enabled",
            "cas-configured",
            "captcha-not-ported",
            "terms-not-ported",
        ],
    ),
    ("check-provider-missing-in-mas", &["provider-missing-in-mas"]),
    ("check-provider-missing-in-synapse", &["provider-missing-in-synapse"]),
    (
        "check-scheme-not-bcrypt",
        &[
            "password-scheme-not-bcrypt",
            "mapping-of-earlier-mas",
            "provider-missing-in-synapse",
            "guests-in-database",
            "phone-numbers-in-database",
        ],
    ),
    ("check-sqlite", &["synapse-not-on-postgres"]),
    ("dry-run-clean", &[]),
    ("dry-run-encryption-newline", &["encryption-secret-form"]),
    ("dry-run-foreign-server-name", &["account-of-another-server"]),
    ("dry-run-mas-database-unreachable", &["mas-database-unreachable"]),
    ("dry-run-mas-not-empty", &["mas-database-not-empty"]),
    ("dry-run-mas-uses-synapse-database", &["mas-database-is-synapses"]),
    ("dry-run-orphan-token", &["row-without-account"]),
    ("migrate-clean", &[]),
    ("migrate-lock-not-available", &["synapse-table-locked"]),
    ("migrate-second-time", &["mas-database-not-empty"]),
];

fn recording(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts/syn2mas");
    std::fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap()
}

#[test]
fn every_recording_of_syn2mas_is_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts/syn2mas");
    assert_eq!(
        std::fs::read_dir(folder).unwrap().count(),
        RECORDINGS.len(),
        "each recording is expected to mean something"
    );
    for (name, expected) in RECORDINGS {
        assert_eq!(codes(&recording(name)), expected, "{name}");
    }
}

/// The forms in which a text can arrive.
fn disguises(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap();
    let ansible = format!(
        "An error occurred: {{\"changed\": false, \"msg\": \"non-zero return code\", \"rc\": 1, \"stderr\": {json}, \"stdout\": \"\"}}"
    );
    let logged = serde_json::to_string(&ansible).unwrap();
    let mut wrapped = String::new();
    for (number, c) in text.chars().enumerate() {
        wrapped.push(c);
        if number % 61 == 60 {
            wrapped.push_str("\n        ");
        }
    }
    let coloured = format!("\u{1b}[0;31m{}\u{1b}[0m", text.replace(' ', " \u{1b}[1m\u{1b}[0m"));
    vec![
        text.to_uppercase(),
        json,
        ansible,
        logged,
        wrapped,
        coloured,
        text.replace('\n', " "),
        format!("{text}\n{text}"),
    ]
}

#[test]
fn quoting_wrapping_colours_and_case_do_not_matter() {
    for (name, expected) in RECORDINGS {
        for disguise in disguises(&recording(name)) {
            let upper = disguise == disguise.to_uppercase();
            let found = codes(&disguise);
            // In capitals, a quoted name is another name, so the number of causes can change.
            if upper {
                let set = |codes: &[&'static str]| codes.iter().copied().collect::<BTreeSet<_>>();
                assert_eq!(set(&found), set(expected), "{name} in capitals");
            } else {
                assert_eq!(found, expected, "{name} as\n{disguise}");
            }
        }
    }
}

/// Texts that are not recorded, each with its code.
const TEXTS: [(&str, &str); 56] = [
    ("password-scheme-missing", "• MAS config is missing a password hashing scheme with version '1'"),
    (
        "server-name-differs",
        "• MAS configuration has the wrong `matrix.homeserver` set (\"a.org\"), it should match Synapse's `server_name` (\"b.org\")",
    ),
    (
        "synapse-configuration-unreadable",
        "Error: Failed to load Synapse configuration\n\nCaused by:\n    invalid type: found string \"only_for_reauth\", expected a boolean for \"default.password_config.enabled\" in hs.yaml YAML file",
    ),
    (
        "synapse-database-named-twice",
        "Caused by: Only one of `database` and `dbname` may be specified in the Synapse database configuration, not both.",
    ),
    (
        "synapse-database-unreachable",
        "Error: could not connect to Synapse Postgres database\n\nCaused by:\n    0: error returned from database: password authentication failed for user \"synapse\"",
    ),
    (
        "mas-database-rights",
        "Error: could not run migrations\n\nCaused by:\n    0: error returned from database: permission denied for schema public",
    ),
    (
        "pg-trgm-missing",
        "Error: could not run migrations\nCaused by: error returned from database: extension \"pg_trgm\" is not available",
    ),
    ("pg-trgm-missing", "error returned from database: permission denied to create extension \"pg_trgm\""),
    (
        "mas-database-of-other-release",
        "Error: could not run migrations\nCaused by: migration 20250915092635 was previously applied but is missing in the resolved migrations",
    ),
    (
        "another-migration-runs",
        "ERROR Failed to acquire syn2mas lock on the database.\nERROR This likely means that another syn2mas instance is already running!",
    ),
    ("not-a-mas-database", "Error: query against compat_sessions failed — is this actually a MAS database?"),
    ("mas-database-half-reset", "inconsistent database: some, but not all, syn2mas resumption tables were found"),
    ("database-login-refused", "FATAL: password authentication failed for user \"mas\""),
    ("mas-schema-failed", "Error: could not run migrations\n\nCaused by: something new"),
    (
        "malformed-user-id",
        "Error: failed to extract localpart of FullUserId(\"x\"): user ID does not start with `@` sigil",
    ),
    (
        "provider-without-mapping",
        "missing a mapping for the auth provider with ID \"oidc-foo\" (used by @a:example.com and maybe other users)",
    ),
    ("constraints-not-restored", "failed to recreate constraint user_emails_pkey"),
    ("disk-full", "error returned from database: could not extend file \"base/1/2\": No space left on device"),
    ("too-many-connections", "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute"),
    ("copying-failed", "error when writing to MAS DB (writing users): writer connection pool shut down due to error"),
    ("echo-of-another-error", "ERROR syn2mas::migration:310 error=channel closed"),
    ("signing-key-unreadable", "Error: could not import keys from config\n\nCaused by:\n    Unsupported format"),
    ("signing-key-unreadable", "Caused by:\n    0: Unsupported format"),
    (
        "mas-configuration-invalid",
        "failed to load MAS config: invalid length for key \"upstream_oauth2.providers.0.id\"",
    ),
    ("output-hidden", "unknown playbook failure"),
    ("output-hidden", "the output has been hidden due to the fact that 'no_log: true' was specified for this result"),
    ("global-secret-missing", "The global secret first-element-global could not be found"),
    ("shared-secret-missing", "Missing generic shared secret from global secret"),
    (
        "component-secrets-missing",
        "Some component secret are missing\nExpected : a-synapse, a-mas\nFound : a-synapse\n",
    ),
    (
        "secret-keys-missing",
        "The following secret keys do not point to any secret value :\n- component: matrixAuthenticationService\n  secretKeyConfigurationProperty: config.rsaPrivateKeySecretKey\n  absentFrom: a-mas/rsaPrivateKey\n",
    ),
    (
        "name-too-long",
        "The name of this ElementDeployment is too long. Dependent resources can't be created if its name is longer than 25 characters",
    ),
    ("image-digests-missing", "Missing images digests config map imported"),
    ("image-digests-missing", "Missing `images_digests` entry from configmap imported"),
    ("child-secret-missing", "spec.config.externalSecret.name must be a secret that exists within this namespace"),
    ("child-secret-key-missing", "The secret a-synapse must contain macaroon"),
    ("media-volume-missing", "spec.config.media.volumeClaim must be a PersistentVolumeClaim that exists"),
    ("workers-not-supported", "spec.config.workers must have at most 1 instance of type=pusher. It currently has 2"),
    (
        "connection-pooler",
        "error returned from database: RDS Proxy currently doesn't support the option extra_float_digits.",
    ),
    ("connection-pooler", "error returned from database: unnamed prepared statement does not exist"),
    ("statement-timeout", "terminating connection due to idle-in-transaction timeout"),
    ("standby-database", "error returned from database: cannot execute LOCK TABLE in a read-only transaction"),
    ("standby-database", "canceling statement due to conflict with recovery"),
    ("database-connection-ended", "terminating connection due to administrator command"),
    ("database-connection-ended", "canceling statement due to user request"),
    (
        "ingress-host-taken",
        "admission webhook \"validation.gatekeeper.sh\" denied the request: [unique] ingress host conflicts with an existing ingress <auth.example.com>",
    ),
    (
        "conversion-webhook-unreachable",
        "conversion webhook for matrix.element.io/v1alpha1, Kind=ElementDeployment failed: Post \"https://element-updater-webhook-service.element-updater.svc:443/convert?timeout=30s\": no endpoints available for service \"element-updater-webhook-service\"",
    ),
    (
        "webhook-unreachable",
        "Internal error occurred: failed calling webhook \"v.example.com\": failed to call webhook: the server could not find the requested resource",
    ),
    (
        "admission-refused",
        "Failed to apply object: admission webhook \"validate.kyverno.svc-fail\" denied the request: no",
    ),
    (
        "quota-exceeded",
        "pods \"x\" is forbidden: exceeded quota: all, requested: pods=1, used: pods=10, limited: pods=10",
    ),
    ("operator-trouble", "Failed to get ansible-runner stdout"),
    (
        "synapse-refuses-setting",
        "Error in configuration at 'session_lifetime':\n  session_lifetime cannot be set when OAuth delegation is enabled",
    ),
    ("synapse-refuses-module", "Cannot use password auth provider callbacks when OAuth delegation is enabled"),
    (
        "synapse-refuses-msc3861",
        "Experimental MSC3861 was replaced by Matrix Authentication Service.Please disable MSC3861 or disable Matrix Authentication Service.",
    ),
    (
        "saml-configured",
        "• Synapse config contains SAML2 auth configuration which will need to be manually mapped as an upstream OAuth 2.0 provider during migration.",
    ),
    (
        "jwt-configured",
        "• Synapse config contains JWT auth configuration which will need to be manually mapped as an upstream OAuth 2.0 provider during migration.",
    ),
    (
        "password-provider-configured",
        "• Synapse config contains non-standard password provider plugin auth configuration which will need to be manually mapped as an upstream OAuth 2.0 provider during migration.",
    ),
];

#[test]
fn texts_without_a_recording_are_understood_as_in_their_sources() {
    for (code, text) in TEXTS {
        assert_eq!(codes(text), [code], "{text}");
        for disguise in disguises(text) {
            assert!(codes(&disguise).contains(&code), "{code} as\n{disguise}");
        }
    }
}

#[test]
fn every_cause_has_a_test_text() {
    let recorded = RECORDINGS.iter().flat_map(|(_, codes)| codes.iter().copied());
    let known: BTreeSet<&str> =
        recorded.chain(TEXTS.iter().map(|(code, _)| *code)).chain(["oidc-mapped-by-hand"]).collect();
    assert_eq!(known, super::codes().collect::<BTreeSet<_>>());
    assert_eq!(super::codes().count(), known.len(), "a cause is listed twice");
}

#[test]
fn similar_texts_are_no_causes() {
    for text in [
        "",
        "All components are available",
        "The MAS database is empty; no rows found.",
        "obtained lock on relation \"users\"",
        "could not obtain a lease for relation users",
        "Check completed successfully with no errors or warnings.",
        "wrong server: expected 200, got 500",
        "could not connect to the identity provider",
        "could not run the migration job: it has not been scheduled yet",
        "Unsupported format string in template",
        "image has an Unsupported format: webp",
        "must be exactly 32 characters",
        "Guest support is disabled in the Synapse configuration",
        "`enable_3pid_changes` is explicitly disabled",
        "unknown playbook",
        "The global secret was read, and could not be found wanting anything",
        "Expected : a, b\nFound : a",
        "admission webhook \"x\" allowed the request",
        "quota: 5 of 10 used",
        "SSO is enabled and OAuth delegation is enabled",
        "syn2mas does not support the experimental flag",
        "migration 20250101 was previously applied",
        "relation \"users\" does not exist",
        "DELETE FROM user_external_ids WHERE auth_provider = 'oauth-delegated';",
    ] {
        let found = codes(text);
        assert!(found.is_empty(), "{text:?} is taken for {found:?}");
    }
}

#[test]
fn the_decisive_cause_comes_before_warnings_and_echoes() {
    let echo = "ERROR syn2mas: error=channel closed\nError: user @ghost:example.com was not found for migration but a row in access_tokens was found for them";
    assert_eq!(codes(echo), ["row-without-account"]);
    let text = format!("{}\nunknown playbook failure", recording("check-many"));
    assert_eq!(codes(&text)[0], "account-changes-enabled");
    assert!(!codes(&text).contains(&"output-hidden"), "the message was not hidden after all");
    let weights: Vec<Weight> = understand(&text).iter().map(|cause| cause.weight).collect();
    assert!(weights.is_sorted());
    assert!(!is_unclear(&understand(&text)) && is_unclear(&understand("unknown playbook failure")) && is_unclear(&[]));
}

#[test]
fn different_captures_are_separate_causes_and_equal_ones_are_reported_once() {
    let row = |user: &str, table: &str| {
        format!("user {user} was not found for migration but a row in {table} was found for them\n")
    };
    let text = row("@a:x.org", "devices") + &row("@b:x.org", "devices") + &row("@a:x.org", "devices");
    let causes = understand(&text);
    assert_eq!(causes.len(), 2);
    assert!(
        causes[1].meaning.contains("Table devices of Synapse's database has rows for @b:x.org,"),
        "{}",
        causes[1].meaning
    );
    let one = understand(&recording("migrate-lock-not-available"));
    assert_eq!(one.len(), 1);
    assert!(one[0].meaning.contains("on table users"), "{}", one[0].meaning);
}

/// Only a failure before the copying proves that nothing was copied. A database that is not empty may contain the
/// accounts of an earlier attempt.
#[test]
fn nothing_copied_is_reported_only_if_the_text_proves_it() {
    let says = |text: &str| understand(text).iter().any(|cause| cause.nothing_copied.is_some());
    for name in
        ["migrate-lock-not-available", "check-many", "dry-run-mas-database-unreachable", "dry-run-encryption-newline"]
    {
        assert!(says(&recording(name)), "{name}");
    }
    for name in ["migrate-second-time", "dry-run-mas-not-empty", "dry-run-orphan-token", "dry-run-foreign-server-name"]
    {
        assert!(!says(&recording(name)), "{name}");
    }
    for text in [
        "unknown playbook failure",
        "failed to recreate constraint x",
        "session_lifetime cannot be set when OAuth delegation is enabled",
        "The global secret a could not be found",
        "No space left on device",
        "Failed to get ansible-runner stdout",
    ] {
        assert!(!says(text), "{text}");
    }
}

#[test]
fn meaning_remedy_and_statement_contain_the_captured_names() {
    let first = |text: &str| understand(text).remove(0);
    let cause = first(&recording("check-provider-missing-in-synapse"));
    assert!(cause.remedy.contains("idpId 01JABCDEFGHJKMNPQRSTVWXYZ0"), "{}", cause.remedy);
    let cause = first(&recording("check-provider-missing-in-mas"));
    assert!(cause.meaning.contains("oidc-01JABCDEFGHJKMNPQRSTVWXYZ0"), "{}", cause.meaning);
    let cause = first(&recording("check-leftovers-in-synapse-database"));
    assert!(cause.meaning.contains("1 row "), "{}", cause.meaning);
    assert_eq!(
        cause.sql.unwrap().statements,
        ["DELETE FROM user_external_ids WHERE auth_provider = 'oauth-delegated';"]
    );
    let saml = understand(&recording("check-leftovers-in-synapse-database")).remove(1);
    assert!(saml.meaning.contains("SAML") && saml.remedy.contains("Element Support"), "{saml:?}");
    let cause = first(&recording("dry-run-orphan-token"));
    assert!(
        cause.meaning.contains("Table access_tokens of Synapse's database has rows for @ghost:example.com,"),
        "{}",
        cause.meaning
    );
    assert!(cause.sql.unwrap().statements[0].contains("FROM access_tokens t LEFT JOIN users"));
    let cause = first(&recording("dry-run-foreign-server-name"));
    assert!(cause.meaning.contains("@x:other.org"), "{}", cause.meaning);
    assert!(cause.sql.unwrap().statements[0].ends_with("NOT LIKE '@%:example.com';"));
    let cause = first(&recording("dry-run-encryption-newline"));
    assert!(cause.meaning.contains("ends in a newline"), "{}", cause.meaning);
    let cause = first(&recording("dry-run-mas-database-unreachable"));
    assert!(cause.meaning.contains("nothing responds at that host and port"), "{}", cause.meaning);
    let cause = first(
        "Some component secret are missing\nExpected : a-synapse, a-mas, a-x\nFound : a-synapse\nnext task failed",
    );
    assert!(cause.meaning.contains("a-mas, a-x"), "{}", cause.meaning);
    let keys = "The following secret keys do not point to any secret value :\n- component: matrixAuthenticationService\n  secretKeyConfigurationProperty: config.rsaPrivateKeySecretKey\n  absentFrom: a-mas/rsaPrivateKey\n- component: synapse\n  secretKeyConfigurationProperty: config.macaroonSecretKey\n  absentFrom: a-synapse/macaroon\n";
    for text in [keys.to_owned(), serde_json::to_string(keys).unwrap()] {
        let [of_mas, of_synapse] = understand(&text).try_into().unwrap();
        let meaning = &of_mas.meaning;
        assert!(
            meaning.contains(
                "Secret a-mas has no key rsaPrivateKey, which the spec names for matrixAuthenticationService"
            ),
            "{meaning}"
        );
        assert!(meaning.contains("config.rsaPrivateKeySecretKey"), "{meaning}");
        assert!(of_mas.remedy.starts_with("Run `prepare`"), "{}", of_mas.remedy);
        assert!(
            of_synapse.meaning.contains("Secret a-synapse has no key macaroon, which the spec names for synapse"),
            "{}",
            of_synapse.meaning
        );
        assert!(of_synapse.remedy.starts_with("Add this key"), "{}", of_synapse.remedy);
    }
    let text = "nonrefreshable_access_token_lifetime cannot be set when OAuth delegation is enabled\nrefresh_token_lifetime cannot be set when OAuth delegation is enabled";
    let told: Vec<String> = understand(text).into_iter().map(|cause| cause.meaning).collect();
    assert!(told[0].contains(" nonrefreshable_access") && told[1].contains(" refresh_token"), "{told:?}");
}

/// Asserts the only cause of a text, and parts of its meaning, remedy and statements.
fn assert_cause(text: &str, code: &str, words: &[&str]) {
    let [cause] = understand(text).try_into().unwrap_or_else(|causes| panic!("{text}: {causes:?}"));
    assert_eq!(cause.code, code, "{text}");
    let statements = cause.sql.map(|sql| sql.statements.concat()).unwrap_or_default();
    let told = format!("{} {} {statements}", cause.meaning, cause.remedy);
    for word in words {
        assert!(told.contains(word), "{word} is missing: {told}");
    }
}

#[test]
fn a_pooler_is_named_with_its_setting_and_the_direct_address() {
    let of = |database: &str, text: &str| {
        format!(
            "Error: could not connect to {database}\n\nCaused by:\n    0: error returned from database: {text}\n    1: {text}"
        )
    };
    let (mas, synapse) = ("the database", "Synapse Postgres database");
    let startup = ["PgBouncer", "ignore_startup_parameters", "session pooling", "direct address"];
    for (database, whose) in [(mas, "MAS's database"), (synapse, "Synapse's database")] {
        for (text, parameter) in [
            ("unsupported startup parameter: extra_float_digits", "extra_float_digits"),
            ("unsupported startup parameter: options", "options"),
            ("unsupported startup parameter in options: search_path", "search_path"),
        ] {
            let words = [&startup[..], &[whose, parameter]].concat();
            assert_cause(&of(database, text), "connection-pooler", &words);
        }
        for (text, word) in [
            ("prepared statement \"sqlx_s_1\" does not exist", "pool_mode = session"),
            ("prepared statement \"sqlx_s_3\" already exists", "pool_mode = session"),
            ("server login has been failing, try again later (server_login_retry)", "PgBouncer's log"),
            ("no more connections allowed (max_client_conn)", "max_client_conn"),
            ("query_wait_timeout", "pool size"),
            ("no such database: mas", "[databases]"),
            ("no such user", "auth_file"),
            // PgCat, Odyssey, Supavisor, RDS Proxy and Pgpool-II.
            ("No pool configured for database: \"mas\", user: \"mas\"", "has no database mas"),
            ("could not get connection from the pool - AllServersDown", "pooler's log"),
            ("odyssey: c5f3: route for 'mas.mas' is not found", "has no database mas.mas"),
            ("odyssey: c5f3: failed to connect to remote server s1", "pooler's log"),
            ("odyssey: c5f3: too many client tcp connections (global storage.client_max 100)", "max_client_conn"),
            ("Tenant or user not found", "auth_query"),
            ("This RDS proxy has no credentials for the role mas. Check the credentials for this role", "auth_query"),
            ("pgpool is not accepting any more new connections", "pool size"),
        ] {
            assert_cause(&of(database, text), "connection-pooler", &["PgBouncer", "direct address", whose, word]);
        }
    }
}

#[test]
fn a_time_limit_of_postgresql_is_named_with_the_statement_that_disables_it() {
    let read =
        "Error: error when reading Synapse DB (reading users)\n\nCaused by:\n    0: error returned from database: ";
    for (text, limit) in [
        ("canceling statement due to statement timeout", "statement_timeout"),
        ("canceling statement due to lock timeout", "lock_timeout"),
        ("terminating connection due to idle-in-transaction timeout", "idle_in_transaction_session_timeout"),
        ("terminating connection due to idle-session timeout", "idle_session_timeout"),
        ("terminating connection due to transaction timeout", "transaction_timeout"),
    ] {
        let statement = format!("ALTER ROLE \"<role>\" SET {limit} = 0;");
        assert_cause(&format!("{read}{text}"), "statement-timeout", &[limit, &statement, "Synapse's database"]);
    }
    let write = "error when writing to MAS DB (writing users): canceling statement due to statement timeout";
    assert!(understand(write)[0].meaning.contains("MAS's database"));
    assert_cause("canceling statement due to conflict with recovery", "standby-database", &["primary"]);
}

#[test]
fn the_ingress_that_has_the_host_is_named() {
    let text = r#"Failed to apply object: b'{"kind":"Status","message":"admission webhook \\"validate.nginx.ingress.kubernetes.io\\" denied the request: host \\"auth.example.com\\" and path \\"/\\" is already defined in ingress old-mas/matrix-authentication-service","reason":"BadRequest","code":400}\n'"#;
    let ingress = "Remove auth.example.com from Ingress old-mas/matrix-authentication-service";
    assert_cause(text, "ingress-host-taken", &[ingress, "auth.example.com"]);
    let route = "Error: route old-mas/auth already exposes auth.example.com and is older";
    assert_cause(route, "ingress-host-taken", &["Remove auth.example.com from Ingress old-mas/auth"]);
    let kyverno = "admission webhook \"validate.kyverno.svc-fail\" denied the request: resource Ingress/ess/mas was blocked due to the following policies unique-ingress-host: check: The Ingress host name must be unique.";
    for text in [kyverno, "All hosts are taken by other resources", "Host is taken by another resource"] {
        assert_cause(text, "ingress-host-taken", &["kubectl get ingress -A", "prepare --host"]);
    }
}

#[test]
fn an_unusable_webhook_is_named_with_its_service() {
    let post = "failed calling webhook \"webhook.cert-manager.io\": failed to call webhook: Post \"https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s\"";
    for (reason, word) in [
        ("x509: certificate signed by unknown authority", "certificate"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", "no pod responds"),
        ("no endpoints available for service \"cert-manager-webhook\"", "no pod responds"),
        ("service \"cert-manager-webhook\" not found", "does not exist"),
        ("context deadline exceeded", "in time"),
        ("net/http: TLS handshake timeout", "in time"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "in time"),
        ("EOF", "closes the connection"),
        ("read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer", "closes the connection"),
        ("tls: failed to verify certificate: x509: certificate is valid for a, not b", "certificate"),
        ("no service port 443 found for service \"cert-manager-webhook\"", "lacks the port"),
        ("the server could not find the requested resource", "path"),
    ] {
        let text = format!("Internal error occurred: {post}: {reason}");
        let place = "Service cert-manager-webhook in namespace cert-manager";
        assert_cause(&text, "webhook-unreachable", &["webhook.cert-manager.io", place, word, "refused the object"]);
    }
    // `timeout=30s` in the address and the letters of "the offending line" say nothing.
    for (why, word) in [
        ("network is unreachable. The offending line appears to be", "the message names the cause"),
        ("context deadline exceeded. The offending line appears to be", "in time"),
    ] {
        assert_cause(&format!("{post}: {why}"), "webhook-unreachable", &[word]);
    }
    let elsewhere = "failed calling webhook \"a.example\": failed to call webhook: Post \"https://hooks.example.com/v?timeout=10s\": EOF";
    assert_cause(elsewhere, "webhook-unreachable", &["a.example at hooks.example.com/v"]);
    let conversion = "conversion webhook for matrix.element.io/v1alpha1, Kind=ElementDeployment failed: Post \"https://updater-webhook.element-updater.svc:443/convert?timeout=30s\": x509: certificate has expired";
    let place = "Service updater-webhook in namespace element-updater";
    assert_cause(
        conversion,
        "conversion-webhook-unreachable",
        &["updater", place, "certificate", "Nothing was changed"],
    );
}

/// A statement contains captures of the message, which quotes values that users choose.
#[test]
fn no_foreign_text_gets_into_a_statement() {
    let hostile = [
        "user @x';DROP TABLE users;--:e.org was not found for migration but a row in x; DROP TABLE users was found for them",
        "wrong server name: expected \"a'; DROP TABLE users; --\", got \"b\"",
    ];
    for text in hostile {
        for cause in understand(text) {
            assert!(!cause.sql.is_some_and(|sql| sql.statements.concat().contains("DROP")), "{text}");
        }
    }
}

#[test]
fn meaning_and_remedy_are_short_and_follow_the_style_rules() {
    let all =
        RECORDINGS.iter().map(|(name, _)| recording(name)).chain(TEXTS.iter().map(|(_, text)| (*text).to_owned()));
    for cause in all.flat_map(|text| understand(&text)) {
        let told = format!("{} {}", cause.meaning, cause.remedy);
        assert!(told.len() < 900, "{}: {} characters", cause.code, told.len());
        assert!(!told.contains('!') && !told.contains("successfully"), "{told}");
        assert!(cause.meaning.ends_with(['.', ':']) && cause.remedy.ends_with(['.', ':']), "{told}");
        assert_eq!(cause.remedy.ends_with(':'), cause.sql.as_ref().is_some_and(|sql| sql.follows), "{told}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = understand(&text);
    }

    #[test]
    fn a_cause_is_found_within_other_text(before in "[ -~\n]{0,200}", after in "[ -~\n]{0,200}", index in 0usize..RECORDINGS.len()) {
        let (name, expected) = RECORDINGS[index];
        let found = codes(&format!("{before}\n{}\n{after}", recording(name)));
        for code in expected {
            prop_assert!(found.contains(code), "{name}: {code} is lost");
        }
    }
}

#[test]
fn every_cause_can_be_explained_without_a_message() {
    for code in super::codes() {
        let one = explanation(code).unwrap();
        for text in [one.meaning.as_str(), &one.why, &one.source] {
            assert!(!text.is_empty() && !text.contains(['{', '}']), "{code}: {text}");
        }
        assert!(one.meaning.ends_with('.') && !one.remedy.contains(['{', '}']), "{code}");
    }
    assert_eq!(explanation("all-is-well").map(|one| one.code), None);
}

#[test]
fn no_text_contains_a_placeholder() {
    let all =
        RECORDINGS.iter().map(|(name, _)| recording(name)).chain(TEXTS.iter().map(|(_, text)| (*text).to_owned()));
    for cause in all.flat_map(|text| understand(&text)) {
        let sql = cause.sql.iter().flat_map(|sql| sql.statements.iter().map(String::as_str));
        for text in [cause.meaning.as_str(), &cause.remedy].into_iter().chain(sql) {
            assert!(!text.contains(['{', '}']), "{}: {text}", cause.code);
        }
    }
}
