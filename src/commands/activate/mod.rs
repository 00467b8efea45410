//! `activate`: starts the migration; reversible only by restoring a backup.

mod backup_file;

use crate::checks::backup;
use crate::cli::ActivateArgs;
use crate::error::{Exit, Failure};
use crate::migration::{self, Given, Request, Step};
use crate::session::{Context, Session};

pub async fn exec(context: &Context, args: &ActivateArgs) -> Result<Exit, Failure> {
    let dumps = backup_file::look(&args.backup_file)?;
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = Request {
        step: Step::Activate,
        preview: args.write.preview,
        accept: args.write.accept.clone(),
        wait: args.follow.wait,
        timeout: args.follow.timeout,
        via_owner: args.via_owner,
        given: Given { yes: args.yes, confirm: args.confirm.clone(), backup: args.backup.clone() },
        findings: backup::check(&dumps, session.ui().terminal().now()),
    };
    migration::take(&mut session, &request, args.output.format).await
}
