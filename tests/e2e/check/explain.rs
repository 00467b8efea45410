//! `check --explain CODE`: everything about a code, without a cluster.

use crate::common::command::Shell;

#[tokio::test]
async fn a_code_is_explained_without_a_kubeconfig_in_every_form() {
    let shell = Shell::with_kubeconfig(std::path::Path::new("/nonexistent/kubeconfig"));
    let done = shell.run("check --explain manifest-owned-by-helm").await.expect(0);
    for part in ["manifest-owned-by-helm", "What it means", "Why it matters", "Remedy", "Source"] {
        done.shows(part);
    }
    done.shows("Helm 4 applies on the server").shows("--via-owner");
    assert_eq!(done.stderr, "");
    let json = shell.run("check --explain certificate-expired -o json").await.expect(0).json();
    assert_eq!((&json["kind"], &json["code"]), (&"Explanation".into(), &"certificate-expired".into()));
    assert_eq!(json["severities"], serde_json::json!(["blocker"]));
    assert_eq!(shell.run("check --explain certificate-expired -o yaml").await.expect(0).yaml(), json);
}

#[tokio::test]
async fn a_cause_in_a_failure_file_is_explained_like_a_finding_and_cannot_be_accepted() {
    let shell = Shell::with_kubeconfig(std::path::Path::new("/nonexistent/kubeconfig"));
    let done = shell.run("check --explain account-changes-enabled").await.expect(0);
    done.shows("enable_3pid_changes: true").shows("allowEmailChange").shows("This attempt migrated nothing");
    let json = shell.run("check --explain row-without-account -o json").await.expect(0).json();
    assert_eq!((&json["kind"], &json["code"]), (&"Explanation".into(), &"row-without-account".into()));
    assert_eq!(json["severities"], serde_json::json!([]));
    // A finding with the same code warns of it.
    let both = shell.run("check --explain name-too-long -o json").await.expect(0).json();
    assert_eq!(both["severities"], serde_json::json!(["blocker"]));
    shell.run("dry-run --yes --accept account-changes-enabled").await.expect(2).says("account-changes-enabled");
}

#[tokio::test]
async fn an_unknown_code_is_wrong_usage_with_a_suggestion() {
    let shell = Shell::with_kubeconfig(std::path::Path::new("/nonexistent/kubeconfig"));
    for line in ["check --explain manifest-owned-by-hlem", "dry-run --yes --accept available,manifest-owned-by-hlem"] {
        let done = shell.run(line).await.expect(2);
        assert_eq!(done.stdout, "");
        done.says("manifest-owned-by-hlem").says("'manifest-owned-by-helm'");
        // Not the complete list.
        done.is_silent_about("reconcile-period");
    }
    shell.run("check --explain xyzzy").await.expect(2).says("docs/reference.md lists all codes");
    shell.run("check chat --explain available").await.expect(2).says("cannot be used with");
    shell.run("check --rbac --explain available").await.expect(2).says("cannot be used with");
}
