//! `dry-run`, `activate` and `abort`: map the flags to the shared flow, in which they differ by [`Step`].

use super::backup_files::inspect;
use crate::checks::backup;
use crate::cli::{AbortArgs, ActivateArgs, DryRunArgs, FollowArgs, WriteArgs};
use crate::error::{Exit, Failure};
use crate::migration::{self, Request, Step};
use crate::session::{Context, Session};

fn request(step: Step, write: &WriteArgs, follow: &FollowArgs, yes: bool) -> Request {
    Request {
        step,
        preview: write.preview,
        accept: write.accept.clone(),
        wait: follow.wait,
        timeout: follow.timeout,
        yes,
        via_owner: false,
        confirm: None,
        backup: None,
        findings: Vec::new(),
    }
}

pub async fn dry_run(context: &Context, args: &DryRunArgs) -> Result<Exit, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = request(Step::DryRun, &args.write, &args.follow, args.yes);
    let request = Request { via_owner: args.via_owner, ..request };
    migration::take(&mut session, &request, args.output.format).await
}

pub async fn activate(context: &Context, args: &ActivateArgs) -> Result<Exit, Failure> {
    let dumps = args.backup_file.iter().map(|name| inspect(name)).collect::<Result<Vec<_>, _>>()?;
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = Request {
        via_owner: args.via_owner,
        confirm: args.confirm.clone(),
        backup: args.backup.clone(),
        findings: backup::check(&dumps, session.now()),
        ..request(Step::Activate, &args.write, &args.follow, args.yes)
    };
    migration::take(&mut session, &request, args.output.format).await
}

pub async fn abort(context: &Context, args: &AbortArgs) -> Result<Exit, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let step = if args.remove { Step::Remove } else { Step::Abort };
    let request = request(step, &args.write, &args.follow, args.yes);
    migration::take(&mut session, &request, args.output.format).await
}
