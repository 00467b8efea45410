//! Realistic objects: an `ElementDeployment` with two OIDC providers and local accounts, and its Secrets.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, ObjectMeta, PostParams};
use serde_json::{Value, json};

use crate::{Result, crds};

/// The identity providers' `idpId`s: valid ULIDs, as MAS requires.
pub const IDP_IDS: [&str; 2] = ["01JABCDEFGHJKMNPQRSTVWXYZ0", "01JBCDEFGHJKMNPQRSTVWXYZ01"];

/// An `ElementDeployment` on legacy authentication with its Secrets. All names are derived from the parameters, so that no test
/// can depend on fixed ones.
#[derive(Clone, Debug)]
pub struct Deployment {
    name: String,
    namespace: String,
    domain: String,
    object: Value,
}

impl Deployment {
    /// For the domain `example.com`.
    pub fn new(name: &str, namespace: &str) -> Self {
        Self::for_domain(name, namespace, "example.com")
    }

    /// For a domain, with the hosts `matrix.`, `element.` and so on.
    pub fn for_domain(name: &str, namespace: &str, domain: &str) -> Self {
        let object = json!({
            "apiVersion": "matrix.element.io/v1alpha2",
            "kind": "ElementDeployment",
            "metadata": { "name": name, "namespace": namespace },
            "spec": {
                "global": {
                    "secretName": format!("{name}-global"),
                    "config": { "domainName": domain },
                    "k8s": { "ingresses": {
                        "ingressClassName": "public",
                        // Without certificates in the cluster; tests of the other modes set them.
                        "tls": { "mode": "external" },
                    } },
                },
                "components": components(name, domain),
            },
        });
        Self { name: name.to_owned(), namespace: namespace.to_owned(), domain: domain.to_owned(), object }
    }

    /// Sets a value by JSON pointer, such as `/spec/components/synapse/config/additional`; creates missing parents.
    #[must_use]
    pub fn set(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let mut place = &mut self.object;
        for key in pointer.split('/').skip(1) {
            let key = key.replace("~1", "/").replace("~0", "~");
            place = match place {
                Value::Array(items) => &mut items[key.parse::<usize>().expect("a list takes a number")],
                other => &mut other[key],
            };
        }
        *place = value.into();
        self
    }

    /// Adds the MAS component as the migration guide does, with the Secret [`Self::mas_secret_name`].
    #[must_use]
    pub fn with_mas(self, active: bool) -> Self {
        let component = json!({
            "secretName": self.mas_secret_name(),
            "config": {
                "active": active,
                "postgresql": { "host": "pg.example.com", "database": "mas", "user": "mas", "sslMode": "disable" },
            },
            "k8s": { "ingress": { "fqdn": self.mas_host() } },
        });
        self.set("/spec/components/matrixAuthenticationService", component)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// `auth.` of the domain.
    pub fn mas_host(&self) -> String {
        format!("auth.{}", self.domain)
    }

    /// The name of MAS's Secret from the component, or derived from the deployment's name.
    pub fn mas_secret_name(&self) -> String {
        self.named("/spec/components/matrixAuthenticationService").unwrap_or_else(|| format!("{}-mas", self.name))
    }

    pub fn object(&self) -> &Value {
        &self.object
    }

    /// The Secrets of all components except MAS, with their names in the spec.
    pub fn secrets(&self) -> Vec<Secret> {
        let name = |pointer: &str| self.named(pointer).unwrap_or_default();
        vec![
            self.secret(&name("/spec/global"), &[("genericSharedSecret", "generic-shared-5f1c0b")]),
            self.secret(
                &name("/spec/components/synapse"),
                &[
                    ("macaroon", "macaroon-88b1d2"),
                    ("postgresPassword", "synapse-database-7d40aa"),
                    ("registrationSharedSecret", "registration-shared-31e9c4"),
                    ("signingKey", "ed25519 a_cnDr 3vYkDcXJdEhBqJRGfsv2VKSbNXAJzXgLcMXVvqJtEMQ"),
                    ("corpClientSecret", "corp-oidc-client-e2d77f"),
                    ("partnerClientSecret", "partner-oidc-client-9ab310"),
                ],
            ),
            self.secret(&name("/spec/components/integrator"), &[("postgresPassword", "integrator-database-c02d5e")]),
        ]
    }

    /// A valid Secret for MAS, for tests without `prepare`.
    pub fn mas_secret(&self) -> Result<Secret> {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
        Ok(self.secret(
            &self.mas_secret_name(),
            &[
                ("encryptionSecret", "9d2f3c7b1a5e48d6b0c9f8e7a6d5c4b3928170f6e5d4c3b2a19087f6e5d4c3b2"),
                ("rsaPrivateKey", &key.serialize_pem()),
                ("postgresPassword", "mas-database-44f0d9"),
            ],
        ))
    }

    /// All values in [`Self::secrets`], which must never be printed.
    pub fn secret_values(&self) -> Vec<String> {
        self.secrets().into_iter().flat_map(|one| one.string_data.unwrap_or_default().into_values()).collect()
    }

    /// Creates the Secrets, MAS's only if the spec has the component, then the `ElementDeployment`.
    pub async fn create(&self, client: &kube::Client) -> Result<()> {
        let secrets = Api::<Secret>::namespaced(client.clone(), &self.namespace);
        let mut wanted = self.secrets();
        if self.object.pointer("/spec/components/matrixAuthenticationService").is_some() {
            wanted.push(self.mas_secret()?);
        }
        for secret in wanted {
            secrets.create(&PostParams::default(), &secret).await?;
        }
        let object: DynamicObject = serde_json::from_value(self.object.clone())?;
        self.api(client).create(&PostParams::default(), &object).await?;
        Ok(())
    }

    /// The API of this deployment's namespace, in the stored version.
    pub fn api(&self, client: &kube::Client) -> Api<DynamicObject> {
        Api::namespaced_with(client.clone(), &self.namespace, &crds::resource())
    }

    fn named(&self, pointer: &str) -> Option<String> {
        self.object.pointer(pointer)?.get("secretName")?.as_str().map(str::to_owned)
    }

    fn secret(&self, name: &str, content: &[(&str, &str)]) -> Secret {
        let content: BTreeMap<_, _> =
            content.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(self.namespace.clone()),
                ..ObjectMeta::default()
            },
            type_: Some("Opaque".to_owned()),
            string_data: Some(content),
            ..Secret::default()
        }
    }
}

fn components(name: &str, domain: &str) -> Value {
    json!({
        "elementWeb": { "k8s": { "ingress": { "fqdn": format!("element.{domain}") } } },
        "integrator": {
            "secretName": format!("{name}-integrator"),
            "config": { "postgresql": { "host": "pg.example.com", "database": "integrator", "user": "integrator" } },
            "k8s": { "ingress": { "fqdn": format!("integrator.{domain}") } },
        },
        "synapse": {
            "secretName": format!("{name}-synapse"),
            "config": {
                "additional": "max_upload_size: 100M\n",
                "media": { "volume": { "size": "50Gi" } },
                "postgresql": { "host": "pg.example.com", "database": "synapse", "user": "synapse" },
                "workers": [{ "type": "generic", "instances": 2 }, { "type": "media-repository" }],
                "delegatedAuth": {
                    "localPasswordDatabase": { "enableRegistration": false },
                    "userProfiles": {
                        "allowAvatarChange": true, "allowDisplayNameChange": true, "allowEmailChange": false,
                    },
                    "oidc": [
                        provider(IDP_IDS[0], "Corp", "https://id.corp.example.com/realms/staff", "corp"),
                        provider(IDP_IDS[1], "Partner login", "https://login.partner.example.net", "partner"),
                    ],
                },
            },
            "k8s": { "ingress": { "fqdn": format!("matrix.{domain}") }, "workloads": { "replicas": 1 } },
        },
        "wellKnownDelegation": {},
    })
}

fn provider(id: &str, name: &str, issuer: &str, client: &str) -> Value {
    json!({
        "idpId": id,
        "idpName": name,
        "issuer": issuer,
        "clientId": format!("synapse-{client}"),
        "clientSecretSecretKey": format!("{client}ClientSecret"),
        "scopes": ["openid", "profile", "email"],
        "allowExistingUsers": true,
        "userMapping": {
            "localpartTemplate": "{{ user.preferred_username }}", "displayNameTemplate": "{{ user.name }}",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_idp_id_is_a_ulid() {
        for id in IDP_IDS {
            assert_eq!(id.len(), 26);
            assert!(id.starts_with(|first: char| ('0'..='7').contains(&first)));
            assert!(id.chars().all(|one| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(one)), "{id}");
        }
    }

    #[test]
    fn secrets_have_the_names_that_the_spec_has_for_them() {
        let one = Deployment::new("a", "b").set("/spec/components/synapse/secretName", "other").with_mas(false);
        let names: Vec<_> = one.secrets().into_iter().map(|one| one.metadata.name.unwrap()).collect();
        assert_eq!(names, ["a-global", "other", "a-integrator"]);
        assert_eq!(one.mas_secret_name(), "a-mas");
        let one = one.set("/spec/components/matrixAuthenticationService/secretName", "mine");
        assert_eq!(one.mas_secret().unwrap().metadata.name.as_deref(), Some("mine"));
    }

    #[test]
    fn setting_makes_what_lies_on_the_way() {
        let one = Deployment::new("a", "b")
            .set("/metadata/annotations/x~1y", "z")
            .set("/spec/components/synapse/config/delegatedAuth/oidc/1/idpId", "w");
        assert_eq!(one.object()["metadata"]["annotations"]["x/y"], "z");
        assert_eq!(one.object()["spec"]["components"]["synapse"]["config"]["delegatedAuth"]["oidc"][1]["idpId"], "w");
    }
}
