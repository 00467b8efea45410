//! Bots, bridges and administration tools that rely on Synapse's logins and can stop working with MAS.

use serde_json::Value;

use super::finding::Finding;
use super::snapshot::{Purpose, Snapshot};
use super::synapse::names_appservices;
use crate::deployment::squashed;

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
    let subjects = of_components.into_iter().chain(appservices(snapshot.deployment.synapse_config()));
    findings.extend(subjects.map(|subject| Finding::of("bots", subject, &[])));
    for (name, components) in [("unknown-components", others), ("admin-tools", tools)] {
        if !components.is_empty() {
            findings.push(Finding::of(name, place(&components), &[]));
        }
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
