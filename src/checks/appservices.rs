//! Bots, bridges and administrators' tools: what works with Synapse's own logins and may stop when MAS takes over.

use serde_json::Value;

use super::finding::{Finding, codes};
use super::oidc::squashed;
use super::snapshot::{Snapshot, Step};
use super::synapse::names_appservices;

const APPSERVICES: &str = "spec.components.synapse.config.externalAppservices";

/// Components that neither log in as somebody else nor use Synapse's administration.
const CORE: [&str; 23] = [
    "synapse",
    "elementweb",
    "wellknowndelegation",
    "matrixauthenticationservice",
    "integrator",
    "sydent",
    "sygnal",
    "slidingsync",
    "matrixcontentscanner",
    "coturn",
    "jitsi",
    "elementcall",
    "elementcallsfu",
    "matrixrtc",
    "livekit",
    "hydrogen",
    "securebordergateway",
    "telemetry",
    "postgresql",
    "postgres",
    "redis",
    "haproxy",
    // It has a finding of its own.
    "groupsync",
];

const ADMIN_TOOLS: [&str; 3] = ["synapseadmin", "synapseadminui", "adminconsole"];

enum Kind {
    Bot,
    AdminTool,
    NotKnown,
}

fn kind(component: &str) -> Option<Kind> {
    let name = squashed(component);
    let known =
        ["hookshot", "bifrost", "telegram", "whatsapp", "slack", "teams", "signal", "skype", "xmpp", "irc", "sip"];
    if CORE.contains(&name.as_str()) {
        None
    } else if ADMIN_TOOLS.contains(&name.as_str()) {
        Some(Kind::AdminTool)
    } else if name.contains("bot") || name.contains("bridge") || known.iter().any(|bot| name.starts_with(bot)) {
        Some(Kind::Bot)
    } else {
        Some(Kind::NotKnown)
    }
}

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    // Nothing that `prepare` writes touches them.
    if step == Step::Prepare {
        return;
    }
    let (mut bots, mut tools, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (component, value) in snapshot.deployment.components() {
        match kind(component) {
            // A list of bridges may be empty.
            _ if value.as_array().is_some_and(Vec::is_empty) || value.is_null() => {}
            Some(Kind::Bot) => bots.push(component),
            Some(Kind::AdminTool) => tools.push(component),
            Some(Kind::NotKnown) => others.push(component),
            None => {}
        }
    }
    if !bots.is_empty() {
        findings.push(may_stop(&place(&bots)));
    }
    if let Some(names) = appservices(snapshot) {
        findings.push(may_stop(&names));
    }
    if !others.is_empty() {
        let text = "whether this is a bot or a bridge, and whether it works with MAS, is not known here";
        findings.push(
            Finding::unknown(codes::BOTS, place(&others), text)
                .remedy("Ask Element Support whether this component works with MAS in this release."),
        );
    }
    if !tools.is_empty() {
        findings.push(
            Finding::warning(
                codes::ADMIN_TOOLS,
                place(&tools),
                "tools and scripts for administrators lose their rights at the activation: a login at MAS gives none, access tokens \
                 without a device lose theirs, and Synapse no longer has the endpoints for logging in as a user, for the admin \
                 flag, for passwords and for registration tokens",
            )
            .remedy(
                "Plan for it: `mas-cli manage promote-admin USER` and, for a token, `mas-cli manage issue-compatibility-token \
                 USER --yes-i-want-to-grant-synapse-admin-privileges` in MAS's pod. synapse-admin takes a token in the releases of \
                 etkecc/synapse-admin since October 2024.",
            ),
        );
    }
}

fn place(components: &[&str]) -> String {
    format!("spec.components: {}", components.join(", "))
}

fn may_stop(subject: &str) -> Finding {
    Finding::warning(
        codes::BOTS,
        subject,
        "bots and bridges that encrypt stop at the activation, unless they know MSC4190: they log in with \
         m.login.application_service, which MAS does not have. Others fail to register users without inhibit_login \
         (Synapse 1.139 and later)",
    )
    .remedy(
        "Before the activation bring them to releases that know MSC4190: Hookshot 7.2.0; mautrix bridges with \
         encryption.msc4190: true. Synapse 1.141 and later ask it of all of them once MAS is active.",
    )
}

/// Where appservices of somebody's own are registered, with their names.
fn appservices(snapshot: &Snapshot) -> Option<String> {
    let synapse = snapshot.deployment.component("synapse")?;
    let external = &synapse["config"]["externalAppservices"];
    let mut names: Vec<&str> =
        external["configMaps"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    names.extend(external["files"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()));
    if !names.is_empty() {
        return Some(format!("{APPSERVICES}: {}", names.join(", ")));
    }
    names_appservices(synapse).then(|| "spec.components.synapse.config.additional: app_service_config_files".to_owned())
}

#[cfg(test)]
mod tests;
