//! Who wrote which part of the object, as the API server notes it in `metadata.managedFields`, and what `kubectl apply`
//! notes in an annotation.

use serde_json::Value;

use super::view::Deployment;

/// The field manager under which the API server notes what this program writes.
pub const FIELD_MANAGER: &str = "kubectl-ess-mas";

/// Where client-side `kubectl apply` (and what imitates it) keeps the file that it was last given.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How far somebody's part of the object reaches towards the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    Nothing,
    Mas,
    Active,
}

/// One entry of `metadata.managedFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manager<'a> {
    /// `manager`: mostly the name of a program.
    pub name: &'a str,
    /// `Apply` for server-side apply, whose next application is compared with what others wrote; else `Update`.
    pub operation: &'a str,
    /// When its part last changed; the API server's clock, comparable as text.
    pub time: &'a str,
    /// Whether it wrote any part of `spec`.
    pub spec: bool,
    pub reach: Reach,
}

/// A manifest that is kept somewhere and was applied from there: applying it again writes what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// By client-side `kubectl apply`, or what imitates it: the file is noted in an annotation.
    Client {
        reach: Reach,
        active: Option<bool>,
    },
    Server {
        manager: String,
        reach: Reach,
    },
}

impl Deployment {
    /// Who wrote parts of the object; what was written to its status alone is left out.
    pub fn managers(&self) -> impl Iterator<Item = Manager<'_>> {
        let entries = self.object()["metadata"]["managedFields"].as_array().into_iter().flatten();
        entries.filter(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty()).filter_map(|entry| {
            let spec = &entry["fieldsV1"]["f:spec"];
            let mas = &spec["f:components"]["f:matrixAuthenticationService"];
            let reach = match (mas, &mas["f:config"]["f:active"]) {
                (Value::Null, _) => Reach::Nothing,
                (_, Value::Null) => Reach::Mas,
                _ => Reach::Active,
            };
            Some(Manager {
                name: entry["manager"].as_str()?,
                operation: entry["operation"].as_str().unwrap_or_default(),
                time: entry["time"].as_str().unwrap_or_default(),
                spec: !spec.is_null(),
                reach,
            })
        })
    }

    pub fn reach_of(&self, name: &str) -> Reach {
        self.managers()
            .filter(|manager| manager.name == name)
            .map(|manager| manager.reach)
            .max()
            .unwrap_or(Reach::Nothing)
    }

    /// Manifests that may be applied again: by client-side apply, and by each manager of server-side apply. This program
    /// patches, and is none of them.
    pub fn applied(&self) -> Vec<Applied> {
        let mut all = Vec::new();
        let file = self.annotation(LAST_APPLIED).and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let Some(file) = file {
            let mas = &file["spec"]["components"]["matrixAuthenticationService"];
            let active = mas["config"]["active"].as_bool();
            let reach = match (mas, active) {
                (Value::Null, _) => Reach::Nothing,
                (_, None) => Reach::Mas,
                _ => Reach::Active,
            };
            all.push(Applied::Client { reach, active });
        }
        for manager in self.managers().filter(|manager| manager.operation == "Apply" && manager.spec) {
            if manager.name != FIELD_MANAGER {
                all.push(Applied::Server { manager: manager.name.to_owned(), reach: manager.reach });
            }
        }
        all
    }

    pub fn spec_written_by(&self) -> Option<&str> {
        self.managers().filter(|manager| manager.spec).max_by_key(|manager| manager.time).map(|manager| manager.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(metadata: Value) -> Deployment {
        let mut object = json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}, "spec": {}});
        object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        Deployment::from_value(object).unwrap()
    }

    fn entry(manager: &str, operation: &str, time: &str, mas: Value) -> Value {
        json!({"manager": manager, "operation": operation, "time": time,
               "fieldsV1": {"f:spec": {"f:components": {"f:matrixAuthenticationService": mas}}}})
    }

    #[test]
    fn each_managers_part_is_told() {
        let status = json!({"manager": "ansible-operator", "operation": "Update", "subresource": "status",
                            "fieldsV1": {"f:status": {}}});
        let labels = json!({"manager": "someone", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {}}}});
        let deployment = deployment(json!({"managedFields": [
            entry("helm", "Apply", "2026-11-23T10:00:00Z", json!({"f:config": {"f:active": {}}})),
            entry("k9s", "Update", "2026-11-23T11:00:00Z", json!({"f:secretName": {}})), status, labels, null, {"manager": 7}]}));
        assert_eq!(deployment.reach_of("helm"), Reach::Active);
        assert_eq!(deployment.reach_of("k9s"), Reach::Mas);
        assert_eq!(deployment.reach_of("ansible-operator"), Reach::Nothing);
        assert_eq!(deployment.spec_written_by(), Some("k9s"));
        assert_eq!(deployment.managers().map(|manager| manager.name).collect::<Vec<_>>(), ["helm", "k9s", "someone"]);
    }

    #[test]
    fn what_kubectl_was_last_given_is_read() {
        let with = |file: &str| deployment(json!({"annotations": {LAST_APPLIED: file}})).applied();
        let mas = |config: &str| format!(r#"{{"spec":{{"components":{{"matrixAuthenticationService":{config}}}}}}}"#);
        let client = |reach, active| vec![Applied::Client { reach, active }];
        assert_eq!(with(r#"{"spec":{}}"#), client(Reach::Nothing, None));
        assert_eq!(with(&mas(r#"{"secretName":"x"}"#)), client(Reach::Mas, None));
        assert_eq!(with(&mas(r#"{"config":{"active":false}}"#)), client(Reach::Active, Some(false)));
        assert!(with("not JSON").is_empty());
    }

    #[test]
    fn server_side_appliers_are_told_and_this_program_is_none_of_them() {
        let deployment = deployment(json!({"managedFields": [
            entry("terraform", "Apply", "1", json!({"f:config": {"f:active": {}}})),
            entry(FIELD_MANAGER, "Apply", "2", json!({"f:config": {"f:active": {}}})),
            entry("kubectl-edit", "Update", "3", json!({}))]}));
        assert_eq!(deployment.applied(), [Applied::Server { manager: "terraform".into(), reach: Reach::Active }]);
    }
}
