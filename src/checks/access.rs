//! The caller's permissions, from the API server's access reviews. Pure.

use serde_json::{Value, json};

use crate::answers::Known;

pub(super) const GROUP: &str = "matrix.element.io";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    pub verb: &'static str,
    pub on: On,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// Objects of a resource in the deployment's namespace.
    Resource {
        /// API group; empty for the core group.
        group: &'static str,
        plural: &'static str,
        /// The object's name; `None` for verbs without a name, such as `create`.
        name: Option<String>,
    },
    /// A non-resource URL of the API server.
    Path(String),
}

impl Permission {
    pub fn deployment(verb: &'static str, name: &str) -> Self {
        Self::named(verb, GROUP, "elementdeployments", name)
    }

    pub fn secret(verb: &'static str, name: &str) -> Self {
        Self::named(verb, "", "secrets", name)
    }

    pub fn config_map(verb: &'static str, name: &str) -> Self {
        Self::named(verb, "", "configmaps", name)
    }

    pub fn path(path: impl Into<String>) -> Self {
        Self { verb: "get", on: On::Path(path.into()) }
    }

    fn named(verb: &'static str, group: &'static str, plural: &'static str, name: &str) -> Self {
        // At `create`, the authorizer doesn't know the object's name.
        let name = (verb != "create").then(|| name.to_owned());
        Self { verb, on: On::Resource { group, plural, name } }
    }

    /// Arguments of `kubectl auth can-i`: `patch elementdeployments.matrix.element.io/first-element`.
    pub fn words(&self) -> String {
        match &self.on {
            On::Path(path) => format!("{} {path}", self.verb),
            On::Resource { group, plural, name } => {
                let group = if group.is_empty() { String::new() } else { format!(".{group}") };
                let name = name.as_ref().map_or_else(String::new, |name| format!("/{name}"));
                format!("{} {plural}{group}{name}", self.verb)
            }
        }
    }

    /// The `spec` of a `SelfSubjectAccessReview`.
    pub fn question(&self, namespace: &str) -> Value {
        let verb = self.verb;
        match &self.on {
            On::Path(path) => json!({"nonResourceAttributes": {"path": path, "verb": verb}}),
            On::Resource { group, plural, name } => json!({"resourceAttributes":
                {"group": group, "resource": plural, "namespace": namespace, "name": name, "verb": verb}}),
        }
    }
}

/// The rules that apply to the caller in the deployment's namespace, as a `SelfSubjectRulesReview` lists them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(Value);

impl Rules {
    /// Parses the review's `status`; `None` without a list of rules.
    pub fn read(status: &Value) -> Option<Self> {
        status["resourceRules"].as_array()?;
        Some(Self(status.clone()))
    }

    /// Why the list may be incomplete: an authorizer that cannot list its rules.
    pub fn incomplete(&self) -> Option<&str> {
        let error = self.0["evaluationError"].as_str().filter(|error| !error.is_empty());
        error.or((self.0["incomplete"] == true).then_some("the API server's list of permissions is incomplete"))
    }

    pub fn allow(&self, permission: &Permission) -> bool {
        fn items<'a>(tree: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
            tree[key].as_array().into_iter().flatten()
        }
        let holds = |rule: &Value, key: &str, one: &str| items(rule, key).any(|item| item == "*" || item == one);
        match &permission.on {
            On::Path(path) => items(&self.0, "nonResourceRules").any(|rule| {
                let covers = |pattern: &str| match pattern.strip_suffix('*') {
                    Some(start) => path.starts_with(start),
                    None => pattern == path,
                };
                let mut patterns = items(rule, "nonResourceURLs").filter_map(Value::as_str);
                holds(rule, "verbs", permission.verb) && patterns.any(covers)
            }),
            On::Resource { group, plural, name } => items(&self.0, "resourceRules").any(|rule| {
                let mut only = items(rule, "resourceNames").peekable();
                let named = only.peek().is_none() || name.as_ref().is_some_and(|name| only.any(|one| one == name));
                let resource = holds(rule, "apiGroups", group) && holds(rule, "resources", plural);
                holds(rule, "verbs", permission.verb) && resource && named
            }),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The rules, if the API server lists them.
    pub rules: Known<Rules>,
    /// Single access reviews, for permissions that the list does not decide; `None` for no answer.
    pub reviews: Vec<(Permission, Option<bool>)>,
    /// Permissions whose reads the API server refused.
    pub refused: Vec<Permission>,
    pub logged_out: bool,
}

impl Access {
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { rules: Known::Unreadable(why.into()), reviews: Vec::new(), refused: Vec::new(), logged_out: false }
    }

    pub fn settled_by_rules(&self, permission: &Permission) -> Option<bool> {
        let rules = self.rules.known()?;
        if rules.allow(permission) {
            return Some(true);
        }
        rules.incomplete().is_none().then_some(false)
    }

    /// Whether the caller has a permission; `None` if unknown.
    pub fn may(&self, permission: &Permission) -> Option<bool> {
        if self.refused.contains(permission) {
            return Some(false);
        }
        let reviewed = || self.reviews.iter().find(|(reviewed, _)| reviewed == permission)?.1;
        self.settled_by_rules(permission).or_else(reviewed)
    }

    pub fn why_unknown(&self) -> &str {
        match &self.rules {
            Known::Unreadable(why) => why,
            Known::Known(rules) => rules.incomplete().unwrap_or("the API server didn't respond"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(status: Value) -> Rules {
        Rules::read(&status).unwrap()
    }

    #[test]
    fn rules_match_as_in_rbac() {
        let some = rules(json!({"resourceRules": [
            {"verbs": ["get", "patch"], "apiGroups": [GROUP], "resources": ["elementdeployments"], "resourceNames": ["chat"]},
            {"verbs": ["create"], "apiGroups": [""], "resources": ["secrets"]},
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["configmaps"]},
            {"verbs": ["create"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"]}],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/openapi/*", "/version"]}], "incomplete": false}));
        for permission in [
            Permission::deployment("patch", "chat"),
            Permission::secret("create", "any"),
            Permission::config_map("update", "any"),
            Permission::path("/openapi/v3/apis/x"),
            Permission::path("/version"),
        ] {
            assert!(some.allow(&permission), "{}", permission.words());
        }
        for permission in [
            Permission::deployment("patch", "other"),
            Permission::deployment("watch", "chat"),
            Permission::secret("get", "any"),
            Permission::named("create", "", "pods", "x"),
            Permission::path("/metrics"),
        ] {
            assert!(!some.allow(&permission), "{}", permission.words());
        }
    }

    #[test]
    fn wildcard_rules_allow_everything() {
        let all = rules(json!({"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
                               "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}));
        assert!(all.allow(&Permission::deployment("patch", "chat")) && all.allow(&Permission::path("/openapi/v3")));
    }

    #[test]
    fn an_incomplete_list_denies_nothing() {
        let access = |status: Value| Access { rules: Known::Known(rules(status)), ..Access::unknown("") };
        let permission = Permission::secret("get", "a");
        let none = json!({"resourceRules": [], "nonResourceRules": []});
        assert_eq!(access(none.clone()).may(&permission), Some(false));
        for (key, value) in [("incomplete", json!(true)), ("evaluationError", json!("webhook: no rules"))] {
            let mut open = none.clone();
            open[key] = value;
            let mut open = access(open);
            assert_eq!(open.may(&permission), None);
            open.reviews.push((permission.clone(), Some(true)));
            assert_eq!(open.may(&permission), Some(true));
            // A refusal takes precedence over the list.
            open.refused.push(permission.clone());
            assert_eq!(open.may(&permission), Some(false));
        }
        assert_eq!(Rules::read(&json!({})), None);
    }
}
