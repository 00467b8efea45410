//! Bots, bridges and administrators' tools: what works with Synapse's own logins and may stop when MAS takes over.

use serde_json::Value;

use super::finding::{Code, Finding};
use super::snapshot::{Purpose, Snapshot};
use super::synapse::names_appservices;
use crate::deployment::squashed;

const BOTS: Code = "bots-and-bridges";
const ADMIN_TOOLS: Code = "admin-tools";

const APPSERVICES: &str = "spec.components.synapse.config.externalAppservices";

/// Components that neither log in as somebody else nor use Synapse's administration. `groupsync` has a finding of its own.
const CORE: &str = "synapse elementweb wellknowndelegation matrixauthenticationservice integrator sydent sygnal slidingsync \
                    matrixcontentscanner coturn jitsi elementcall elementcallsfu matrixrtc livekit hydrogen \
                    securebordergateway telemetry postgresql postgres redis haproxy groupsync";
const TOOLS: &str = "synapseadmin synapseadminui adminconsole";
const BRIDGES: &str = "hookshot bifrost telegram whatsapp slack teams signal skype xmpp irc sip";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    // Nothing that `prepare` writes touches them.
    if purpose == Purpose::Prepare {
        return;
    }
    let (mut bots, mut tools, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (component, value) in snapshot.deployment.components() {
        let name = squashed(component);
        let is_one_of = |names: &str| names.split(' ').any(|one| one == name);
        // A list of bridges may be empty.
        if value.as_array().is_some_and(Vec::is_empty) || value.is_null() || is_one_of(CORE) {
            continue;
        }
        if is_one_of(TOOLS) {
            tools.push(component);
        } else if name.contains("bot") || name.contains("bridge") || BRIDGES.split(' ').any(|one| name.starts_with(one))
        {
            bots.push(component);
        } else {
            others.push(component);
        }
    }
    let place = |components: &[&str]| format!("spec.components: {}", components.join(", "));
    let of_components = (!bots.is_empty()).then(|| place(&bots));
    for subject in of_components.into_iter().chain(appservices(snapshot.deployment.synapse_config())) {
        let text = "bots and bridges that encrypt stop at the activation, unless they know MSC4190: they log in with \
                    m.login.application_service, which MAS does not have. Others fail to register users without inhibit_login \
                    (Synapse 1.139 and later)";
        let remedy = "Before the activation bring them to releases that know MSC4190: Hookshot 7.2.0; mautrix bridges with \
                      encryption.msc4190: true. Synapse 1.141 and later ask it of all of them once MAS is active.";
        findings.push(Finding::warning(BOTS, subject, text).remedy(remedy));
    }
    if !others.is_empty() {
        let text = "whether this is a bot or a bridge, and whether it works with MAS, is not known here";
        let remedy = "Ask Element Support whether this component works with MAS in this release.";
        findings.push(Finding::unknown(BOTS, place(&others), text).remedy(remedy));
    }
    if !tools.is_empty() {
        let text = "tools and scripts for administrators lose their rights at the activation: a login at MAS gives none, access tokens \
                    without a device lose theirs, and Synapse no longer has the endpoints for logging in as a user, for the admin \
                    flag, for passwords and for registration tokens";
        let remedy = "Plan for it: `mas-cli manage promote-admin USER` and, for a token, `mas-cli manage issue-compatibility-token \
                      USER --yes-i-want-to-grant-synapse-admin-privileges` in MAS's pod. synapse-admin takes a token in the releases of \
                      etkecc/synapse-admin since October 2024.";
        findings.push(Finding::warning(ADMIN_TOOLS, place(&tools), text).remedy(remedy));
    }
}

/// Where appservices of somebody's own are registered, with their names.
fn appservices(config: &Value) -> Option<String> {
    let external = &config["externalAppservices"];
    let maps = external["configMaps"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let files = external["files"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let names: Vec<&str> = maps.chain(files).collect();
    if !names.is_empty() {
        return Some(format!("{APPSERVICES}: {}", names.join(", ")));
    }
    names_appservices(config).then(|| "spec.components.synapse.config.additional: app_service_config_files".to_owned())
}

#[cfg(test)]
mod tests;
