//! The MAS Secret as it is in the cluster, and what is shown of it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::secret_keys::SecretKeys;
use crate::secrets::{EncryptionSecret, Fingerprint, SecretBytes, contents_digest, wipe};
use crate::x509::{CertificateChain, RsaPrivateKey, TlsPrivateKey};

/// The Secret as it is in the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretContents {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// Decoded `data`.
    pub data: BTreeMap<String, SecretBytes>,
    /// `immutable: true`: the API server refuses every change.
    pub immutable: bool,
}

impl SecretContents {
    /// Takes the API server's answer over and overwrites the values in it. Values that are not base64 cannot come from it and
    /// are left out.
    pub fn read(mut secret: Value) -> Self {
        let text = |key: &str| secret["metadata"][key].as_str().unwrap_or_default().to_owned();
        let data = secret["data"].as_object().into_iter().flatten();
        let decode = |value: &Value| STANDARD.decode(value.as_str()?).ok().map(SecretBytes::new);
        let contents = Self {
            name: text("name"),
            resource_version: text("resourceVersion"),
            data: data.filter_map(|(key, value)| Some((key.clone(), decode(value)?))).collect(),
            immutable: secret["immutable"] == json!(true),
        };
        wipe(&mut secret);
        contents
    }

    /// The encryption secret, if it is there and MAS would read it.
    pub fn encryption_secret(&self, keys: &SecretKeys) -> Option<EncryptionSecret> {
        EncryptionSecret::parse_in_use(self.data.get(&keys.encryption_secret)?.expose()).ok()
    }

    /// One digest over all contents, to tell later whether they are the very same; `None` without a usable
    /// encryption secret, which is the key that keeps the digest from being guessed at.
    pub fn digest(&self, keys: &SecretKeys) -> Option<Fingerprint> {
        let key = self.encryption_secret(keys)?;
        let contents: BTreeMap<&str, &[u8]> =
            self.data.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        Some(contents_digest(contents, &key))
    }

    pub fn fingerprints(&self, keys: &SecretKeys) -> BTreeMap<String, String> {
        let Some(encryption) = self.encryption_secret(keys) else { return BTreeMap::new() };
        let public = |name: &String, value: &[u8]| {
            if *name == keys.encryption_secret {
                Some(encryption.fingerprint())
            } else if *name == keys.rsa_private_key {
                RsaPrivateKey::parse(value).ok().map(|key| key.fingerprint())
            } else if *name == keys.certificate {
                CertificateChain::parse(value).ok().map(|chain| chain.leaf().fingerprint())
            } else if *name == keys.private_key {
                TlsPrivateKey::parse(value).ok().map(|key| key.fingerprint())
            } else {
                None
            }
        };
        let show = |name: &String, value: &[u8]| {
            let print = public(name, value).unwrap_or_else(|| Fingerprint::of_guessable(name, value, &encryption));
            print.to_string()
        };
        self.data.iter().map(|(name, value)| (name.clone(), show(name, value.expose()))).collect()
    }
}
