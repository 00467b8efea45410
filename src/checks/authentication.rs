//! Whether the ways to log in can be migrated.
//!
//! Only some fields of `delegatedAuth` are documented, so names are read in either spelling, as one object or a list.

use std::collections::BTreeMap;

use serde_json::Value;

use super::finding::Finding;
use super::snapshot::{Purpose, Snapshot};
use super::synapse::oidc::{is_set, losses};
use super::synapse::{rule, sends_email};
use crate::deployment::{ChartRelease, Deployment, IdentityProvider, is_canonical_ulid, squashed};

const DELEGATED: &str = "spec.components.synapse.config.delegatedAuth";
const OIDC: &str = "spec.components.synapse.config.delegatedAuth.oidc";
const MAS: &str = "spec.components.matrixAuthenticationService";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let delegated = snapshot.deployment.delegated_auth();
    unsupported(delegated, findings);
    group_sync(&snapshot.deployment, findings);
    let ldap = named(delegated, |name| name.starts_with("ldap"));
    if let Some((key, _)) = ldap.first() {
        let subject = format!("{DELEGATED}.{key}");
        let new_enough = snapshot.chart.as_ref().and_then(|chart| chart.is_at_least(ChartRelease::FIRST_WITH_LDAP));
        let name = new_enough.map_or("ldap-release-unknown", |enough| if enough { "ldap" } else { "ldap-too-early" });
        findings.push(Finding::of(name, &subject, &[]));
        if !local_accounts(delegated) {
            findings.push(Finding::of("ldap-only", &subject, &[]));
        }
    }
    providers(snapshot, findings);
    email(snapshot, purpose, findings);
}

/// The matching fields that are set, with their original names.
fn named(object: &Value, is_it: impl Fn(&str) -> bool) -> Vec<(&str, &Value)> {
    let fields = object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    fields.filter(|(name, value)| is_it(&squashed(name)) && is_set(value)).collect()
}

fn unsupported(delegated: &Value, findings: &mut Vec<Finding>) {
    type Named = fn(&str) -> bool;
    let rows: [(&str, Named); 3] = [
        ("saml", |name| name.starts_with("saml")),
        ("cas", |name| matches!(name, "cas" | "casconfig" | "casserver" | "casproviders")),
        ("jwt", |name| name.starts_with("jwt")),
    ];
    for (row, is_it) in rows {
        let found = named(delegated, is_it).into_iter();
        findings.extend(found.map(|(key, _)| Finding::of(row, format!("{DELEGATED}.{key}"), &[])));
    }
}

/// A separate component in some releases, and a section of Synapse's configuration in others.
fn group_sync(deployment: &Deployment, findings: &mut Vec<Finding>) {
    let is_it = |name: &str| name.contains("groupsync");
    let components = deployment.components().filter(|(name, value)| is_it(&squashed(name)) && exists(value));
    let mut places: Vec<String> = components.map(|(name, _)| format!("spec.components.{name}")).collect();
    for (path, object) in
        [("spec.components.synapse.config", deployment.synapse_config()), (DELEGATED, deployment.delegated_auth())]
    {
        places.extend(named(object, is_it).into_iter().map(|(key, _)| format!("{path}.{key}")));
    }
    findings.extend(places.into_iter().map(|place| Finding::of("group-sync", place, &[])));
}

/// Whether a section or a component is on. Without settings, it still exists.
fn exists(section: &Value) -> bool {
    section.as_object().is_some_and(serde_json::Map::is_empty) || is_set(section)
}

/// Whether local accounts are on: with their section, or if no other way to log in is configured.
fn local_accounts(delegated: &Value) -> bool {
    let is_it = |name: &str| name == "localpassworddatabase";
    let present = delegated.as_object().into_iter().flatten().find(|(name, _)| is_it(&squashed(name)));
    let other = |name: &str| ["oidc", "ldap", "saml", "cas", "jwt"].iter().any(|way| name.starts_with(way));
    present.map_or_else(|| named(delegated, other).is_empty(), |(_, section)| exists(section))
}

/// The OIDC providers of `delegatedAuth.oidc`: their IDs, and settings that MAS ignores.
fn providers(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    ids(&snapshot.deployment.identity_providers(), findings);
    let entries = snapshot.deployment.delegated_auth()["oidc"].as_array();
    for (index, entry) in entries.into_iter().flatten().enumerate() {
        for loss in losses(entry) {
            findings.push(rule(loss.setting).finding(format!("{OIDC}[{index}].{}", loss.key), &loss.module));
        }
    }
}

fn ids(providers: &[IdentityProvider], findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for provider in providers {
        let subject = format!("{OIDC}[{}].idpId", provider.index);
        if provider.idp_id.is_empty() {
            findings.push(Finding::of("idp-id-missing", subject, &[]));
            continue;
        }
        // MAS ignores case in IDs, so these two would be one provider.
        if let Some(first) = seen.insert(provider.idp_id.to_ascii_uppercase(), provider.index) {
            findings.push(Finding::of("idp-id-duplicate", &subject, &[("first", &first.to_string())]));
        }
        if let Some(problem) = not_kept(&provider.idp_id) {
            let id = format!("{:?}", provider.idp_id);
            findings.push(Finding::of("idp-id-not-ulid", subject, &[("id", &id), ("problem", &problem)]));
        }
    }
}

/// Why MAS changes or rejects the ID; `None` if it keeps it.
fn not_kept(id: &str) -> Option<String> {
    let upper = id.to_ascii_uppercase();
    if is_canonical_ulid(id) {
        None
    } else if is_canonical_ulid(&upper) {
        Some(format!("is a ULID in lower case; MAS changes it to {upper}, also in the redirect URI"))
    } else if upper.starts_with(|first: char| first.is_ascii_uppercase() || matches!(first, '8' | '9'))
        && is_canonical_ulid(&format!("0{}", &upper[1..]))
    {
        let text = "looks like a ULID, but its first character is above 7; MAS silently changes it to another ID";
        Some(text.to_owned())
    } else {
        Some("is not a ULID, which MAS requires as a provider's ID".to_owned())
    }
}

/// MAS needs e-mail delivery if users register or reset passwords. Source: the guide, step 1 of the wizard.
fn email(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    // `prepare` lists it among the manual steps.
    let delegated = snapshot.deployment.delegated_auth();
    if purpose == Purpose::Prepare || !local_accounts(delegated) || has_email(snapshot.deployment.mas()) {
        return;
    }
    let registers = delegated.as_object().into_iter().flatten().any(|(name, section)| {
        squashed(name) == "localpassworddatabase"
            && !named(section, |name| matches!(name, "enableregistration" | "registration" | "allowregistration"))
                .is_empty()
    });
    let what = match (registers, synapse_sends_email(snapshot)) {
        (false, false) => return,
        (true, false) => "users can register",
        (false, true) => "users can reset forgotten passwords by e-mail",
        (true, true) => "users can register and reset forgotten passwords",
    };
    let field = snapshot.features.known().and_then(|features| features.email.as_deref());
    let place = field.map_or_else(|| MAS.to_owned(), |field| format!("{MAS}.{field}"));
    findings.push(Finding::of("mas-email", place, &[("what", what)]));
}

fn synapse_sends_email(snapshot: &Snapshot) -> bool {
    let config = snapshot.deployment.synapse_config();
    let typed = |name: &str| matches!(name, "email" | "smtp" | "mail" | "emaildelivery" | "mailer");
    sends_email(snapshot) || named(config, typed).iter().any(|(_, value)| value.is_object())
}

/// Whether a field of the component looks like settings of a mail server.
fn has_email(component: Option<&Value>) -> bool {
    let Some(config) = component.map(|component| &component["config"]) else { return false };
    let mut stack = vec![(config, 0)];
    while let Some((value, depth)) = stack.pop() {
        for (name, value) in value.as_object().into_iter().flatten() {
            let name = squashed(name);
            if (name.contains("email") || name.contains("smtp") || name == "mail") && is_set(value) {
                return true;
            }
            if depth < 4 {
                stack.push((value, depth + 1));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests;
