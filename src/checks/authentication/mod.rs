//! How people log in today, and whether that can be migrated.
//!
//! Of `delegatedAuth` only some names are known for sure, so they are read in either spelling and as one object or a list.

mod providers;

use serde_json::Value;

use super::finding::{Code, Finding};
use super::snapshot::{Purpose, Snapshot};
use super::synapse::sends_email;
use crate::deployment::{ChartRelease, Deployment, squashed};

const SAML: Code = "saml-not-supported";
const CAS: Code = "cas-not-supported";
const JWT: Code = "jwt-not-supported";
const GROUP_SYNC: Code = "group-sync-not-supported";
const LDAP: Code = "ldap-needs-release";
const LDAP_ONLY: Code = "ldap-only";
const MAS_EMAIL: Code = "mas-email";

const DELEGATED: &str = "spec.components.synapse.config.delegatedAuth";
const MAS: &str = "spec.components.matrixAuthenticationService";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let delegated = snapshot.deployment.delegated_auth();
    unsupported(delegated, findings);
    group_sync(&snapshot.deployment, findings);
    let ldap = named(delegated, |name| name.starts_with("ldap"));
    if let Some((key, _)) = ldap.first() {
        let subject = format!("{DELEGATED}.{key}");
        findings.push(ldap_needs_release(snapshot, &subject));
        if !local_accounts(delegated) {
            findings.push(ldap_only(&subject));
        }
    }
    providers::check(snapshot, findings);
    email(snapshot, purpose, findings);
}

/// The fields of this kind that are set, with their names as they stand.
fn named(object: &Value, is_it: impl Fn(&str) -> bool) -> Vec<(&str, &Value)> {
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(name, value)| is_it(&squashed(name)) && is_set(value))
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(fields) => {
            let off = |key: &str| fields.get(key) == Some(&Value::Bool(false));
            !fields.is_empty() && !off("enabled") && !off("enable")
        }
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn unsupported(delegated: &Value, findings: &mut Vec<Finding>) {
    type Named = fn(&str) -> bool;
    let rows: [(Code, &str, &str, Named); 3] = [
        (SAML, "SAML", "SAML", |name| name.starts_with("saml")),
        (CAS, "CAS", "CAS", |name| matches!(name, "cas" | "casconfig" | "casserver" | "casproviders")),
        (JWT, "JSON Web Tokens", "this", |name| name.starts_with("jwt")),
    ];
    for (code, what, support, is_it) in rows {
        for (key, _) in named(delegated, is_it) {
            let text = format!("people log in with {what}, which cannot be migrated");
            let remedy = format!("Reach out to Element Support about {support} before you go on.");
            findings.push(Finding::blocker(code, format!("{DELEGATED}.{key}"), text).remedy(remedy).guide());
        }
    }
}

/// It is a component of its own in some releases, and a section of Synapse's in others.
fn group_sync(deployment: &Deployment, findings: &mut Vec<Finding>) {
    let is_it = |name: &str| name.contains("groupsync");
    // A component without any settings is there all the same.
    let there = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty) || is_set(value);
    let components = deployment.components().filter(|(name, value)| is_it(&squashed(name)) && there(value));
    let mut places: Vec<String> = components.map(|(name, _)| format!("spec.components.{name}")).collect();
    for (path, object) in
        [("spec.components.synapse.config", deployment.synapse_config()), (DELEGATED, deployment.delegated_auth())]
    {
        places.extend(named(object, is_it).into_iter().map(|(key, _)| format!("{path}.{key}")));
    }
    findings.extend(places.into_iter().map(|place| {
        let text = "GroupSync is not supported with MAS; it needs legacy authentication";
        Finding::blocker(GROUP_SYNC, place, text).remedy("Take GroupSync out, or stay with legacy authentication.")
    }));
}

/// Local accounts are on where their section is, or where no way to log in is configured at all.
fn local_accounts(delegated: &Value) -> bool {
    let is_it = |name: &str| name == "localpassworddatabase";
    let present = delegated.as_object().into_iter().flatten().find(|(name, _)| is_it(&squashed(name)));
    match present {
        Some((_, Value::Object(fields))) => {
            ["enabled", "enable"].iter().all(|key| fields.get(*key) != Some(&Value::Bool(false)))
        }
        Some((_, value)) => is_set(value),
        None => {
            let other = |name: &str| ["oidc", "ldap", "saml", "cas", "jwt"].iter().any(|way| name.starts_with(way));
            named(delegated, other).is_empty()
        }
    }
}

fn ldap_needs_release(snapshot: &Snapshot, subject: &str) -> Finding {
    let new_enough = snapshot.chart.as_ref().and_then(|chart| chart.is_at_least(ChartRelease::FIRST_WITH_LDAP));
    match new_enough {
        Some(true) => Finding::ok(LDAP, subject, "this release migrates LDAP"),
        Some(false) => Finding::blocker(LDAP, subject, "people log in with LDAP, which this release cannot migrate")
            .remedy("Upgrade to ESS Classic 25.10.1 (chart 2.29.0) or later first.")
            .guide(),
        None => {
            let text = "people log in with LDAP, which needs ESS Classic 25.10.1 (chart 2.29.0); the installed version could not be found out";
            let remedy = "Make sure that the installed release is 25.10.1 (chart 2.29.0) or later.";
            Finding::unknown(LDAP, subject, text).remedy(remedy).guide()
        }
    }
}

fn ldap_only(subject: &str) -> Finding {
    let text = "LDAP is the only one that checks passwords here; syn2mas warns about that, and a warning may be enough to fail the dry run";
    let remedy = "With ESS Classic 25.10.1 or later this is expected. Watch the dry run; if it fails over this, ask Element Support.";
    Finding::warning(LDAP_ONLY, subject, text).remedy(remedy)
}

/// The guide, step 1 of the wizard: e-mail delivery is needed where people register or reset passwords themselves.
fn email(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    // At `prepare` it is on the list of what is left to be done by hand.
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
        (true, false) => "people register here themselves",
        (false, true) => "people reset forgotten passwords here by e-mail",
        (true, true) => "people register and reset forgotten passwords here themselves",
    };
    let field = snapshot.features.known().and_then(|features| features.email.as_deref());
    let place = field.map_or_else(|| MAS.to_owned(), |field| format!("{MAS}.{field}"));
    let text =
        format!("{what}; with MAS it is MAS that sends these mails, and no e-mail delivery is configured for it");
    let remedy = "Configure e-mail delivery for MAS before the activation, in the manifest or the installer.";
    findings.push(Finding::warning(MAS_EMAIL, place, text).remedy(remedy).guide());
}

fn synapse_sends_email(snapshot: &Snapshot) -> bool {
    let config = snapshot.deployment.synapse_config();
    let typed = |name: &str| matches!(name, "email" | "smtp" | "mail" | "emaildelivery" | "mailer");
    sends_email(snapshot) || named(config, typed).iter().any(|(_, value)| value.is_object())
}

/// Whether anything in the component looks like a mail server's settings.
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
