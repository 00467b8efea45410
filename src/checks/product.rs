//! Is this ESS Classic, and new enough?

use super::finding::{Finding, codes};
use super::snapshot::{Known, Snapshot, Step};
use crate::deployment::ChartRelease;

const SUBJECT: &str = "spec.components.matrixAuthenticationService.config.active";

pub(super) fn check(snapshot: &Snapshot, step: Step, findings: &mut Vec<Finding>) {
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
    let Some(chart) = &snapshot.chart else { return };
    // The schema decides; a chart's number only adds to it where LDAP needs a later release.
    if step != Step::Abort && chart.is_at_least(ChartRelease::FIRST_WITH_MIGRATION) == Some(false) {
        findings.push(
            Finding::blocker(
                codes::RELEASE_TOO_OLD,
                format!("chart {} {}", chart.chart, chart.version),
                "the migration needs chart 2.28.1 (ESS 25.09.01) or later",
            )
            .remedy("Upgrade ESS Classic first, and let it reconcile.")
            .guide(),
        );
    }
}
