//! What an OIDC provider's configuration loses on the way to MAS.
//!
//! MAS's own conversion of Synapse's providers says what it leaves out; whether ESS's operator does better is not known.

use serde_json::Value;

use super::finding::codes;

/// Something that does not come along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Only accounts with certain attributes are let in.
    AttributeRequirements,
    NoRegistration,
    /// A mapping provider of somebody's own, by its module's name.
    MappingModule(String),
    /// The client authenticates with a signed token.
    JwtKey,
    /// The client's secret is in a file.
    SecretFile,
    /// Which algorithms an ID token may be signed with.
    SigningAlgorithms,
    /// Logging out at the provider logs out here.
    BackchannelLogout,
}

impl Loss {
    pub const fn key(&self) -> &'static str {
        match self {
            Self::AttributeRequirements => "attribute_requirements",
            Self::NoRegistration => "enable_registration",
            Self::MappingModule(_) => "user_mapping_provider.module",
            Self::JwtKey => "client_secret_jwt_key",
            Self::SecretFile => "client_secret_path",
            Self::SigningAlgorithms => "id_token_signing_alg_values_supported",
            Self::BackchannelLogout => "backchannel_logout_enabled",
        }
    }

    /// Whether it keeps people out who would be let in without it.
    const fn restricts(&self) -> bool {
        matches!(self, Self::AttributeRequirements | Self::NoRegistration | Self::MappingModule(_))
    }

    pub const fn code(&self) -> &'static str {
        if self.restricts() { codes::PROVIDER_RESTRICTION } else { codes::PROVIDER_SETTING }
    }

    pub const fn remedy(&self) -> &'static str {
        if self.restricts() {
            "Have the identity provider itself refuse those who shall not get in, before the activation."
        } else {
            "Ask Element Support whether this release hands it on to MAS."
        }
    }

    /// What becomes of it, without a full stop.
    pub fn words(&self) -> String {
        match self {
            Self::AttributeRequirements => "MAS has no such rule: after the migration everybody who has an account at the identity provider can log in, also those whom this keeps out today".to_owned(),
            Self::NoRegistration => "MAS has no such rule: after the migration anybody who has an account at the identity provider gets one here by logging in".to_owned(),
            Self::MappingModule(name) => format!("MAS cannot run the mapping provider {name}: what it refuses or decides about user names today is not asked any more"),
            Self::JwtKey => "MAS's conversion leaves it out, so MAS could not prove to the identity provider who it is".to_owned(),
            Self::SecretFile => "MAS's conversion leaves it out, so MAS would have no client secret".to_owned(),
            Self::SigningAlgorithms => "MAS's conversion leaves it out: MAS expects ID tokens that are signed with RS256".to_owned(),
            Self::BackchannelLogout => "MAS's conversion leaves it out: logging out at the identity provider would no longer log people out here".to_owned(),
        }
    }
}

/// One field, as far as anybody needs to know it.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// It is neither absent, null nor empty.
    pub set: bool,
    /// Its truth, where it is a boolean.
    pub truth: Option<bool>,
    /// Its text, where it is one.
    pub text: Option<String>,
}

/// Something with fields that are named as Synapse names them, or as Kubernetes would.
pub trait Fields {
    fn look(&self, path: &[&str]) -> Look;
}

/// Synapse's own mapping provider, under its present and its former name.
const OWN_MAPPING: [&str; 2] =
    ["synapse.handlers.oidc.JinjaOidcMappingProvider", "synapse.handlers.oidc_handler.JinjaOidcMappingProvider"];

pub fn losses(provider: &impl Fields) -> Vec<Loss> {
    let mut found = Vec::new();
    if provider.look(&["attribute_requirements"]).set {
        found.push(Loss::AttributeRequirements);
    }
    if ["enable_registration", "allow_registration"].iter().any(|key| provider.look(&[key]).truth == Some(false)) {
        found.push(Loss::NoRegistration);
    }
    let module = ["user_mapping_provider", "user_mapping"].iter().find_map(|key| provider.look(&[key, "module"]).text);
    if let Some(module) = module.filter(|module| !OWN_MAPPING.contains(&module.as_str())) {
        found.push(Loss::MappingModule(module.chars().filter(|c| !c.is_control()).take(100).collect()));
    }
    for (key, loss) in [
        ("client_secret_jwt_key", Loss::JwtKey),
        ("client_secret_path", Loss::SecretFile),
        ("id_token_signing_alg_values_supported", Loss::SigningAlgorithms),
    ] {
        if provider.look(&[key]).set {
            found.push(loss);
        }
    }
    if provider.look(&["backchannel_logout_enabled"]).truth == Some(true) {
        found.push(Loss::BackchannelLogout);
    }
    found
}

/// A name without the differences between `attribute_requirements` and `attributeRequirements`.
pub(super) fn squashed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// A field by its name in either spelling.
pub(super) fn field<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let wanted = squashed(name);
    object.as_object()?.iter().find(|(key, _)| squashed(key) == wanted).map(|(_, value)| value)
}

impl Fields for Value {
    fn look(&self, path: &[&str]) -> Look {
        let found = path.iter().try_fold(self, |value, key| field(value, key));
        found.map_or_else(Look::default, |value| Look {
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
