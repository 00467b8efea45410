use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::checks::Severity;
use crate::plan::Database;
use crate::x509::{CertificateAuthority, HostName, TlsKeyType};

const HOST: &str = "auth.example.com";

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn wanted() -> Use<'static> {
    static HOST_NAME: LazyLock<HostName> = LazyLock::new(|| HostName::parse(HOST).unwrap());
    Use { host: &HOST_NAME, now: now(), leads_to_root: &|_| false }
}

fn pair(name: &str) -> (SecretBytes, SecretBytes) {
    let name = HostName::parse(name).unwrap();
    let ca = CertificateAuthority::create(&name, TlsKeyType::P256, now()).unwrap();
    let issued = ca.issue(&name, TlsKeyType::P256, now()).unwrap();
    (SecretBytes::from(issued.chain.to_pem().as_bytes()), issued.key.pem.to_bytes())
}

fn secret(kind: &str, keys: &Stored, pair: &(SecretBytes, SecretBytes)) -> TypedSecret {
    let data = [(keys.certificate.clone(), pair.0.clone()), (keys.private_key.clone(), pair.1.clone())];
    with(kind, BTreeMap::from(data))
}

fn with(kind: &str, data: BTreeMap<String, SecretBytes>) -> TypedSecret {
    let contents =
        SecretContents { name: "s".into(), resource_version: "1".into(), data, immutable: false, manager: None };
    Known::Known(Some((contents, kind.to_owned())))
}

fn brief(findings: &[Finding]) -> Vec<(&str, Severity)> {
    findings.iter().map(|finding| (finding.code, finding.severity)).collect()
}

fn settings(tls: Tls) -> MasSettings {
    let database = Database { host: "pg".into(), port: 5432, name: "mas".into(), user: "mas".into(), ssl_mode: None };
    MasSettings { host: HOST.into(), database, tls, secret_name: "a-mas".into() }
}

fn keys() -> SecretKeys {
    SecretKeys {
        encryption_secret: "encryptionSecret".into(),
        rsa_private_key: "rsaPrivateKey".into(),
        postgres_password: "postgresPassword".into(),
        certificate: "certificate".into(),
        private_key: "privateKey".into(),
    }
}

fn source(tls: Tls, global: Value) -> CertificateSource {
    let deployment = Deployment::from_value(json!({
        "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {"global": {"secretName": "all", "k8s": {"ingresses": {"tls": global}}}, "components": {}}}))
    .unwrap();
    CertificateSource::of(&settings(tls), &deployment, &keys())
}

#[test]
fn an_inherited_mode_is_resolved() {
    let inherit = |tls| source(Tls::Inherit, tls);
    assert_eq!(inherit(json!(null)), CertificateSource::Nowhere);
    assert_eq!(inherit(json!({"mode": "external"})), CertificateSource::Elsewhere);
    let issuer = json!({"mode": "certmanager", "certmanager": {"issuer": "le"}});
    assert_eq!(inherit(issuer.clone()), CertificateSource::Issuer("le".into()));
    let existing = json!({"mode": "existing", "secretName": "wild"});
    assert_eq!(inherit(existing), CertificateSource::Secret("wild".into()));
    let certfile = json!({"mode": "certfile", "certificate": {"certFileSecretKey": "c", "privateKeySecretKey": "k"}});
    let own = ("a-mas".to_owned(), Stored::guide());
    let global = Some(("all".to_owned(), Stored { certificate: "c".into(), private_key: "k".into() }));
    assert_eq!(inherit(certfile), CertificateSource::Component { own: own.clone(), global });
    assert_eq!(source(Tls::Certfile, issuer), CertificateSource::Component { own, global: None });
}

#[test]
fn a_kept_value_is_checked_instead_of_the_given_one() {
    let (stored, given) = (pair("old.example.com"), pair(HOST));
    let look = secret("Opaque", &Stored::guide(), &stored);
    let judge = |replace: &[&str]| {
        let replace: Vec<String> = replace.iter().map(|key| (*key).to_owned()).collect();
        let offered = Offered { pair: Some(&given), replace: &replace };
        let findings = certfile(("a", &Stored::guide(), &look), None, offered, wanted());
        findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(judge(&[]), ["certificate-host-mismatch"]);
    assert_eq!(judge(&["certificate", "privateKey"]), ["certificate"]);
    assert_eq!(judge(&["certificate"]), ["certificate-key-mismatch"], "half of a pair is no pair");
    let absent: TypedSecret = Known::Known(None);
    let offered = Offered { pair: Some(&given), replace: &[] };
    let findings = certfile(("a", &Stored::guide(), &absent), None, offered, wanted());
    assert_eq!(brief(&findings), [("certificate", Severity::Ok)]);
}

#[test]
fn the_global_secret_is_checked_if_the_components_secret_has_no_certificate() {
    let there = Stored { certificate: "c".into(), private_key: "k".into() };
    let global = secret("Opaque", &there, &pair(HOST));
    let empty = with("Opaque", BTreeMap::new());
    let own = ("a", &Stored::guide(), &empty);
    let judge = |global| certfile(own, global, Offered::default(), wanted());
    assert_eq!(brief(&judge(Some(("all", &there, &global)))), [("certificate", Severity::Ok)]);
    assert_eq!(brief(&judge(None)), [("certificate-missing", Severity::Blocker)]);
    let unreadable: TypedSecret = Known::Unreadable("no".into());
    let unknown = judge(Some(("all", &there, &unreadable)));
    assert_eq!(brief(&unknown), [("certificate-unknown", Severity::Unknown)]);
}

#[test]
fn an_existing_secret_must_have_type_tls() {
    let judge = |look: &TypedSecret| brief(&existing("s", look, wanted()))[0].to_owned_pair();
    let tls = Stored::kubernetes();
    assert_eq!(judge(&secret("kubernetes.io/tls", &tls, &pair(HOST))), ("certificate".into(), Severity::Ok));
    assert_eq!(judge(&secret("Opaque", &tls, &pair(HOST))), ("certificate-secret-type".into(), Severity::Blocker));
    assert_eq!(judge(&Known::Known(None)), ("certificate-missing".into(), Severity::Blocker));
    assert_eq!(judge(&Known::Unreadable("no".into())), ("certificate-unknown".into(), Severity::Unknown));
    let other = secret("kubernetes.io/tls", &tls, &pair("b.example.com"));
    assert_eq!(judge(&other), ("certificate-host-mismatch".into(), Severity::Blocker));
}

trait Owned {
    fn to_owned_pair(&self) -> (String, Severity);
}

impl Owned for (&str, Severity) {
    fn to_owned_pair(&self) -> (String, Severity) {
        (self.0.to_owned(), self.1)
    }
}

#[test]
fn only_a_ready_issuer_is_ok() {
    let found = |status: &str| {
        IssuerState::Found(json!({"status": {"conditions": [{"type": "Ready", "status": status, "message": "m"}]}}))
    };
    let severity = |name: &str, look: &IssuerState| issuer(name, look).severity;
    assert_eq!(severity("le", &found("True")), Severity::Ok);
    assert_eq!(severity("le", &found("False")), Severity::Warning);
    assert!(issuer("le", &found("False")).message.ends_with(": m"));
    assert_eq!(severity("le", &IssuerState::Found(json!({}))), Severity::Unknown);
    assert_eq!(severity("le", &IssuerState::Missing), Severity::Blocker);
    assert_eq!(severity("le", &IssuerState::NotInstalled), Severity::Ok);
    assert_eq!(severity("le", &IssuerState::Unreadable("no".into())), Severity::Unknown);
    assert_eq!(severity("", &found("True")), Severity::Blocker);
}
