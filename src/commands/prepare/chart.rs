//! Secrets that the chart makes by itself are Helm's: nothing is created under their names, and nothing is written to them.

use crate::checks::Snapshot;
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::plan::SecretPlan;
use crate::plan::export::{CHART, is_chart_secret};
use crate::session::Session;
use crate::terminal::Next;

/// Whether the chart of this deployment makes a Secret of that name.
pub fn is_charts(deployment: &Deployment, secret: &str) -> bool {
    is_chart_secret(secret, deployment.annotation("meta.helm.sh/release-name"))
}

/// Refuses a plan that would create such a Secret, or write to one.
pub fn may_write(session: &Session, snapshot: &Snapshot, plan: &SecretPlan) -> Result<(), Failure> {
    let name = &plan.name;
    if !is_charts(&snapshot.deployment, name) || !plan.writes() {
        return Ok(());
    }
    if plan.creates() {
        return Err(never_adopted(session, name));
    }
    let text = format!(
        "Secret {name} is made by chart {CHART} from its values, and the next upgrade would write over what is written there; nothing \
         was changed"
    );
    Err(Failure::new(Exit::Failed, text).next(
        Next::new("Let the values carry it; with what is in the Secret already this puts it into a file:")
            .command(session.command("prepare") + " --export helm-values --inline-secrets --export-file FILE"),
    ))
}

/// A Secret that Helm would stumble over.
pub fn never_adopted(session: &Session, name: &str) -> Failure {
    let text = format!(
        "--secret-name: {name} is a name that chart {CHART} gives to Secrets of its own, and Helm refuses to adopt a Secret that it \
         did not make; nothing was changed"
    );
    let ours = crate::checks::default_secret_name(&session.target.name);
    Failure::new(Exit::Usage, text).next(Next::new(format!("Choose another name, such as {ours}.")))
}
