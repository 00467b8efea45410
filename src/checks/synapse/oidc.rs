//! Settings of an OIDC provider that MAS's conversion ignores. Whether ESS's operator converts them is not known.

use serde_json::Value;

pub struct Loss {
    /// In `settings.yaml`.
    pub setting: &'static str,
    /// Path below the provider.
    pub key: &'static str,
    /// Module of a custom mapping provider; else empty.
    pub module: String,
}

/// Synapse's built-in mapping provider, by its present and its former name.
const OWN_MAPPING: [&str; 2] =
    ["synapse.handlers.oidc.JinjaOidcMappingProvider", "synapse.handlers.oidc_handler.JinjaOidcMappingProvider"];

pub fn losses(provider: &Value) -> Vec<Loss> {
    let set = |key: &str| field(provider, &[key]).is_some_and(is_set);
    let is = |key: &str, truth: bool| field(provider, &[key]) == Some(&Value::Bool(truth));
    let mapping = |key: &&str| field(provider, &[key, "module"])?.as_str();
    let module = ["user_mapping_provider", "user_mapping"].iter().find_map(mapping).unwrap_or_default();
    let module: String = module.chars().filter(|c| !c.is_control()).take(100).collect();
    let algorithms = "id_token_signing_alg_values_supported";
    [
        (set("attribute_requirements"), "attribute-requirements", "attribute_requirements"),
        (is("enable_registration", false) || is("allow_registration", false), "no-registration", "enable_registration"),
        (
            !module.is_empty() && !OWN_MAPPING.contains(&module.as_str()),
            "mapping-module",
            "user_mapping_provider.module",
        ),
        (set("client_secret_jwt_key"), "jwt-key", "client_secret_jwt_key"),
        (set("client_secret_path"), "secret-file", "client_secret_path"),
        (set(algorithms), "signing-algorithms", algorithms),
        (is("backchannel_logout_enabled", true), "backchannel-logout", "backchannel_logout_enabled"),
    ]
    .into_iter()
    .filter(|(applies, ..)| *applies)
    .map(|(_, setting, key)| Loss { setting, key, module: module.clone() })
    .collect()
}

/// Finds a field by its names in snake case (Synapse) or camel case (Kubernetes).
pub(super) fn field<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name).or_else(|| value.get(camel(name))))
}

pub(super) fn camel(name: &str) -> String {
    let (first, rest) = name.split_once('_').unwrap_or((name, ""));
    rest.split('_').fold(first.to_owned(), |text, word| {
        let (letter, word) = word.split_at(usize::from(!word.is_empty()));
        text + &letter.to_ascii_uppercase() + word
    })
}

/// Whether a field is there and is not switched off.
pub fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(fields) => {
            !fields.is_empty() && ["enabled", "enable"].iter().all(|key| fields.get(*key) != Some(&Value::Bool(false)))
        }
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
