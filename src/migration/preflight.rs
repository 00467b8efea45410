//! What must hold between the plan and the write.

use super::Task;
use crate::checks::{self, Finding, Snapshot, Step, codes};
use crate::deployment::Deployment;
use crate::error::{FAILED, Failure};
use crate::plan::MasSettings;
use crate::session::Session;
use crate::session::findings;
use crate::terminal::Next;

/// Somebody else changed what was decided upon: a person is shown everything again, a script is refused.
pub fn conflict(session: &Session, task: &dyn Task) -> Result<(), Failure> {
    let by = session
        .deployment
        .active_written_by()
        .map_or_else(String::new, |(manager, _)| format!(" (field manager {manager})"));
    let text = format!(
        "ElementDeployment {} was changed by somebody else{by} in the meantime, so nothing was written",
        session.place()
    );
    if task.is_script(session) {
        return Err(Failure::new(FAILED, text)
            .next(Next::new("Look at it, then run the command again.").command(session.command("status"))));
    }
    session.ui().warning(text);
    Ok(())
}

pub fn refuse_more(task: &dyn Task, unexplained: &[String]) -> Result<(), Failure> {
    if unexplained.is_empty() || task.tolerates_more() {
        return Ok(());
    }
    let text = format!(
        "the API server would change more than the switch, so nothing was written: {}. Something (a webhook, a new default of the \
         resource definition) changes the deployment on every write",
        unexplained.join(", ")
    );
    Err(Failure::new(FAILED, text)
        .next(Next::new("Find out what it is, let the deployment reconcile, and run `dry-run` again.")))
}

/// What will stand once the change is written. The server's answer shows which Secret the deployment will refer to, and
/// by its defaults which keys; the operator refuses to run without them.
pub async fn foresee(
    session: &Session,
    snapshot: Snapshot,
    answer: &Deployment,
    step: Step,
) -> Result<Snapshot, Failure> {
    if step != Step::DryRun {
        return Ok(snapshot);
    }
    let mut after = Snapshot { deployment: answer.clone(), ..snapshot.clone() };
    after.settings = MasSettings::of(answer).or(after.settings);
    let read = snapshot.secret.known().and_then(Option::as_ref).map(|secret| secret.name.as_str());
    if let Some(name) = answer.mas_secret_name().filter(|name| read != Some(*name)) {
        after.secret = session.read_secret(name).await;
    }
    let mut found: Vec<Finding> = checks::run(&after, step)
        .into_iter()
        .filter(|finding| finding.code == codes::SECRET && finding.blocks())
        .collect();
    findings::name_commands(session, &mut found);
    if !found.is_empty() {
        findings::tell(session.ui(), &session.place(), &found);
    }
    findings::judge(&found, &[], false)?;
    // The record notes the contents of the Secret that is rehearsed.
    Ok(Snapshot { secret: after.secret, ..snapshot })
}
