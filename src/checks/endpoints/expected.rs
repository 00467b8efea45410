//! The expected state of a deployment's endpoints, read from its spec.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::answers::Known;
use crate::checks::finding::{Finding, Table};
use crate::checks::snapshot::Snapshot;
use crate::deployment::{Deployment, IdentityProvider};
use crate::plan::SecretContents;
use crate::x509::RsaPrivateKey;

/// The phase, which decides the expected responses of Synapse and MAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointPhase {
    /// Legacy authentication, and no MAS yet.
    Before,
    /// MAS runs and is not active; Synapse works as before.
    Deployed,
    /// Activated, but not migrated: Synapse is stopped or stopping.
    Migrating,
    Active,
}

impl EndpointPhase {
    pub fn of(deployment: &Deployment) -> Self {
        match (deployment.mas_active(), deployment.active()) {
            (Some(true), _) => Self::Active,
            (_, Some(true)) => Self::Migrating,
            _ if deployment.mas().is_some() => Self::Deployed,
            _ => Self::Before,
        }
    }
}

/// What is known about the access token of `--token-file`, without the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenToken {
    /// The localpart that Synapse writes into its own tokens (`syt_<base64>_…`).
    pub localpart: Option<String>,
    /// The expected user, from the file.
    pub user: Option<String>,
    /// The expected device, from the file.
    pub device: Option<String>,
}

impl GivenToken {
    /// Reads the localpart in a token. Source: Synapse, `synapse/handlers/auth.py`.
    pub fn read(token: &str) -> Self {
        let encoded = token.strip_prefix("syt_").and_then(|rest| rest.split('_').next());
        let decoded = encoded.and_then(|encoded| STANDARD_NO_PAD.decode(encoded).ok());
        Self { localpart: decoded.and_then(|bytes| String::from_utf8(bytes).ok()), ..Self::default() }
    }
}

/// Beginnings of commands to copy, with this call's flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commands {
    /// `kubectl ess-mas verify NAME -n NAMESPACE`
    pub verify: String,
    /// `kubectl -n NAMESPACE`
    pub kubectl: String,
}

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| table!("checks/endpoints/findings"));

#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    pub phase: EndpointPhase,
    pub mas_host: Option<String>,
    pub synapse_host: Option<String>,
    pub server_name: Option<String>,
    /// Whether this deployment serves `.well-known` on the server name.
    pub well_known: bool,
    pub commands: Commands,
    pub secret_name: String,
    /// The modulus of the RSA key in the Secret, as MAS publishes it.
    pub modulus: Known<String>,
    pub providers: Vec<IdentityProvider>,
    /// Upper limit of Synapse processes that respond to clients.
    pub processes: usize,
    pub token: Option<GivenToken>,
    /// The user of `--login-file`.
    pub test_user: Option<String>,
}

impl Expected {
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
            modulus: modulus(snapshot).into(),
            providers: deployment.identity_providers(),
            processes: processes(deployment),
            token,
            test_user: None,
        }
    }

    /// The finding of this name in the table, with values for its placeholders.
    pub(super) fn finding(&self, name: &str, subject: impl Into<String>, values: &[(&str, &str)]) -> Finding {
        TABLE.finding(name, subject, values, |name| match name {
            "kubectl" => self.commands.kubectl.clone(),
            "verify" => self.commands.verify.clone(),
            "secret" => self.secret_name.clone(),
            _ => String::new(),
        })
    }

    /// Number of requests that reach every process. Behind a load balancer that picks one of n at random, n·(ln n + 3) requests
    /// miss one in 5 % of cases (coupon collector's problem). The limit of 40 avoids rate limits.
    pub fn tries(&self) -> usize {
        let rounds = 3 + usize::try_from(self.processes.max(1).ilog2()).unwrap_or_default();
        self.processes.saturating_mul(rounds).clamp(4, 40)
    }
}

fn modulus(snapshot: &Snapshot) -> Result<String, String> {
    let key = snapshot.secret_keys().rsa_private_key;
    let SecretContents { name, data, .. } = match &snapshot.secret {
        Known::Unreadable(why) => return Err(format!("the Secret couldn't be read: {why}")),
        Known::Known(None) => return Err("the Secret to compare with doesn't exist".to_owned()),
        Known::Known(Some(secret)) => secret,
    };
    let value = data.get(&key).ok_or_else(|| format!("Secret {name} has no key {key}"))?;
    let parsed = RsaPrivateKey::parse(value.expose());
    Ok(parsed.map_err(|error| format!("the key in Secret {name} is invalid: {error}"))?.modulus_base64url())
}

fn processes(deployment: &Deployment) -> usize {
    let workers = deployment.synapse_config()["workers"].as_array();
    let instances = |worker: &serde_json::Value| worker["instances"].as_u64().unwrap_or(1);
    let workers: u64 = workers.into_iter().flatten().map(instances).sum();
    usize::try_from(workers.min(100)).unwrap_or(100) + 1
}
