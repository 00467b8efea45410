//! Settings of an OIDC provider that MAS's conversion ignores. Whether ESS's operator converts them is not known.

use serde_json::Value;

use super::settings::Setting;
use super::tree::{Node, Yaml};
use crate::deployment::squashed;

pub struct Loss {
    pub setting: Setting,
    /// Path below the provider.
    pub key: &'static str,
    /// Module of a custom mapping provider; else empty.
    pub module: String,
}

/// A field of a provider.
#[derive(Default)]
pub struct Field {
    /// Neither absent, null nor empty.
    set: bool,
    /// The value of a boolean.
    truth: Option<bool>,
    text: Option<String>,
}

/// An object whose fields are in snake case (Synapse) or camel case (Kubernetes).
pub trait Fields {
    fn field(&self, path: &[&str]) -> Field;
}

/// Synapse's built-in mapping provider, by its present and its former name.
const OWN_MAPPING: [&str; 2] =
    ["synapse.handlers.oidc.JinjaOidcMappingProvider", "synapse.handlers.oidc_handler.JinjaOidcMappingProvider"];

pub fn losses(provider: &impl Fields) -> Vec<Loss> {
    let set = |key: &str| provider.field(&[key]).set;
    let is = |key: &str, truth| provider.field(&[key]).truth == Some(truth);
    let no_registration = is("enable_registration", false) || is("allow_registration", false);
    let module = ["user_mapping_provider", "user_mapping"].iter().find_map(|key| provider.field(&[key, "module"]).text);
    let module = module.filter(|module| !OWN_MAPPING.contains(&module.as_str()));
    let found = [
        (set("attribute_requirements"), Setting::AttributeRequirements, "attribute_requirements"),
        (no_registration, Setting::NoRegistration, "enable_registration"),
        (module.is_some(), Setting::MappingModule, "user_mapping_provider.module"),
        (set("client_secret_jwt_key"), Setting::JwtKey, "client_secret_jwt_key"),
        (set("client_secret_path"), Setting::SecretFile, "client_secret_path"),
        (
            set("id_token_signing_alg_values_supported"),
            Setting::SigningAlgorithms,
            "id_token_signing_alg_values_supported",
        ),
        (is("backchannel_logout_enabled", true), Setting::BackchannelLogout, "backchannel_logout_enabled"),
    ];
    let module: String = module.unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect();
    let of = |setting| if setting == Setting::MappingModule { module.clone() } else { String::new() };
    let found = found.into_iter().filter(|(there, ..)| *there);
    found.map(|(_, setting, key)| Loss { setting, key, module: of(setting) }).collect()
}

/// Finds a field by its name in snake case or camel case.
fn named<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let wanted = squashed(name);
    object.as_object()?.iter().find(|(key, _)| squashed(key) == wanted).map(|(_, value)| value)
}

impl Fields for Value {
    fn field(&self, path: &[&str]) -> Field {
        let found = path.iter().try_fold(self, |value, key| named(value, key));
        found.map_or_else(Field::default, |value| Field {
            set: match value {
                Self::Null => false,
                Self::Array(items) => !items.is_empty(),
                Self::Object(fields) => !fields.is_empty(),
                Self::String(text) => !text.is_empty(),
                Self::Bool(_) | Self::Number(_) => true,
            },
            truth: value.as_bool(),
            text: value.as_str().filter(|text| !text.is_empty()).map(str::to_owned),
        })
    }
}

impl Fields for Node {
    fn field(&self, path: &[&str]) -> Field {
        let Some(entry) = self.at(path) else { return Field::default() };
        let (truth, set) = match &entry.value.content {
            Yaml::Bool(value) => (Some(*value), true),
            Yaml::Int(_) | Yaml::Float(_) => (None, true),
            _ => (None, entry.value.is_true()),
        };
        Field { set, truth, text: entry.value.text().map(str::to_owned) }
    }
}
