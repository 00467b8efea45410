//! Whether the release of ESS Classic supports the migration.

use super::finding::Finding;
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use crate::deployment::{ChartRelease, VersionSource};

const SUBJECT: &str = "spec.components.matrixAuthenticationService.config.active";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    findings.extend(served(snapshot));
    if let Some(finding) = installed_with_mas(snapshot, purpose) {
        return findings.push(finding);
    }
    findings.push(match &snapshot.features {
        Known::Known(features) if features.active => Finding::of("field-active", SUBJECT, &[]),
        Known::Known(features) => {
            let missing =
                if features.mas { "no field config.active" } else { "no component matrixAuthenticationService" };
            Finding::of("no-field-active", SUBJECT, &[("missing", missing)])
        }
        Known::Unreadable(_) if snapshot.deployment.active().is_some() => Finding::of("active-set", SUBJECT, &[]),
        Known::Unreadable(why) => Finding::of("field-unknown", SUBJECT, &[("why", why)]),
    });
    if purpose != Purpose::Abort {
        findings.extend(snapshot.chart.as_ref().and_then(release));
    }
}

fn served(snapshot: &Snapshot) -> Option<Finding> {
    let version = snapshot.deployment.api_version().rsplit('/').next().filter(|version| !version.is_empty())?;
    let only = if version == "v1alpha2" { "" } else { ", as in older releases" };
    let version = if version == "v1alpha2" { version.to_owned() } else { format!("only {version}") };
    let values = [("version", version.as_str()), ("only", only)];
    Some(Finding::of("served", "elementdeployments.matrix.element.io", &values))
}

/// Older releases can be installed with MAS: without the field `active`, and with nothing to migrate.
fn installed_with_mas(snapshot: &Snapshot, purpose: Purpose) -> Option<Finding> {
    let without_switch = snapshot.features.known().is_some_and(|features| features.mas && !features.active);
    if !without_switch || snapshot.deployment.mas().is_none() {
        return None;
    }
    let name = if purpose == Purpose::Check { "installed-with-mas" } else { "nothing-to-migrate" };
    Some(Finding::of(name, "spec.components.matrixAuthenticationService", &[]))
}

/// Checks the installed release: the schema shows only what can be written, not what the operator supports.
fn release(release: &ChartRelease) -> Option<Finding> {
    let ess = release.ess().map_or_else(String::new, |ess| format!(", ESS {ess},"));
    let name = match release.source() {
        _ if release.is_at_least(ChartRelease::FIRST_WITH_MIGRATION)? => "release",
        // Mirrors can use other tags.
        VersionSource::Image => "image-too-old",
        _ => "release-too-old",
    };
    Some(Finding::of(name, release.to_string(), &[("ess", &ess)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Severity, run, tests};
    use super::*;
    use crate::deployment::Features;

    fn found(snapshot: &Snapshot, purpose: Purpose, code: &str) -> Option<Severity> {
        run(snapshot, purpose).into_iter().find(|one| one.code == code).map(|one| one.severity)
    }

    #[test]
    fn served_version_is_reported() {
        let served = |version: &str| tests::snapshot(|object| object["apiVersion"] = json!(version));
        for version in ["matrix.element.io/v1alpha2", "matrix.element.io/v1alpha1"] {
            let found =
                run(&served(version), Purpose::Check).into_iter().find(|one| one.code == "api-version").unwrap();
            assert!(found.message.contains(version.rsplit('/').next().unwrap()), "{}", found.message);
        }
        assert_eq!(found(&served(""), Purpose::Check, "api-version"), None);
    }

    #[test]
    fn release_of_a_chart_counts_more_than_an_image_tag() {
        let with = |release: Option<ChartRelease>| {
            let mut snapshot = tests::snapshot(|_| {});
            snapshot.chart = release;
            found(&snapshot, Purpose::DryRun, "release-too-old")
        };
        let chart = |version: &str| Some(ChartRelease { chart: "ess-stack".into(), version: version.into() });
        let image = |tag: &str| ChartRelease::of_image(&format!("mirror/updater:{tag}"));
        assert_eq!(with(chart("2.28.0")), Some(Severity::Blocker));
        assert_eq!(with(chart("25.08.2")), Some(Severity::Blocker));
        assert_eq!(with(chart("2.28.1")), Some(Severity::Ok));
        assert_eq!(with(chart("25.09.01")), Some(Severity::Ok));
        assert_eq!(with(image("2.27.0")), Some(Severity::Warning), "mirrors can use other tags");
        assert_eq!(with(image("2.29.0")), Some(Severity::Ok));
        for unknown in [chart("^2.0.0"), chart("main"), None] {
            assert_eq!(with(unknown), None);
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
        assert_eq!(found(&before(true), Purpose::Check, "already-migrated"), Some(Severity::Ok));
        for purpose in [Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
            assert_eq!(found(&before(true), purpose, "already-migrated"), Some(Severity::Blocker), "{purpose:?}");
        }
        assert_eq!(found(&before(false), Purpose::DryRun, "already-migrated"), None);
        assert_eq!(found(&before(false), Purpose::DryRun, "mas-supported"), Some(Severity::Blocker));
    }
}
