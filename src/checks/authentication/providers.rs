//! The OIDC providers of `delegatedAuth.oidc`: ids that MAS keeps, and what does not come along.

use std::collections::BTreeMap;

use super::super::finding::{Code, Finding};
use super::super::snapshot::Snapshot;
use super::super::synapse::oidc::losses;
use crate::deployment::{IdentityProvider, is_canonical_ulid};

const IDP_ID_MISSING: Code = "idp-id-missing";
const IDP_ID_DUPLICATE: Code = "idp-id-duplicate";
const IDP_ID_NOT_ULID: Code = "idp-id-not-ulid";

const OIDC: &str = "spec.components.synapse.config.delegatedAuth.oidc";

pub(super) fn check(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    ids(&snapshot.deployment.identity_providers(), findings);
    let entries = snapshot.deployment.delegated_auth()["oidc"].as_array();
    for (index, entry) in entries.into_iter().flatten().enumerate() {
        findings.extend(
            losses(entry)
                .into_iter()
                .map(|loss| loss.setting.finding(format!("{OIDC}[{index}].{}", loss.key), &loss.module)),
        );
    }
}

fn ids(providers: &[IdentityProvider], findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for provider in providers {
        let subject = format!("{OIDC}[{}].idpId", provider.index);
        if provider.idp_id.is_empty() {
            let text = "the identity provider has no idpId, so it has no redirect URI at MAS";
            let remedy =
                "Ask Element Support how the provider is to be named; do not invent an id, people's links hang on it.";
            findings.push(Finding::blocker(IDP_ID_MISSING, subject, text).remedy(remedy));
            continue;
        }
        // MAS reads ids without regard to case, so these two would be one provider.
        if let Some(first) = seen.insert(provider.idp_id.to_ascii_uppercase(), provider.index) {
            let text = format!("it is the same id as that of entry {first}");
            let remedy = "Ask Element Support which of the two is in use; do not rename that one, people's links hang on its id.";
            findings.push(Finding::blocker(IDP_ID_DUPLICATE, &subject, text).remedy(remedy));
        }
        if let Some(problem) = not_kept(&provider.idp_id) {
            let text = format!("{:?} {problem}", provider.idp_id);
            let remedy = "Ask Element Support before you go on. Do not rename it: people's links to the provider hang on this id. \
                          The redirect URI that MAS uses may differ from the one shown here.";
            findings.push(Finding::warning(IDP_ID_NOT_ULID, subject, text).remedy(remedy));
        }
    }
}

/// Why MAS does not keep the id as it is; `None` if it does.
fn not_kept(id: &str) -> Option<String> {
    let upper = id.to_ascii_uppercase();
    if is_canonical_ulid(id) {
        None
    } else if is_canonical_ulid(&upper) {
        Some(format!("is a ULID in lower case; MAS turns it into {upper}, also in the redirect URI"))
    } else if upper.starts_with(|first: char| first.is_ascii_uppercase() || matches!(first, '8' | '9'))
        && is_canonical_ulid(&format!("0{}", &upper[1..]))
    {
        let text = "looks like a ULID, but begins with more than 7; MAS would silently make another id of it";
        Some(text.to_owned())
    } else {
        Some("is not a ULID, which is what MAS takes as a provider's id".to_owned())
    }
}
