//! The OpenID Connect providers of `components.synapse.config.delegatedAuth.oidc`, and their redirect URIs.

use serde_json::Value;

use super::view::Deployment;

/// One entry of `delegatedAuth.oidc`. Only `idpId` is documented (in the guide); the other fields are optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityProvider {
    pub index: usize,
    /// `idpId`, or empty.
    pub idp_id: String,
    pub name: Option<String>,
    pub issuer: Option<String>,
    pub client_id: Option<String>,
}

impl IdentityProvider {
    fn read(index: usize, entry: &Value) -> Self {
        let first = |keys: &[&str]| {
            keys.iter().filter_map(|key| entry[*key].as_str()).find(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            index,
            idp_id: entry["idpId"].as_str().unwrap_or_default().to_owned(),
            name: first(&["idpName", "name"]),
            issuer: first(&["issuer", "issuerUrl"]),
            client_id: first(&["clientId", "clientID", "client_id"]),
        }
    }
}

/// Whether MAS accepts this ID of a provider unchanged: a canonical ULID (26 characters of Crockford's base 32 in upper case, the
/// first one at most 7). MAS converts lower case to upper case, which changes the redirect URI, and a larger first character
/// overflows to another ID.
pub fn is_canonical_ulid(id: &str) -> bool {
    let digit = |c: u8| c.is_ascii_digit() || (c.is_ascii_uppercase() && !b"ILOU".contains(&c));
    id.len() == 26 && matches!(id.as_bytes()[0], b'0'..=b'7') && id.bytes().all(digit)
}

/// The redirect URI that MAS uses for a provider. Source: the guide, "Preparation".
pub fn mas_redirect_uri(mas_host: &str, idp_id: &str) -> String {
    format!("https://{mas_host}/upstream/callback/{idp_id}")
}

pub fn synapse_redirect_uri(synapse_host: &str) -> String {
    format!("https://{synapse_host}/_synapse/client/oidc/callback")
}

impl Deployment {
    pub fn identity_providers(&self) -> Vec<IdentityProvider> {
        let entries = self.delegated_auth()["oidc"].as_array().into_iter().flatten();
        entries.enumerate().map(|(index, entry)| IdentityProvider::read(index, entry)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_mas_keeps_unchanged_are_canonical() {
        assert!(is_canonical_ulid("01JABCDEFGHJKMNPQRSTVWXYZ0"));
        for id in [
            "",
            "google",
            "01jabcdefghjkmnpqrstvwxyz0",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "01JABCDEFGHIKMNPQRSTVWXYZ0",
            "01JABCDEFGHJKMNPQRSTVWXYZ",
        ] {
            assert!(!is_canonical_ulid(id), "{id}");
        }
    }

    #[test]
    fn redirect_uris_match_the_guide() {
        assert_eq!(mas_redirect_uri("auth.example.com", "01J"), "https://auth.example.com/upstream/callback/01J");
        assert_eq!(
            synapse_redirect_uri("matrix.example.com"),
            "https://matrix.example.com/_synapse/client/oidc/callback"
        );
    }
}
