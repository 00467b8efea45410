//! The server-side dry run of the exact write.

use serde_json::{Value, json};

use super::step::Step;
use crate::checks::{self, Snapshot, codes};
use crate::cluster::{ErrorKind, Write};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::plan::{MasSettings, Plan};
use crate::session::{Session, findings};
use crate::terminal::diff;

pub struct ServerDryRun {
    pub answer: Deployment,
    unexplained: Vec<String>,
}

/// The write of a plan, with the `resourceVersion` that was shown.
pub fn request(session: &Session, plan: &Plan) -> Write {
    Write::patch_deployment(&session.target, plan.before.resource_version(), plan.patch.clone())
}

/// Sends the server-side dry run. `None` after a conflict.
pub async fn ask(session: &Session, plan: &Plan) -> Result<Option<ServerDryRun>, Failure> {
    let written = match session.cluster.dry_run(&request(session, plan)).await {
        Ok(written) => written,
        Err(error) if matches!(error.kind(), ErrorKind::Conflict { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    for warning in &written.warnings {
        session.ui().warning(warning);
    }
    let unexplained = plan.unexplained(&written.object);
    let answer = Deployment::from_value(written.object).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Some(ServerDryRun { answer, unexplained }))
}

impl ServerDryRun {
    /// Refuses an activation that would change more than `active`.
    pub fn refuse_more(&self, step: Step) -> Result<(), Failure> {
        if self.unexplained.is_empty() || step != Step::Activate {
            return Ok(());
        }
        let text = format!(
            "the write would change more than active: {}. An admission webhook or a new default of the CRD changes the \
             ElementDeployment on every write",
            self.unexplained.join(", ")
        );
        Err(Failure::failed(text).advise("Find the cause, wait for a reconcile, then repeat `dry-run`."))
    }

    /// Checks the Secret that the deployment will refer to after the write. Its name and, by defaults of the CRD, its keys
    /// are known from the server-side dry run; the operator fails without them.
    pub async fn foresee(&self, session: &Session, seen: Snapshot, step: Step) -> Result<Snapshot, Failure> {
        if step != Step::DryRun {
            return Ok(seen);
        }
        let answer = &self.answer;
        let mut after = Snapshot { deployment: answer.clone(), ..seen.clone() };
        after.settings = MasSettings::of(answer).or(after.settings);
        let read = seen.secret.known().and_then(Option::as_ref).map(|secret| secret.name.as_str());
        if let Some(name) = answer.mas_secret_name().filter(|name| read != Some(*name)) {
            after.secret = session.read_secret(name).await;
        }
        let mut found = checks::run(&after, step.checks());
        found.retain(|finding| finding.code == codes::SECRET && finding.blocks());
        findings::name_commands(session, &mut found);
        if !found.is_empty() {
            findings::tell(session.ui(), &session.place(), &found);
        }
        findings::judge(&found, &[], false)?;
        // The record needs the contents of the Secret that the dry run uses.
        Ok(Snapshot { secret: after.secret, ..seen })
    }

    pub fn show(&self, session: &Session, plan: &Plan) {
        let spec = |deployment: &Deployment| json!({"spec": deployment.spec()});
        let metadata = |deployment: &Deployment| match &deployment.object()["metadata"]["annotations"] {
            Value::Null => json!({"metadata": {"annotations": {}}}),
            annotations => json!({"metadata": {"annotations": annotations}}),
        };
        session.ui().say_under("Change to the ElementDeployment:", 0);
        // No field of the spec contains a secret.
        for part in [&spec as &dyn Fn(&Deployment) -> Value, &metadata] {
            session.ui().changes(&diff::changes(&part(&plan.before), &part(&self.answer)));
        }
    }
}
