//! The server's own dry run of both writes: what one of them would be refused for shows before the other is made.

use super::secret_request;
use crate::checks::{Known, Snapshot};
use crate::cluster::{ErrorKind, Write};
use crate::error::{Exit, Failure};
use crate::plan::{MasSettings, SecretPlan};
use crate::record::Record;
use crate::session::Session;
use crate::terminal::Next;

/// Lets the API server try the Secret and the record without storing either.
pub async fn rehearse(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    plan: &SecretPlan,
) -> Result<(), Failure> {
    let mut record = match &snapshot.record {
        Known::Known(Some(record)) => record.clone(),
        Known::Known(None) => Record::new(&snapshot.deployment),
        Known::Unreadable(why) => {
            return Err(Failure::new(
                Exit::Failed,
                format!("the record has to be read before anything is written, and nothing was changed: {why}"),
            ));
        }
    };
    record.settings = Some(settings.clone());
    if plan.writes() {
        try_out(session, &secret_request(session, plan)).await?;
    }
    try_out(session, &session.record_request(&record)).await
}

async fn try_out(session: &Session, write: &Write) -> Result<(), Failure> {
    match session.cluster.dry_run(write).await {
        Ok(written) => {
            for warning in &written.warnings {
                session.ui().warning(warning);
            }
            Ok(())
        }
        // Somebody else was faster; the write itself looks at that again.
        Err(error) if matches!(error.kind(), ErrorKind::Conflict { .. } | ErrorKind::AlreadyExists) => Ok(()),
        Err(error) => Err(Failure::from(error).next(Next::new("Nothing was changed."))),
    }
}
