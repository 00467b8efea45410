//! `abort`: the switch off again, as long as the migration is not done.

use crate::cli::AbortArgs;
use crate::error::{Exit, Failure};
use crate::migration::{self, Request, Step};
use crate::session::{Context, Session};

pub async fn exec(context: &Context, args: &AbortArgs) -> Result<Exit, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = Request {
        preview: args.write.preview,
        accept: args.write.accept.clone(),
        wait: args.follow.wait,
        timeout: args.follow.timeout,
        yes: args.yes,
        ..Request::of(if args.remove { Step::Remove } else { Step::Abort })
    };
    migration::take(&mut session, &request, args.output.format).await
}
