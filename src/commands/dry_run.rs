//! `dry-run`: MAS with `active: false`, and the operator's dry run of the migration.

use crate::cli::DryRunArgs;
use crate::error::{Exit, Failure};
use crate::migration::{self, Request, Step};
use crate::session::{Context, Session};

pub async fn exec(context: &Context, args: &DryRunArgs) -> Result<Exit, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = Request {
        preview: args.write.preview,
        accept: args.write.accept.clone(),
        wait: args.follow.wait,
        timeout: args.follow.timeout,
        via_owner: args.via_owner,
        yes: args.yes,
        ..Request::of(Step::DryRun)
    };
    migration::take(&mut session, &request, args.output.format).await
}
