//! The server-side dry run of the exact write.

use super::step::Step;
use crate::cluster::{ErrorKind, Write};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::plan::Plan;
use crate::session::Session;

/// Sends the server-side dry run, and returns the object after the write; `None` after a conflict. Refuses an activation that
/// would change more than `active`.
pub async fn ask(session: &Session, step: Step, plan: &Plan) -> Result<Option<Deployment>, Failure> {
    let write = Write::patch_deployment(&session.target, plan.patch.clone());
    let written = match session.cluster.dry_run(&write).await {
        Ok(written) => written,
        Err(error) if matches!(error.kind(), ErrorKind::Conflict { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    for warning in &written.warnings {
        session.ui().warning(warning);
    }
    let unexplained = plan.unexplained(&written.object);
    let answer = Deployment::from_value(written.object).map_err(|error| Failure::failed(error.to_string()))?;
    if unexplained.is_empty() || step != Step::Activate {
        return Ok(Some(answer));
    }
    let text = format!(
        "the write would change more than active: {}. An admission webhook or a new default of the CRD changes the \
         ElementDeployment on every write",
        unexplained.join(", ")
    );
    Err(Failure::failed(text).advise("Find the cause, wait for a reconcile, then repeat `dry-run`."))
}
