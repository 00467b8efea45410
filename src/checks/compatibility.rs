//! Is this ESS Classic, and new enough?

use super::finding::{Finding, codes};
use super::snapshot::{Known, Snapshot, Step};
use crate::deployment::{ChartRelease, VersionSource};

const SUBJECT: &str = "spec.components.matrixAuthenticationService.config.active";

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
    served(snapshot, findings);
    if let Some(finding) = on_mas_already(snapshot, step) {
        findings.push(finding);
        return;
    }
    findings.push(match &snapshot.features {
        Known::Known(features) if features.active => {
            Finding::ok(codes::MAS_SUPPORTED, SUBJECT, "this release's ElementDeployment has the switch")
        }
        Known::Known(features) => {
            let missing =
                if features.mas { "no switch config.active" } else { "no component matrixAuthenticationService" };
            Finding::blocker(
                codes::MAS_SUPPORTED,
                SUBJECT,
                format!("this release's ElementDeployment has {missing}, so the API server would drop the change"),
            )
            .remedy("Upgrade to ESS Classic 25.09.01 (chart 2.28.1) or later, with LDAP to 25.10.1 (chart 2.29.0).")
            .guide()
        }
        Known::Unreadable(_) if snapshot.deployment.active().is_some() => {
            Finding::ok(codes::MAS_SUPPORTED, SUBJECT, "the switch is in the object")
        }
        Known::Unreadable(why) => Finding::unknown(
            codes::MAS_SUPPORTED,
            SUBJECT,
            format!("whether this release's ElementDeployment has the switch could not be found out: {why}"),
        )
        .remedy("The API server refuses fields that it does not know, so going on cannot lose the change."),
    });
    if step != Step::Abort {
        findings.extend(snapshot.chart.as_ref().and_then(release));
    }
}

fn served(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let version = snapshot.deployment.api_version();
    let version = version.rsplit('/').next().unwrap_or_default();
    let text = match version {
        "" => return,
        "v1alpha2" => "it is served as v1alpha2".to_owned(),
        other => format!("it is served as {other} only, which older releases do"),
    };
    findings.push(Finding::ok(codes::API_VERSION, "elementdeployments.matrix.element.io", text));
}

/// Releases before the migration have MAS too, for those who were installed with it: without a switch, and with nothing to
/// migrate.
fn on_mas_already(snapshot: &Snapshot, step: Step) -> Option<Finding> {
    let without_switch = snapshot.features.known().is_some_and(|features| features.mas && !features.active);
    if !without_switch || snapshot.deployment.mas().is_none() {
        return None;
    }
    let subject = "spec.components.matrixAuthenticationService";
    let text = "MAS is part of this deployment, in a release that has no switch for it: it was installed with MAS, and there is nothing to migrate";
    Some(match step {
        Step::Look => Finding::ok(codes::ALREADY_MIGRATED, subject, text),
        _ => Finding::blocker(codes::ALREADY_MIGRATED, subject, text)
            .remedy("If people still log in at Synapse, ask Element Support what this deployment is."),
    })
}

/// The schema decides what can be written; the release says what the operator makes of it.
fn release(release: &ChartRelease) -> Option<Finding> {
    let subject = release.to_string();
    let ess = release.ess().map_or_else(String::new, |ess| format!(" (ESS {ess})"));
    if release.is_at_least(ChartRelease::FIRST_WITH_MIGRATION)? {
        return Some(Finding::ok(codes::RELEASE_TOO_OLD, subject, format!("it{ess} can migrate")));
    }
    let text = "the migration needs chart 2.28.1 (ESS 25.09.01) or later";
    // Whoever keeps copies of images may tag them as they like.
    let finding = match release.source() {
        VersionSource::Image => Finding::warning(codes::RELEASE_TOO_OLD, subject, text),
        _ => Finding::blocker(codes::RELEASE_TOO_OLD, subject, text),
    };
    Some(finding.remedy("Upgrade ESS Classic first, and let it reconcile.").guide())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Severity, run, tests};
    use super::*;
    use crate::deployment::Features;

    fn found(snapshot: &Snapshot, step: Step, code: &str) -> Option<Severity> {
        run(snapshot, step).into_iter().find(|one| one.code == code).map(|one| one.severity)
    }

    #[test]
    fn the_served_version_is_said() {
        let served = |version: &str| tests::snapshot(|object| object["apiVersion"] = json!(version));
        for version in ["matrix.element.io/v1alpha2", "matrix.element.io/v1alpha1"] {
            let told =
                run(&served(version), Step::Look).into_iter().find(|one| one.code == codes::API_VERSION).unwrap();
            assert!(told.message.contains(version.rsplit('/').next().unwrap()), "{}", told.message);
        }
        assert_eq!(found(&served(""), Step::Look, codes::API_VERSION), None);
    }

    #[test]
    fn a_release_is_judged_by_what_names_it() {
        let with = |release: Option<ChartRelease>| {
            let mut snapshot = tests::snapshot(|_| {});
            snapshot.chart = release;
            found(&snapshot, Step::DryRun, codes::RELEASE_TOO_OLD)
        };
        let chart = |version: &str| Some(ChartRelease { chart: "ess-stack".into(), version: version.into() });
        let image = |tag: &str| ChartRelease::of_image(&format!("mirror/updater:{tag}"));
        assert_eq!(with(chart("2.28.0")), Some(Severity::Blocker));
        assert_eq!(with(chart("25.08.2")), Some(Severity::Blocker));
        assert_eq!(with(chart("2.28.1")), Some(Severity::Ok));
        assert_eq!(with(chart("25.09.01")), Some(Severity::Ok));
        assert_eq!(with(image("2.27.0")), Some(Severity::Warning), "tags of copies are anybody's");
        assert_eq!(with(image("2.29.0")), Some(Severity::Ok));
        for untold in [chart("^2.0.0"), chart("main"), None] {
            assert_eq!(with(untold), None);
        }
    }

    #[test]
    fn a_deployment_that_was_installed_with_mas_has_nothing_to_migrate() {
        let before = |mas: bool| {
            let mut snapshot = tests::snapshot(|object| {
                if mas {
                    object["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {}});
                }
            });
            snapshot.features = Known::Known(Features { mas: true, active: false, ..Features::default() });
            snapshot
        };
        assert_eq!(found(&before(true), Step::Look, codes::ALREADY_MIGRATED), Some(Severity::Ok));
        for step in [Step::Prepare, Step::DryRun, Step::Activate, Step::Abort] {
            assert_eq!(found(&before(true), step, codes::ALREADY_MIGRATED), Some(Severity::Blocker), "{step:?}");
        }
        assert_eq!(found(&before(false), Step::DryRun, codes::ALREADY_MIGRATED), None);
        assert_eq!(found(&before(false), Step::DryRun, codes::MAS_SUPPORTED), Some(Severity::Blocker));
    }
}
