//! What this cluster's ElementDeployment can express, read from its OpenAPI schema.
//!
//! The API server prunes what the schema does not know, so a release without MAS would drop our change in silence.
//! The schema also tells the real names and defaults of fields that the guide does not mention.

use serde_json::Value;

/// A `*SecretKey` field of the schema: which key of the component's Secret holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKeyField {
    /// Path below the component, such as `config.postgresql.passwordSecretKey`.
    pub path: String,
    pub default: Option<String>,
}

/// What the served schema offers. Absent fields mean "the schema has no such field".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// There is a component `matrixAuthenticationService`.
    pub mas: bool,
    /// There is `…config.active`; without it this release cannot migrate.
    pub active: bool,
    /// There is `…config.postgresql.sslMode`, with these values (empty: any text).
    pub ssl_modes: Option<Vec<String>>,
    pub default_ssl_mode: Option<String>,
    /// Path below the component of the field that e-mail delivery is configured in, where one is named like that.
    pub email: Option<String>,
    /// There is `…k8s.ingress.tls.mode`, with these values (empty: any text).
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

/// Follows property names, looking into `allOf`/`anyOf`/`oneOf` as well: OpenAPI wraps references in them.
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

/// The first field whose name says that it is about sending mail.
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
    fn an_older_release_has_no_switch() {
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
