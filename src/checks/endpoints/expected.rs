//! What is to be expected of a deployment, read from its spec.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::answers::Known;
use crate::checks::snapshot::Snapshot;
use crate::deployment::{Deployment, IdentityProvider};
use crate::x509::RsaPrivateKey;

/// What Synapse and MAS have to answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointPhase {
    /// Legacy authentication, and no MAS yet.
    Before,
    /// MAS is up and not active; Synapse works as before.
    Rehearsed,
    /// The switch is on, the migration not done: Synapse is down, or about to be.
    Migrating,
    Active,
}

impl EndpointPhase {
    pub fn of(deployment: &Deployment) -> Self {
        match (deployment.mas_active(), deployment.active()) {
            (Some(true), _) => Self::Active,
            (_, Some(true)) => Self::Migrating,
            _ if deployment.mas().is_some() => Self::Rehearsed,
            _ => Self::Before,
        }
    }
}

/// An access token that was given, as far as it may be talked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenToken {
    /// The localpart that Synapse writes into its own tokens (`syt_<base64>_…`).
    pub localpart: Option<String>,
    /// The user that it named before, where that was given beside it.
    pub user: Option<String>,
    /// The device that it named before, where that was given beside it.
    pub device: Option<String>,
}

impl GivenToken {
    /// Reads what a token says of itself. Source: Synapse, `synapse/handlers/auth.py`.
    pub fn read(token: &str) -> Self {
        let encoded = token.strip_prefix("syt_").and_then(|rest| rest.split('_').next());
        let decoded = encoded.and_then(|encoded| STANDARD_NO_PAD.decode(encoded).ok());
        Self { localpart: decoded.and_then(|bytes| String::from_utf8(bytes).ok()), ..Self::default() }
    }
}

/// Beginnings of commands that people can copy, with the flags of this call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commands {
    /// `kubectl ess-mas verify NAME -n NAMESPACE`
    pub verify: String,
    /// `kubectl -n NAMESPACE`
    pub kubectl: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    pub phase: EndpointPhase,
    pub mas_host: Option<String>,
    pub synapse_host: Option<String>,
    pub server_name: Option<String>,
    /// Whether this deployment serves the server name's `.well-known`.
    pub well_known: bool,
    pub commands: Commands,
    pub secret_name: String,
    /// The modulus of the RSA key in the Secret as MAS publishes it; a sentence says why it is not known.
    pub modulus: Known<String>,
    pub providers: Vec<IdentityProvider>,
    /// How many processes of Synapse there may be that answer clients.
    pub processes: usize,
    pub token: Option<GivenToken>,
    /// The user of the test account that was given.
    pub test_user: Option<String>,
}

impl Expected {
    /// Reads it from what was gathered. `token` is what was given.
    pub fn of(snapshot: &Snapshot, token: Option<GivenToken>, commands: Commands) -> Self {
        let deployment = &snapshot.deployment;
        let settings = snapshot.settings.as_ref();
        let mas_host = deployment.mas_host().or_else(|| settings.map(|settings| settings.host.as_str()));
        Self {
            phase: EndpointPhase::of(deployment),
            mas_host: mas_host.map(str::to_owned),
            synapse_host: deployment.ingress_host("synapse").map(str::to_owned),
            server_name: deployment.domain_name().map(str::to_owned),
            well_known: deployment.component("wellKnownDelegation").is_some(),
            commands,
            secret_name: settings.map(|settings| settings.secret_name.clone()).unwrap_or_default(),
            modulus: modulus(snapshot),
            providers: deployment.identity_providers(),
            processes: processes(deployment),
            token,
            test_user: None,
        }
    }

    /// Where to look when a service does not answer as it has to.
    pub(super) fn look_at(&self, service: &str) -> String {
        format!("See whether {service} runs and its ingress leads to it: {} get pods,ingresses", self.commands.kubectl)
    }

    /// How to look at a host that cannot be reached from here.
    pub(super) fn another_way(&self, host: &str) -> String {
        let verify = &self.commands.verify;
        format!(
            "To look from here, name an address (--resolve {host}:443:ADDRESS) or go through the cluster: `{verify} --through-cluster`."
        )
    }

    /// How often to ask what each process answers for itself. A load balancer does not tell which one answered. One that
    /// picks at random leaves one of n out in one case of twenty after n·(ln n + 3) tries (the coupon collector's problem); a
    /// logarithm that rounds is good enough. Not so often that the caller is locked out for it.
    pub fn tries(&self) -> usize {
        let rounds = 3 + usize::try_from(self.processes.max(1).ilog2()).unwrap_or_default();
        self.processes.saturating_mul(rounds).clamp(4, 40)
    }
}

fn modulus(snapshot: &Snapshot) -> Known<String> {
    let keys = snapshot.secret_keys();
    match &snapshot.secret {
        Known::Unreadable(why) => Known::Unreadable(format!("the Secret could not be read: {why}")),
        Known::Known(None) => Known::Unreadable("there is no Secret to compare with".to_owned()),
        Known::Known(Some(secret)) => match secret.data.get(&keys.rsa_private_key) {
            None => Known::Unreadable(format!("Secret {} has no key {}", secret.name, keys.rsa_private_key)),
            Some(value) => match RsaPrivateKey::parse(value.expose()) {
                Ok(key) => Known::Known(key.modulus_base64url()),
                Err(error) => Known::Unreadable(format!("the key in Secret {} cannot be used: {error}", secret.name)),
            },
        },
    }
}

fn processes(deployment: &Deployment) -> usize {
    let workers = deployment.synapse_config()["workers"].as_array();
    let instances = |worker: &serde_json::Value| worker["instances"].as_u64().unwrap_or(1);
    let workers: u64 = workers.into_iter().flatten().map(instances).sum();
    usize::try_from(workers.min(100)).unwrap_or(100) + 1
}
