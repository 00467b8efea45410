//! The MAS Secret: whether it contains every key that the operator and MAS require.

use super::finding::Finding;
use super::permissions::lacks_keys;
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use crate::plan::{LostEncryptionSecret, SecretContents, SecretKeys, referenced_keys};
use crate::secrets::{EncryptionSecret, PostgresPassword};
use crate::x509::RsaPrivateKey;

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    // `prepare` creates it, and has its own rules for the encryption secret.
    if purpose == Purpose::Prepare {
        return;
    }
    let lost = encryption_secret_lost(snapshot);
    let is_lost = lost.is_some();
    findings.extend(lost);
    findings.extend(snapshot.secret.known().and_then(|secret| earlier_encryption_secret(snapshot, secret.as_ref())));
    if snapshot.deployment.mas_active() == Some(true) {
        return;
    }
    if let (Purpose::Check, Some(Some(secret))) = (purpose, snapshot.secret.known()) {
        findings.extend(secret_managed(secret).filter(|_| lacks_keys(snapshot)));
    }
    let Some(settings) = &snapshot.settings else { return };
    let subject = format!("Secret {}", settings.secret_name);
    match &snapshot.secret {
        Known::Unreadable(why) => findings.push(Finding::of("secret-unread", subject, &[("why", why)])),
        Known::Known(None) if is_lost => {}
        Known::Known(None) => findings.push(Finding::of("no-secret", subject, &[])),
        Known::Known(Some(secret)) => contents(snapshot, secret, &subject, is_lost, findings),
    }
}

/// Reports that the encryption secret of a deployed MAS is no longer in the Secret.
pub fn encryption_secret_lost(snapshot: &Snapshot) -> Option<Finding> {
    let keys = snapshot.secret_keys();
    let secret = snapshot.secret.known()?.as_ref();
    // MAS can't have run without a Secret.
    let settings = snapshot.deployment.mas().and(snapshot.settings.as_ref())?;
    let lost = LostEncryptionSecret::find(secret, &keys, snapshot.encryption_secret_in_use(), snapshot.mas_has_run())?;
    let key = &keys.encryption_secret;
    let subject = format!("Secret {}, key {key}", settings.secret_name);
    let remedy = lost.remedy(key, snapshot.deployment.mas_active() == Some(true));
    Some(Finding::of("encryption-secret-lost", subject, &[("lost", &lost.to_string()), ("remedy", &remedy)]))
}

/// Reports that this Secret lacks the encryption secret with which MAS ran before it was removed.
pub fn earlier_encryption_secret(snapshot: &Snapshot, secret: Option<&SecretContents>) -> Option<Finding> {
    let settings = snapshot.settings.as_ref().filter(|_| snapshot.deployment.mas().is_none())?;
    // Not that of a pending write, which may never have arrived.
    let (keys, dry_run) = (snapshot.secret_keys(), snapshot.recorded()?.dry_run.as_ref()?);
    let recorded = dry_run.secret_fingerprints.get(&keys.encryption_secret)?;
    LostEncryptionSecret::find(secret, &keys, Some(recorded), false)?;
    let key = &keys.encryption_secret;
    let values = [("recorded", recorded.as_str()), ("key", key)];
    Some(Finding::of("encryption-secret-earlier", format!("Secret {}, key {key}", settings.secret_name), &values))
}

/// Reports that a tool writes the Secret from its own source, and removes what `prepare` adds.
pub fn secret_managed(secret: &SecretContents) -> Option<Finding> {
    let manager = secret.manager.as_ref()?;
    Some(Finding::of("secret-managed", format!("Secret {}", secret.name), &[("manager", manager)]))
}

fn contents(snapshot: &Snapshot, secret: &SecretContents, subject: &str, is_lost: bool, findings: &mut Vec<Finding>) {
    let keys = snapshot.secret_keys();
    let before = findings.len();
    for (key, problem) in problems(secret, &keys) {
        if !(is_lost && key == keys.encryption_secret) {
            findings.push(Finding::of("secret-value", format!("{subject}, key {key}"), &[("problem", &problem)]));
        }
    }
    let known = [&keys.encryption_secret, &keys.rsa_private_key, &keys.postgres_password];
    for (property, key) in expected(snapshot) {
        // A certificate can also be in the global Secret; the checks of certificates read both.
        if !secret.data.contains_key(&key) && !property.contains(".tls.") && !known.contains(&&key) {
            let values = [("property", property.as_str()), ("name", &secret.name), ("key", &key)];
            findings.push(Finding::of("secret-key", format!("{subject}, key {key}"), &values));
        }
    }
    if findings.len() == before && !is_lost {
        findings.push(Finding::of("secret", subject, &[]));
    }
    findings.extend(weak(snapshot, secret, &keys, subject));
}

/// Reports a predictable encryption secret: MAS accepts any 32 bytes.
fn weak(snapshot: &Snapshot, secret: &SecretContents, keys: &SecretKeys, subject: &str) -> Option<Finding> {
    let weakness = secret.encryption_secret(keys)?.weakness()?;
    let key = &keys.encryption_secret;
    let name = if snapshot.deployment.mas().is_some() { "weak-in-use" } else { "weak" };
    let values = [("weakness", &*weakness.to_string()), ("key", key)];
    Some(Finding::of(name, format!("{subject}, key {key}"), &values))
}

/// Every key that the component refers to, in the object or by the schema's defaults.
fn expected(snapshot: &Snapshot) -> Vec<(String, String)> {
    let component = snapshot.deployment.mas();
    let mut all = component.map(referenced_keys).unwrap_or_default();
    let fields = snapshot.features.known().map(|features| features.secret_keys.as_slice()).unwrap_or_default();
    for field in fields {
        // The API server adds defaults to existing sections, and these always exist.
        let (section, _) = field.path.rsplit_once('.').unwrap_or(("", ""));
        let comes = matches!(section, "" | "config" | "config.postgresql");
        if let Some(key) = field.default.as_ref().filter(|_| comes)
            && all.iter().all(|(path, _)| *path != field.path)
        {
            all.push((field.path.clone(), key.clone()));
        }
    }
    all
}

/// Missing or invalid values among those that the guide names.
fn problems<'a>(secret: &SecretContents, keys: &'a SecretKeys) -> Vec<(&'a str, String)> {
    type Check = fn(&[u8]) -> Result<(), String>;
    let checks: [(&'a String, Check); 3] = [
        (&keys.encryption_secret, |value| EncryptionSecret::parse_in_use(value).map(|_| ()).map_err(|e| e.to_string())),
        (&keys.rsa_private_key, |value| RsaPrivateKey::parse(value).map(|_| ()).map_err(|e| e.to_string())),
        (&keys.postgres_password, |value| PostgresPassword::parse(value).map(|_| ()).map_err(|e| e.to_string())),
    ];
    let problem = |(key, check): (&'a String, Check)| match secret.data.get(key) {
        None => Some((key.as_str(), "the key is missing".to_owned())),
        Some(value) => Some((key.as_str(), check(value.expose()).err()?)),
    };
    checks.into_iter().filter_map(problem).collect()
}

#[cfg(test)]
mod tests;
