//! How people log in today, and whether that can be migrated.

use std::collections::BTreeMap;

use serde_json::Value;

use super::finding::{Finding, codes};
use super::snapshot::Snapshot;
use crate::deployment::{ChartRelease, IdentityProvider};

const OIDC: &str = "spec.components.synapse.config.delegatedAuth.oidc";

pub(super) fn check(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let delegated = deployment.component("synapse").map_or(&Value::Null, |synapse| &synapse["config"]["delegatedAuth"]);
    if is_set(&delegated["saml"]) {
        findings.push(
            Finding::blocker(
                codes::SAML,
                "spec.components.synapse.config.delegatedAuth.saml",
                "people log in with SAML, which cannot be migrated",
            )
            .remedy("Reach out to Element Support about SAML before you go on.")
            .guide(),
        );
    }
    if let Some((component, _)) = deployment.components().find(|(name, _)| name.eq_ignore_ascii_case("groupsync")) {
        findings.push(
            Finding::blocker(
                codes::GROUP_SYNC,
                format!("spec.components.{component}"),
                "GroupSync is not supported with MAS; it needs legacy authentication",
            )
            .remedy("Take GroupSync out, or stay with legacy authentication."),
        );
    }
    if is_set(&delegated["ldap"]) {
        ldap(snapshot, findings);
    }
    providers(&deployment.identity_providers(), findings);
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(fields) => !fields.is_empty() && fields.get("enabled") != Some(&Value::Bool(false)),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn ldap(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let subject = "spec.components.synapse.config.delegatedAuth.ldap";
    let new_enough = snapshot.chart.as_ref().and_then(|chart| chart.is_at_least(ChartRelease::FIRST_WITH_LDAP));
    findings.push(match new_enough {
        Some(true) => Finding::ok(codes::LDAP, subject, "this release migrates LDAP"),
        Some(false) => Finding::blocker(codes::LDAP, subject, "people log in with LDAP, which this release cannot migrate")
            .remedy("Upgrade to ESS Classic 25.10.1 (chart 2.29.0) or later first.")
            .guide(),
        None => Finding::unknown(
            codes::LDAP,
            subject,
            "people log in with LDAP, which needs ESS Classic 25.10.1 (chart 2.29.0); the installed version could not be found out",
        )
        .remedy("Make sure that the installed release is 25.10.1 (chart 2.29.0) or later.")
        .guide(),
    });
}

fn providers(providers: &[IdentityProvider], findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for provider in providers {
        let subject = format!("{OIDC}[{}].idpId", provider.index);
        if provider.idp_id.is_empty() {
            findings.push(
                Finding::blocker(codes::IDP_ID_MISSING, subject, "the identity provider has no idpId, so it has no redirect URI at MAS")
                    .remedy("Ask Element Support how the provider is to be named; do not invent an id, people's links hang on it."),
            );
            continue;
        }
        // MAS reads ids without regard to case, so these two would be one provider.
        if let Some(first) = seen.insert(provider.idp_id.to_ascii_uppercase(), provider.index) {
            findings.push(
                Finding::blocker(
                    codes::IDP_ID_DUPLICATE,
                    &subject,
                    format!("it is the same id as that of entry {first}"),
                )
                .remedy("Give each identity provider an id of its own."),
            );
        }
        if !provider.id_is_canonical_ulid() {
            findings.push(
                Finding::warning(
                    codes::IDP_ID_NOT_ULID,
                    subject,
                    format!("{:?} is not a ULID in its canonical form, which is what MAS takes as a provider's id", provider.idp_id),
                )
                .remedy(
                    "Ask Element Support before you go on. Do not rename it: people's links to the provider hang on this id. \
                     The redirect URI that MAS uses may differ from the one shown here.",
                ),
            );
        }
    }
}
