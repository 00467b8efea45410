//! The settings of MAS, without secrets.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::deployment::{Deployment, Features, TlsMode};

/// The guide's `config.postgresql`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    pub host: String,
    pub port: u16,
    pub name: String,
    pub user: String,
    /// libpq's `sslmode`; `None` means the operator's default.
    pub ssl_mode: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "mode")]
pub enum Tls {
    /// The mode in `spec.global.k8s.ingresses.tls`.
    Inherit,
    External,
    Certmanager {
        issuer: String,
    },
    /// A `kubernetes.io/tls` Secret.
    Existing {
        secret: String,
    },
    /// Two keys of the component's own Secret.
    Certfile,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MasSettings {
    pub host: String,
    pub database: Database,
    pub tls: Tls,
    /// The Secret with the secret values; always written, never left to a default.
    pub secret_name: String,
}

/// A setting that the ElementDeployment of this cluster doesn't support.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    #[error("the ElementDeployment of this release has no sslMode for MAS; omit --database-sslmode")]
    NoSslMode,
    #[error("sslmode {0:?} is not one of {1}")]
    UnknownSslMode(String, String),
    #[error("the ElementDeployment of this release doesn't support TLS mode {0:?}; supported modes: {1}")]
    UnknownTlsMode(String, String),
}

impl MasSettings {
    pub fn check(&self, features: &Features) -> Result<(), SettingsError> {
        if let Some(mode) = &self.database.ssl_mode {
            let known = features.ssl_modes.as_ref().ok_or(SettingsError::NoSslMode)?;
            if !known.is_empty() && !known.contains(mode) {
                return Err(SettingsError::UnknownSslMode(mode.clone(), known.join(", ")));
            }
        }
        if let Some(tls) = self.tls_patch(("", "")) {
            let (known, name) =
                (features.tls_modes.as_deref().unwrap_or_default(), tls["mode"].as_str().unwrap_or_default());
            if features.tls_modes.is_none() || (!known.is_empty() && known.iter().all(|mode| mode != name)) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(SettingsError::UnknownTlsMode(name.to_owned(), known));
            }
        }
        Ok(())
    }

    /// The effective TLS mode, own or inherited; `None` if none is set.
    pub fn tls_mode(&self, deployment: &Deployment) -> Option<TlsMode> {
        match self.tls {
            Tls::External => Some(TlsMode::External),
            Tls::Certmanager { .. } => Some(TlsMode::Certmanager),
            Tls::Existing { .. } => Some(TlsMode::Existing),
            Tls::Certfile => Some(TlsMode::Certfile),
            Tls::Inherit => deployment.tls_mode("matrixAuthenticationService").map(|(mode, _)| mode),
        }
    }

    /// The settings in the object, if complete.
    pub fn of(deployment: &Deployment) -> Option<Self> {
        let postgres = deployment.postgres("matrixAuthenticationService")?;
        let tls = &deployment.mas()?["k8s"]["ingress"]["tls"];
        let tls = match tls["mode"].as_str() {
            Some("external") => Tls::External,
            Some("certmanager") => {
                Tls::Certmanager { issuer: tls["certmanager"]["issuer"].as_str().unwrap_or_default().to_owned() }
            }
            Some("existing") => Tls::Existing { secret: tls["secretName"].as_str().unwrap_or_default().to_owned() },
            Some("certfile") => Tls::Certfile,
            _ => Tls::Inherit,
        };
        Some(Self {
            host: deployment.mas_host()?.to_owned(),
            database: Database {
                host: postgres.host?,
                port: postgres.port.unwrap_or(5432),
                name: postgres.database?,
                user: postgres.user?,
                ssl_mode: postgres.ssl_mode,
            },
            tls,
            secret_name: deployment.mas_secret_name()?.to_owned(),
        })
    }

    /// The component as a JSON merge patch over `current`: the guide's fields, an explicit `active: false` (its default may
    /// differ), and `null` for the settings of a previous TLS mode.
    pub(super) fn component(&self, current: Option<&Value>, certfile_keys: (&str, &str)) -> Value {
        let database = &self.database;
        let mut postgresql =
            json!({"host": database.host, "port": database.port, "database": database.name, "user": database.user});
        if let Some(mode) = &database.ssl_mode {
            postgresql["sslMode"] = json!(mode);
        }
        let mut ingress = json!({"fqdn": self.host});
        if let Some(mut tls) = self.tls_patch(certfile_keys) {
            let present = current.map_or(&Value::Null, |component| &component["k8s"]["ingress"]["tls"]);
            for leftover in present.as_object().into_iter().flatten().map(|(key, _)| key) {
                if tls.get(leftover).is_none() {
                    tls[leftover] = Value::Null;
                }
            }
            ingress["tls"] = tls;
        }
        json!({
            "secretName": self.secret_name,
            "config": {"active": false, "postgresql": postgresql},
            "k8s": {"ingress": ingress},
        })
    }

    fn tls_patch(&self, (certificate, private_key): (&str, &str)) -> Option<Value> {
        Some(match &self.tls {
            Tls::Inherit => return None,
            Tls::External => json!({"mode": "external"}),
            Tls::Certmanager { issuer } => json!({"mode": "certmanager", "certmanager": {"issuer": issuer}}),
            Tls::Existing { secret } => json!({"mode": "existing", "secretName": secret}),
            Tls::Certfile => json!({"mode": "certfile",
                "certificate": {"certFileSecretKey": certificate, "privateKeySecretKey": private_key}}),
        })
    }
}
