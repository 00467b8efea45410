//! The functions of the fuzz targets. `tests/offline/fuzz_seeds.rs` includes this file and runs them over the seeds, so that every
//! `cargo test` repeats what a fuzzer has found.
//!
//! Foreign bytes may be refused, but must never cause a panic, a hang or an unproven verdict.

use std::fs;
use std::str;

use ess_mas::checks::Known;
use ess_mas::checks::backup::recognise::recognise;
use ess_mas::checks::endpoints::{
    Commands, EndpointPhase, Expected, GivenToken, Outcome, Probe, Replies, Reply, judge, next_at_provider, probes,
};
use ess_mas::checks::synapse::{Process, scan};
use ess_mas::cluster::{ConnectionFlags, check_configuration};
use ess_mas::deployment::{Deployment, IdentityProvider, Run};
use ess_mas::diagnosis::understand;
use ess_mas::secrets::{EncryptionSecret, PostgresPassword};
use ess_mas::verdict::{Baseline, Carried, Continuity, Event, Observation, Tracker, Verdict};
use ess_mas::x509::{Certificate, CertificateChain, HostName, RsaPrivateKey, TlsPrivateKey, check_certificate};
use serde_json::{Value, json};

/// Synapse's free-form settings: YAML of an administrator.
pub fn synapse_settings(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for process in [Process::Main, Process::Worker] {
        let found = scan(text, process);
        assert!(found.hits.iter().all(|hit| hit.line != Some(0)), "lines count from 1");
    }
}

/// Keys, certificates and passwords in files and Secrets.
pub fn certificates(data: &[u8]) {
    let _ = EncryptionSecret::parse(data);
    let _ = EncryptionSecret::parse_in_use(data);
    let _ = PostgresPassword::parse(data);
    let _ = Certificate::from_der(data);
    if let Ok(key) = RsaPrivateKey::parse(data) {
        let again = RsaPrivateKey::parse(key.pem.expose().as_bytes()).expect("what was read is written readable");
        assert_eq!(again.fingerprint, key.fingerprint);
    }
    let key = TlsPrivateKey::parse(data).ok();
    if let Ok(chain) = CertificateChain::parse(data) {
        let again = CertificateChain::parse(chain.to_pem().as_bytes()).expect("what was read is written readable");
        assert_eq!(again.certificates.len(), chain.certificates.len());
        let host = HostName::parse("auth.example.com").expect("a host");
        for key in [None, key.as_ref()] {
            let _ = check_certificate(&chain, key, &host, chain.leaf().not_before());
        }
    }
}

/// A kubeconfig, without connecting or running a credential plugin.
pub fn kubeconfig(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    fs::write(&path, data).expect("written");
    let flags = ConnectionFlags { kubeconfig: Some(path.display().to_string()), ..ConnectionFlags::default() };
    let _ = check_configuration(&flags);
}

/// Consecutive states of an ElementDeployment, one JSON object in each line as in `tests/traces`, and failure texts.
pub fn operator_status(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let causes = understand(&text);
    assert!(causes.is_sorted_by_key(|cause| cause.weight), "what decides comes first");
    let mut tracker: Option<Tracker> = None;
    for (number, line) in text.lines().take(200).enumerate() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let Ok(deployment) = Deployment::from_value(object(line, number)) else { continue };
        let seen = Observation::of(&deployment);
        if let Some(failure) = &seen.failure {
            let _ = understand(&failure.message);
        }
        match &mut tracker {
            None => tracker = Some(Tracker::new(Baseline::of_present(&seen, Carried::Active(true)))),
            Some(tracker) => {
                let before = tracker.verdict().clone();
                let after = tracker.observe(&Event::Seen(Box::new(seen), Continuity::Continuous)).clone();
                assert!(!before.is_final() || before == after, "a verdict stays");
                if let Verdict::Succeeded(seen) = after {
                    assert!(seen.run == Run::Succeeded && seen.successful == Some(true), "success is proven");
                    assert!(seen.available != Some(false) && seen.mas_active == Some(true), "success is proven");
                }
            }
        }
    }
}

/// The object of a line, or an object with the status of a trace.
fn object(line: Value, number: usize) -> Value {
    if line["metadata"].is_object() {
        return line;
    }
    json!({
        "apiVersion": "matrix.element.io/v1alpha2",
        "kind": "ElementDeployment",
        "metadata": {
            "name": "ess", "namespace": "ess", "uid": "u", "resourceVersion": (number + 1).to_string(),
            "generation": line["generation"],
        },
        "spec": {"components": {"matrixAuthenticationService": {"config": {"active": line["mas"]}}}},
        "status": line["status"],
    })
}

/// HTTP responses of MAS, Synapse and identity providers, as in `tests/recordings/http`: head, empty line, body.
pub fn http_reply(data: &[u8]) {
    let reply = reply(data);
    for phase in [EndpointPhase::Before, EndpointPhase::Deployed, EndpointPhase::Migrating, EndpointPhase::Active] {
        let expected = Expected {
            phase,
            mas_host: Some("auth.example.com".to_owned()),
            synapse_host: Some("matrix.example.com".to_owned()),
            server_name: Some("example.com".to_owned()),
            well_known: true,
            commands: Commands::default(),
            secret_name: "ess-mas".to_owned(),
            modulus: Known::Known("AQAB".to_owned()),
            providers: vec![IdentityProvider {
                idp_id: "01JABCDEFGHJKMNPQRSTVWXYZ0".to_owned(),
                ..IdentityProvider::default()
            }],
            processes: 2,
            token: Some(GivenToken::default()),
            test_user: Some("test".to_owned()),
        };
        let mut replies = Replies::default();
        let later = [Probe::AtProvider(0), Probe::LogIn, Probe::WhoamiNew, Probe::LogOut];
        for probe in probes(&expected).into_iter().chain(later) {
            replies.add(probe, Outcome::Answered(reply.clone()));
        }
        let _ = next_at_provider(&replies, 0);
        for finding in judge(&expected, &replies) {
            let text = format!("{} {}", finding.subject, finding.message);
            assert!(!text.contains('\u{1b}'), "foreign text does not steer a terminal");
        }
    }
}

fn reply(data: &[u8]) -> Reply {
    let start = data.windows(9).position(|bytes| bytes == b"HTTP/1.1 ").unwrap_or(0);
    let mut rest = &data[start..];
    let mut reply = Reply::default();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = String::from_utf8_lossy(&rest[..end]).trim_end().to_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
            reply.status = status.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or_default();
        }
        match line.split_once(": ") {
            Some(("Location", value)) => reply.location = Some(value.to_owned()),
            Some(("Content-Type", value)) => reply.content_type = Some(value.to_owned()),
            _ => {}
        }
    }
    reply.cut = rest.len() > 100_000;
    reply.body = rest.to_vec();
    reply
}

/// A file for `--backup-file`.
pub fn dump(data: &[u8]) {
    let tail = &data[data.len().saturating_sub(4096)..];
    for tail in [None, Some(tail)] {
        let _ = recognise(&mut &data[..], tail);
    }
}
