//! `dry-run`: MAS with `active: false`, and the operator's dry run of the migration.

use crate::cli::DryRunArgs;
use crate::error::{Exit, Failure};
use crate::migration::{self, Given, Request, Step};
use crate::session::{Context, Session};

pub async fn exec(context: &Context, args: &DryRunArgs) -> Result<Exit, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = Request {
        step: Step::DryRun,
        preview: args.write.preview,
        accept: args.write.accept.clone(),
        wait: args.follow.wait,
        timeout: args.follow.timeout,
        via_owner: args.via_owner,
        given: Given { yes: args.yes, ..Given::default() },
        findings: Vec::new(),
    };
    migration::take(&mut session, &request, args.output.format).await
}
