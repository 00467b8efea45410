//! The fields that this cluster's ElementDeployment supports, from its OpenAPI schema.
//!
//! The API server prunes unknown fields, so a release without MAS would silently drop our change. The schema also contains the
//! names and defaults of fields that the guide does not mention.

use serde_json::Value;

/// A `*SecretKey` field of the schema: it names the key of a value in the component's Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKeyField {
    /// Path below the component, such as `config.postgresql.passwordSecretKey`.
    pub path: String,
    pub default: Option<String>,
}

/// Fields of the served schema; `None` or false if the schema lacks them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    pub mas: bool,
    /// `…config.active`; without it this release cannot migrate.
    pub active: bool,
    /// The values of `…config.postgresql.sslMode` (empty: any text).
    pub ssl_modes: Option<Vec<String>>,
    pub default_ssl_mode: Option<String>,
    /// Path below the component of the field for e-mail delivery.
    pub email: Option<String>,
    /// The values of `…k8s.ingress.tls.mode` (empty: any text).
    pub tls_modes: Option<Vec<String>>,
    pub default_secret_name: Option<String>,
    /// Every `*SecretKey` field below the MAS component.
    pub secret_keys: Vec<SecretKeyField>,
}

impl Features {
    /// Reads the schema of the ElementDeployment kind (the object with `properties.spec`).
    pub fn read(schema: &Value) -> Self {
        let mas = property(schema, &["spec", "components", "matrixAuthenticationService"]);
        let Some(mas) = mas else { return Self::default() };
        let mut secret_keys = Vec::new();
        collect_secret_keys(mas, "", &mut secret_keys);
        let choices = |path: &[&str]| {
            property(mas, path).map(|field| {
                let values = field["enum"].as_array().into_iter().flatten();
                values.filter_map(Value::as_str).map(str::to_owned).collect()
            })
        };
        let default = |path: &[&str]| property(mas, path)?["default"].as_str().map(str::to_owned);
        Self {
            mas: true,
            active: property(mas, &["config", "active"]).is_some(),
            ssl_modes: choices(&["config", "postgresql", "sslMode"]),
            default_ssl_mode: default(&["config", "postgresql", "sslMode"]),
            email: email_field(mas, "", 0),
            tls_modes: choices(&["k8s", "ingress", "tls", "mode"]),
            default_secret_name: default(&["secretName"]),
            secret_keys,
        }
    }
}

/// Follows property names, also through `allOf`, `anyOf` and `oneOf`, in which OpenAPI wraps references.
fn property<'a>(schema: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let Some((first, rest)) = path.split_first() else { return Some(schema) };
    if let Some(found) = schema["properties"].get(*first) {
        return property(found, rest);
    }
    ["allOf", "anyOf", "oneOf"]
        .iter()
        .flat_map(|key| schema[*key].as_array().into_iter().flatten())
        .find_map(|branch| property(branch, path))
}

/// The first field with a name for e-mail delivery.
fn email_field(schema: &Value, prefix: &str, depth: usize) -> Option<String> {
    let fields = schema["properties"].as_object().filter(|_| depth < 4)?;
    let path = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    let is_it = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.contains("smtp") || name == "email" || name == "mail" || name.starts_with("emaildelivery")
    };
    let here = fields.keys().find(|name| is_it(name)).map(|name| path(name));
    here.or_else(|| fields.iter().find_map(|(name, field)| email_field(field, &path(name), depth + 1)))
}

fn collect_secret_keys(schema: &Value, prefix: &str, found: &mut Vec<SecretKeyField>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        if name.ends_with("SecretKey") {
            let default = field["default"].as_str().map(str::to_owned);
            found.push(SecretKeyField { path, default });
        } else {
            collect_secret_keys(field, &path, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(mas: Value) -> Value {
        json!({"properties": {"spec": {"properties": {"components": {"properties": {"matrixAuthenticationService": mas}}}}}})
    }

    #[test]
    fn an_older_release_has_no_field_active() {
        assert_eq!(Features::read(&json!({"properties": {"spec": {"properties": {}}}})), Features::default());
        let without = Features::read(&schema(json!({"properties": {"config": {"properties": {}}}})));
        assert!(without.mas && !without.active);
    }

    #[test]
    fn names_and_defaults_come_from_the_schema() {
        let features = Features::read(&schema(json!({"properties": {
            "secretName": {"type": "string", "default": "mas"},
            "config": {"properties": {
                "active": {"type": "boolean", "default": true},
                "encryptionSecretSecretKey": {"type": "string", "default": "encryptionSecret"},
                "postgresql": {"properties": {"sslMode": {"enum": ["disable", "require"]}, "passwordSecretKey": {"type": "string"}}}}},
            "k8s": {"properties": {"ingress": {"properties": {"tls": {"properties": {"mode": {"enum": ["external"]}}}}}}}}})));
        assert!(features.active);
        assert_eq!(features.default_secret_name.as_deref(), Some("mas"));
        let keys: Vec<_> =
            features.secret_keys.iter().map(|field| (field.path.as_str(), field.default.as_deref())).collect();
        assert!(keys.contains(&("config.encryptionSecretSecretKey", Some("encryptionSecret"))), "{keys:?}");
        assert!(keys.contains(&("config.postgresql.passwordSecretKey", None)), "{keys:?}");
        assert_eq!(features.ssl_modes, Some(vec!["disable".into(), "require".into()]));
        assert_eq!(features.tls_modes, Some(vec!["external".into()]));
        assert_eq!((features.email, features.default_ssl_mode), (None, None));
    }

    #[test]
    fn a_field_for_mail_and_the_default_for_tls_are_found() {
        let features = Features::read(&schema(json!({"properties": {
            "config": {"properties": {
                "postgresql": {"properties": {"sslMode": {"type": "string", "default": "require"}}},
                "email": {"properties": {"host": {"type": "string"}}}}}}})));
        assert_eq!(features.default_ssl_mode.as_deref(), Some("require"));
        assert_eq!(features.email.as_deref(), Some("config.email"));
    }
}
