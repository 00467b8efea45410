//! May the caller do all that the step needs? Asked before the first write, so that nothing is left half-written.

use super::access::{self, Access, Right};
use super::finding::{Finding, codes};
use super::snapshot::{Known, Snapshot, Step};

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    let Some(access) = &snapshot.circumstances.access else { return };
    if snapshot.deployment.mas_active() == Some(true) && step != Step::Abort {
        return;
    }
    let subject = format!("your rights in namespace {}", snapshot.deployment.namespace());
    if access.logged_out {
        findings.push(
            Finding::blocker(codes::PERMISSIONS, subject, "the API server no longer accepts your credentials")
                .remedy("Log in again as you do for kubectl, then run the command again."),
        );
        return;
    }
    let schema = schema(snapshot, access).filter(|_| step != Step::Abort);
    let write = Standing::of(snapshot, access, access::needed(snapshot, step).into_iter().chain(schema));
    let follow = Standing::of(snapshot, access, access::needed_to_follow(snapshot, step));
    findings.extend(write.missing(snapshot, step, codes::PERMISSIONS, &subject, ""));
    let alone = " To write without following the operator, pass --wait=false.";
    findings.extend(follow.missing(snapshot, step, codes::PERMISSION_TO_FOLLOW, &subject, alone));
    if !write.missing.is_empty() || !follow.missing.is_empty() {
        return;
    }
    let unknown: Vec<&Right> = write.unknown.iter().chain(&follow.unknown).collect();
    if unknown.is_empty() {
        findings.push(Finding::ok(codes::PERMISSIONS, subject, "they are enough"));
    } else if step == Step::Look {
        // A step goes on all the same: the server's own dry run of the write tells, before anything is written.
        let text = format!(
            "whether you may do this could not be found out ({}): {}",
            access.why_unknown(),
            list(unknown.into_iter())
        );
        findings.push(
            Finding::unknown(codes::PERMISSIONS, subject, text)
                .remedy("Compare with the Role that is enough: `kubectl ess-mas check --rbac`."),
        );
    }
}

/// The published schema may have been refused; that matters where nothing else tells what the release can do.
fn schema(snapshot: &Snapshot, access: &Access) -> Option<Right> {
    let unknown = snapshot.features.known().is_none() && snapshot.deployment.active().is_none();
    access.refused.iter().find(|right| unknown && matches!(right.on, access::On::Path(_))).cloned()
}

/// Where the rights of a step stand.
struct Standing {
    missing: Vec<Right>,
    unknown: Vec<Right>,
}

impl Standing {
    fn of(snapshot: &Snapshot, access: &Access, rights: impl IntoIterator<Item = Right>) -> Self {
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        for right in rights {
            match access.may(&right) {
                _ if was_used(snapshot, &right) => {}
                Some(true) => {}
                Some(false) => missing.push(right),
                None => unknown.push(right),
            }
        }
        Self { missing, unknown }
    }

    fn missing(
        &self,
        snapshot: &Snapshot,
        step: Step,
        code: &'static str,
        subject: &str,
        more: &str,
    ) -> Option<Finding> {
        let first = self.missing.first()?;
        let text = format!("you may not: {}", list(self.missing.iter()));
        // Who only looks may not be the one who takes the steps.
        let finding = match step {
            Step::Look => Finding::warning(code, subject, text),
            _ => Finding::blocker(code, subject, text),
        };
        let how = match first.on {
            access::On::Path(_) => {
                "Ask an administrator for it; the ClusterRole system:discovery holds it, which Kubernetes gives to everyone who is logged in."
            }
            access::On::Resource { .. } => {
                "Ask an administrator for the Role that `kubectl ess-mas check --rbac` prints."
            }
        };
        let namespace = snapshot.deployment.namespace();
        Some(finding.remedy(format!(
            "{how} `kubectl auth can-i {} -n {namespace}` tells when it is there.{more}",
            first.words()
        )))
    }
}

/// What was read just now may be read, whatever lists say.
fn was_used(snapshot: &Snapshot, right: &Right) -> bool {
    let read = |known: bool, plural: &str| match &right.on {
        access::On::Resource { plural: of, .. } => known && *of == plural && right.verb == "get",
        access::On::Path(_) => false,
    };
    read(snapshot.record.known().is_some(), "configmaps")
        || read(matches!(snapshot.secret, Known::Known(Some(_))), "secrets")
}

fn list<'a>(rights: impl Iterator<Item = &'a Right>) -> String {
    rights.map(Right::words).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::access::Rules;
    use super::super::{Severity, run, tests};
    use super::*;

    fn with(rules: Value, extra: Value) -> Snapshot {
        let mut status = json!({"resourceRules": rules, "nonResourceRules": []});
        status.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let mut snapshot = tests::snapshot(|_| {});
        let rules = Known::Known(Rules::read(&status).unwrap());
        snapshot.circumstances.access = Some(Access { rules, ..Access::unknown("") });
        snapshot
    }

    fn rule(resource: &str, verbs: &[&str]) -> Value {
        let group = if resource == "elementdeployments" { "matrix.element.io" } else { "" };
        json!({"verbs": verbs, "apiGroups": [group], "resources": [resource]})
    }

    fn enough() -> Vec<Value> {
        vec![
            rule("elementdeployments", &["get", "watch", "patch"]),
            rule("secrets", &["get", "create", "patch"]),
            rule("configmaps", &["get", "create", "update"]),
        ]
    }

    fn told(snapshot: &Snapshot, step: Step) -> Vec<Finding> {
        run(snapshot, step).into_iter().filter(|finding| finding.code.starts_with("permission")).collect()
    }

    const STEPS: [Step; 5] = [Step::Look, Step::Prepare, Step::DryRun, Step::Activate, Step::Abort];

    #[test]
    fn enough_is_enough_for_every_step() {
        for step in STEPS {
            let found = told(&with(json!(enough()), json!({})), step);
            assert_eq!(found.iter().map(|one| one.severity).collect::<Vec<_>>(), [Severity::Ok], "{found:?}");
        }
        assert!(told(&tests::snapshot(|_| {}), Step::Look).is_empty(), "nobody asked");
    }

    #[test]
    fn a_missing_right_stops_the_steps_that_need_it_and_is_named() {
        for (resource, verb, stopped) in [
            ("elementdeployments", "patch", vec![Step::DryRun, Step::Activate, Step::Abort]),
            ("elementdeployments", "watch", vec![Step::DryRun, Step::Activate, Step::Abort]),
            ("secrets", "get", vec![Step::Prepare, Step::DryRun, Step::Activate]),
            ("secrets", "create", vec![Step::Prepare]),
            ("configmaps", "create", vec![Step::Prepare, Step::DryRun, Step::Activate]),
            ("configmaps", "update", vec![Step::DryRun, Step::Activate]),
        ] {
            let rules: Vec<Value> = enough()
                .into_iter()
                .map(|mut rule| {
                    if rule["resources"][0] == resource {
                        rule["verbs"].as_array_mut().unwrap().retain(|one| one != verb);
                    }
                    rule
                })
                .collect();
            let snapshot = with(json!(rules), json!({}));
            for step in STEPS {
                let found = told(&snapshot, step);
                let missing = found.iter().find(|one| one.severity != Severity::Ok);
                let wanted = match step {
                    Step::Look => Some(Severity::Warning),
                    step => stopped.contains(&step).then_some(Severity::Blocker),
                };
                assert_eq!(missing.map(|one| one.severity), wanted, "{verb} {resource} {step:?}: {found:?}");
                if let Some(missing) = missing {
                    assert!(missing.message.contains(&format!(" {verb} {resource}")), "{}", missing.message);
                    assert!(missing.remedy.as_ref().unwrap().contains("check --rbac"));
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_found_out_is_said_when_looking_and_stops_nothing() {
        for snapshot in [with(json!([]), json!({"incomplete": true})), {
            let mut silent = tests::snapshot(|_| {});
            silent.circumstances.access = Some(Access::unknown("the review is forbidden"));
            silent
        }] {
            assert_eq!(told(&snapshot, Step::Look)[0].severity, Severity::Unknown);
            for step in [Step::Prepare, Step::DryRun, Step::Activate, Step::Abort] {
                assert!(told(&snapshot, step).is_empty());
            }
        }
    }

    #[test]
    fn what_was_refused_while_reading_is_missing_whatever_the_lists_say() {
        let mut snapshot = with(json!(enough()), json!({"incomplete": true}));
        snapshot.record = Known::Unreadable("refused".into());
        let name = crate::record::record_name("chat");
        snapshot.circumstances.access.as_mut().unwrap().refused.push(Right::config_map("get", &name));
        let found = told(&snapshot, Step::Activate);
        assert_eq!(found[0].severity, Severity::Blocker);
        assert!(found[0].message.contains(&format!("get configmaps/{name}")), "{}", found[0].message);
        assert_eq!(told(&snapshot, Step::Abort)[0].severity, Severity::Ok, "going back does not need it");
    }

    #[test]
    fn a_schema_that_is_refused_stops_the_first_write_and_no_later_one() {
        let mut snapshot = with(json!(enough()), json!({}));
        snapshot.features = Known::Unreadable("refused".into());
        snapshot
            .circumstances
            .access
            .as_mut()
            .unwrap()
            .refused
            .push(Right::path("/openapi/v3/apis/matrix.element.io/v1alpha2"));
        let found = told(&snapshot, Step::DryRun);
        assert!(found[0].message.contains("get /openapi/v3") && found[0].blocks(), "{found:?}");
        let mas = json!({"config": {"active": false}});
        let mut object = snapshot.deployment.object().clone();
        object["spec"]["components"]["matrixAuthenticationService"] = mas;
        snapshot.deployment = crate::deployment::Deployment::from_value(object).unwrap();
        assert_eq!(told(&snapshot, Step::Activate)[0].severity, Severity::Ok, "the switch is in the object");
    }

    #[test]
    fn credentials_that_have_run_out_stop_everything() {
        let mut snapshot = with(json!(enough()), json!({}));
        snapshot.circumstances.access.as_mut().unwrap().logged_out = true;
        for step in STEPS {
            assert!(told(&snapshot, step)[0].blocks());
        }
    }
}
