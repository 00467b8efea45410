//! Users with fewer permissions than an administrator.

use k8s_openapi::api::rbac::v1::{PolicyRule, Role};

use super::command::Shell;
use super::scene::Scene;

/// The documented minimum Role for the scene's deployment.
pub fn role() -> Vec<PolicyRule> {
    let text = include_str!("role.yaml").replace("first-element", "chat-of-ours");
    let role: Role = serde_yaml::from_str(&text).unwrap();
    role.rules.unwrap()
}

/// The same without one verb.
pub fn role_without(resource: &str, verb: &str) -> Vec<PolicyRule> {
    let mut rules = role();
    let mut taken = 0;
    for rule in &mut rules {
        if rule.resources.as_ref().unwrap().iter().any(|one| one == resource) {
            let before = rule.verbs.len();
            rule.verbs.retain(|one| one != verb);
            taken += before - rule.verbs.len();
        }
    }
    assert_eq!(taken, 1, "the Role has {verb} {resource} once");
    // The API server refuses a rule without a verb.
    rules.retain(|rule| !rule.verbs.is_empty());
    rules
}

/// The scene's shell, for a user with these rules.
pub async fn acting(scene: &mut Scene, name: &str, rules: Vec<PolicyRule>) {
    let user = scene.namespace.user(name, rules).await.unwrap();
    scene.shell = Shell::with_kubeconfig(&user.kubeconfig);
}
