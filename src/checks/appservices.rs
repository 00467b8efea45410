//! Bots, bridges and administration tools that rely on Synapse's logins and can stop working with MAS.

use serde_json::Value;

use super::finding::{Code, Finding};
use super::snapshot::{Purpose, Snapshot};
use super::synapse::names_appservices;
use crate::deployment::squashed;

const BOTS: Code = "bots-and-bridges";
const ADMIN_TOOLS: Code = "admin-tools";

const APPSERVICES: &str = "spec.components.synapse.config.externalAppservices";

/// Components that neither log in as other users nor use Synapse's admin API. `groupsync` has a separate finding.
const CORE: &str = "synapse elementweb wellknowndelegation matrixauthenticationservice integrator sydent sygnal slidingsync \
                    matrixcontentscanner coturn jitsi elementcall elementcallsfu matrixrtc livekit hydrogen \
                    securebordergateway telemetry postgresql postgres redis haproxy groupsync";
const TOOLS: &str = "synapseadmin synapseadminui adminconsole";
const BRIDGES: &str = "hookshot bifrost telegram whatsapp slack teams signal skype xmpp irc sip";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    // `prepare` doesn't affect them.
    if purpose == Purpose::Prepare {
        return;
    }
    let (mut bots, mut tools, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (component, value) in snapshot.deployment.components() {
        let name = squashed(component);
        let is_one_of = |names: &str| names.split(' ').any(|one| one == name);
        // A list of bridges can be empty.
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
        let text = "bots and bridges with encryption stop working at the activation unless they support MSC4190: MAS has no \
                    m.login.application_service. Others can't register users without inhibit_login (Synapse 1.139 and later)";
        let remedy = "Before the activation, upgrade them to releases that support MSC4190: Hookshot 7.2.0; mautrix bridges with \
                      encryption.msc4190: true. With MAS, Synapse 1.141 and later require it.";
        findings.push(Finding::warning(BOTS, subject, text).remedy(remedy));
    }
    if !others.is_empty() {
        let text = "it is not known whether this component is a bot or a bridge, and whether it works with MAS";
        let remedy = "Ask Element Support whether this component works with MAS in this release.";
        findings.push(Finding::unknown(BOTS, place(&others), text).remedy(remedy));
    }
    if !tools.is_empty() {
        let text = "administration tools and scripts lose their permissions at the activation: logins at MAS and tokens without a \
                    device have none. Synapse removes the endpoints for logins as a user, the admin flag, passwords and registration \
                    tokens";
        let remedy = "In MAS's pod, use `mas-cli manage promote-admin USER`, and for a token `mas-cli manage issue-compatibility-token \
                      USER --yes-i-want-to-grant-synapse-admin-privileges`. Releases of etkecc/synapse-admin since October 2024 \
                      accept a token.";
        findings.push(Finding::warning(ADMIN_TOOLS, place(&tools), text).remedy(remedy));
    }
}

/// The field that registers external application services, with their names.
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
