//! Runs all checks on realistic deployments, valid or with one problem, without a cluster.
//!
//! A file is a deployment with its environment, or another file (`based-on`) with a merge patch (`change`). `expect` lists the
//! expected codes about the configuration, once for each finding; no others may be found. Other checks have their own tests, except
//! that a valid deployment has no blocker at all except those of its owner.

mod damage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ess_mas::checks::explain::explanation;
use ess_mas::checks::synapse::SynapseConfig;
use ess_mas::checks::{self, Finding, Known, Purpose, Severity, Snapshot, codes, secrets_to_look_at};
use ess_mas::checks::{ComponentSecret, Components, Resolution};
use ess_mas::deployment::{ChartRelease, Deployment, Features};
use ess_mas::plan::{Database, MasSettings, SecretContents, Tls};
use serde_json::{Value, json};

/// The codes about the configuration.
const CONFIGURED: &[&str] = &[
    "saml-not-supported",
    "cas-not-supported",
    "jwt-not-supported",
    "group-sync-not-supported",
    "ldap-needs-release",
    "ldap-only",
    "idp-id-missing",
    "idp-id-duplicate",
    "idp-id-not-ulid",
    "oidc-restriction-lost",
    "oidc-setting-lost",
    "password-pepper",
    "mas-email",
    "synapse-settings",
    "synapse-config-unreadable",
    "synapse-duplicate-key",
    "synapse-password-login",
    "synapse-password-module",
    "synapse-registration",
    "synapse-captcha",
    "synapse-user-consent",
    "synapse-3pid-changes",
    "synapse-login-via-existing-session",
    "synapse-session-lifetime",
    "synapse-oidc-free-form",
    "synapse-delegates-already",
    "synapse-guests",
    "synapse-database",
    "synapse-database-tls",
    "mas-host-taken",
    "mas-host-unresolved",
    "mas-database-is-synapses",
    "database-pooler",
    "mas-database-tls",
    "mas-settings",
    "tls-mode",
    "mas-secret",
    "component-secret",
    "bots-and-bridges",
    "admin-tools",
];

/// A file, with the one that it is based on.
struct Case {
    name: String,
    whole: Value,
    is_base: bool,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus"))
}

fn load(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut value: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    if let Some(base) = value["based-on"].as_str().map(str::to_owned) {
        let mut whole = load(&base);
        merge(&mut whole["deployment"], &value["change"]);
        merge(&mut whole["around"], &value["around"]);
        whole["expect"] = value["expect"].take();
        return whole;
    }
    value
}

/// As in RFC 7396, except that `null` stays in the object, where it counts as absent.
fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else { return };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        match value {
            Value::Object(_) => merge(&mut target[key], value),
            value => target[key] = value.clone(),
        }
    }
}

fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(read_cases)
}

fn read_cases() -> Vec<Case> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    names.sort();
    let case = |name: String| {
        let text = fs::read_to_string(folder().join(&name)).unwrap();
        Case { whole: load(&name), is_base: !text.contains("based-on:"), name }
    };
    names.into_iter().map(case).collect()
}

fn features() -> Features {
    static FEATURES: OnceLock<Features> = OnceLock::new();
    let read = || {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox/src/crds/elementdeployments.yaml");
        let definition: Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        Features::read(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    };
    FEATURES.get_or_init(read).clone()
}

/// A valid Secret for MAS, except for one key.
fn mas_secret(name: &str, without: Option<&str>) -> SecretContents {
    static KEY: OnceLock<String> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        key.unwrap().serialize_pem()
    });
    let mut data = json!({
        "encryptionSecret": STANDARD.encode("9d2f3c7b1a5e48d6b0c9f8e7a6d5c4b3928170f6e5d4c3b2a19087f6e5d4c3b2"),
        "rsaPrivateKey": STANDARD.encode(key),
        "postgresPassword": STANDARD.encode("correct-horse"),
    });
    if let Some(key) = without {
        data.as_object_mut().unwrap().remove(key);
    }
    SecretContents::read(json!({"metadata": {"name": name, "resourceVersion": "1"}, "data": data}))
}

fn text<'a>(value: &'a Value, or: &'a str) -> &'a str {
    value.as_str().unwrap_or(or)
}

fn settings(around: &Value, name: &str) -> Option<MasSettings> {
    let settings = &around["settings"];
    let database = &settings["database"];
    Some(MasSettings {
        host: settings["host"].as_str()?.to_owned(),
        database: Database {
            host: text(&database["host"], "db").to_owned(),
            port: database["port"].as_u64().map_or(5432, |port| u16::try_from(port).unwrap()),
            name: text(&database["name"], "mas").to_owned(),
            user: text(&database["user"], "mas").to_owned(),
            ssl_mode: database["sslMode"].as_str().map(str::to_owned),
        },
        tls: match text(&settings["tls"], "inherit") {
            "inherit" => Tls::Inherit,
            "external" => Tls::External,
            "certfile" => Tls::Certfile,
            "certmanager" => Tls::Certmanager { issuer: "letsencrypt".into() },
            "existing" => Tls::Existing { secret: "konto-tls".into() },
            other => panic!("{other}"),
        },
        secret_name: format!("{name}-mas"),
    })
}

fn snapshot(case: &Case) -> Snapshot {
    let around = &case.whole["around"];
    let deployment = Deployment::from_value(case.whole["deployment"].clone()).expect(&case.name);
    let forbidden = around["forbidden"] == json!(true);
    let listed = |value: &Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)).collect()
    };
    let left_out = listed(&around["left-out"]);
    let secrets = secrets_to_look_at(&deployment).into_iter().filter(|name| !left_out.contains(name)).map(|name| {
        let keys = match &around["secrets"][&name] {
            _ if forbidden => Known::Unreadable(format!("not allowed to get the Secret {name}")),
            Value::Array(keys) => Known::Known(Some(listed(&json!(keys)))),
            _ => Known::Known(None),
        };
        ComponentSecret { name, keys }
    });
    let rendered = around["rendered"].as_str().map(|text| {
        SynapseConfig::read("Secret main, key instance_template.yaml".into(), text).expect("a configuration")
    });
    let name = deployment.name().to_owned();
    let settings = MasSettings::of(&deployment).or_else(|| settings(around, &name));
    let mas = mas_secret(&format!("{name}-mas"), around["mas-secret"]["without"].as_str());
    let resolution = around["resolution"]["mas"].as_bool().map(|mas| Resolution {
        host: settings.as_ref().unwrap().host.clone(),
        mas: Known::Known(mas),
        synapse: around["resolution"]["synapse"].as_bool().map(Known::Known),
    });
    Snapshot {
        environment: ess_mas::checks::Environment::default(),
        features: Known::Known(features()),
        secret: if forbidden {
            Known::Unreadable("not allowed to get the Secret".into())
        } else {
            Known::Known(Some(mas))
        },
        record: Known::Known(None),
        settings,
        chart: around["chart"]
            .as_str()
            .map(|version| ChartRelease { chart: "ess-stack".into(), version: version.into() }),
        components: Components {
            secrets: secrets.collect(),
            left_out: left_out.into_iter().collect(),
            rendered: Known::Known(rendered.into_iter().collect()),
            resolution,
            other_hosts: Vec::new(),
        },
        deployment,
    }
}

/// Codes about the configuration by severity, without ok.
fn codes_of(findings: &[Finding]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| CONFIGURED.contains(&finding.code)) {
        if finding.severity != Severity::Ok {
            let severity = format!("{:?}", finding.severity).to_lowercase();
            all.entry(severity).or_default().push(finding.code.to_owned());
        }
    }
    for codes in all.values_mut() {
        codes.sort();
    }
    all
}

fn expected(case: &Case) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (severity, codes) in case.whole["expect"].as_object().into_iter().flatten() {
        let mut codes: Vec<String> = serde_json::from_value(codes.clone()).unwrap();
        for code in &codes {
            assert!(CONFIGURED.contains(&code.as_str()), "{}: there is no code {code}", case.name);
        }
        codes.sort();
        all.insert(severity.clone(), codes);
    }
    all
}

#[test]
fn each_deployment_has_exactly_the_expected_findings() {
    let mut wrong = Vec::new();
    let cases = cases();
    for case in cases {
        let findings = checks::run(&snapshot(case), Purpose::Check);
        let (found, expected) = (codes_of(&findings), expected(case));
        if found != expected {
            wrong.push(format!("{}: expected {expected:?}, found {found:?}", case.name));
        }
        for finding in &findings {
            let told = format!("{finding:?}");
            assert!(!told.contains("do-not-show"), "{}: {told}", case.name);
            let good = finding.remedy.is_some() || finding.severity == Severity::Ok;
            assert!(good || !CONFIGURED.contains(&finding.code), "{}: nothing to be done: {told}", case.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases.len() > 70, "{} cases", cases.len());
}

#[test]
fn a_valid_deployment_has_no_blockers_except_those_of_its_owner() {
    let healthy: Vec<&Case> = cases().iter().filter(|case| case.is_base).collect();
    assert!(healthy.len() >= 4);
    for case in healthy {
        for step in [Purpose::Check, Purpose::DryRun] {
            let findings = checks::run(&snapshot(case), step);
            let blockers: Vec<_> =
                findings.iter().filter(|finding| finding.blocks() && !codes::OWNERS.contains(&finding.code)).collect();
            assert!(blockers.is_empty(), "{}: {blockers:#?}", case.name);
        }
    }
}

#[test]
fn check_reports_every_warning_that_a_step_asks_to_accept() {
    for case in cases() {
        let snapshot = snapshot(case);
        let looked = codes_of(&checks::run(&snapshot, Purpose::Check));
        for step in [Purpose::Prepare, Purpose::DryRun, Purpose::Activate] {
            for (severity, codes) in codes_of(&checks::run(&snapshot, step)) {
                let told = looked.get(&severity).cloned().unwrap_or_default();
                let new: Vec<_> = codes.iter().filter(|code| !told.contains(code)).collect();
                assert!(new.is_empty(), "{}, {step:?}: {new:?} come as {severity} without warning", case.name);
            }
        }
    }
}

#[test]
fn every_severity_of_a_code_is_explained() {
    for code in CONFIGURED {
        assert!(explanation(code).is_some(), "{code} has no explanation");
    }
    for case in cases() {
        for finding in checks::run(&snapshot(case), Purpose::Check) {
            if let Some(explanation) = explanation(finding.code) {
                let known = explanation.severities.contains(&finding.severity);
                assert!(known, "{}: {} is not said to be {:?}", case.name, finding.code, finding.severity);
            }
        }
    }
}

#[test]
fn every_code_has_a_deployment_with_it() {
    let shown: BTreeSet<String> = cases()
        .iter()
        .flat_map(|case| checks::run(&snapshot(case), Purpose::Check))
        .map(|finding| finding.code.to_owned())
        .collect();
    let missing: Vec<_> = CONFIGURED.iter().filter(|code| !shown.contains(**code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_migrated_deployment_has_no_findings_about_the_migration() {
    for case in cases() {
        let mut snapshot = snapshot(case);
        let mut object = case.whole["deployment"].clone();
        object["status"]["mas_active"] = json!(true);
        snapshot.deployment = Deployment::from_value(object).unwrap();
        let found = codes_of(&checks::run(&snapshot, Purpose::Check));
        assert!(found.is_empty(), "{}: {found:?}", case.name);
    }
}
