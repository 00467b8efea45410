//! `status`: prints where the migration stands.

mod all;
mod page;
mod watch;

use crate::cli::StatusArgs;
use crate::error::{Exit, Failure};
use crate::session::reading::Extent;
use crate::session::status::{Status, StatusList};
use crate::session::{Context, Session};
use crate::terminal::OutputFormat;

pub async fn exec(context: &Context, args: &StatusArgs) -> Result<Exit, Failure> {
    let format = args.output.format;
    if args.all_namespaces {
        return all::exec(context, format).await;
    }
    let mut session = Session::open_reading(context, args.name.as_deref(), true).await?;
    if args.watch {
        return watch::follow(&mut session, format).await;
    }
    let passing = context.asking();
    let snapshot = session.gather(Extent::Status).await;
    drop(passing);
    let status = Status::of(&snapshot, |command| session.command(command));
    if format.is_data() {
        context.ui.data(format, &StatusList::of(vec![status]))?;
    } else {
        page::of(&session, &snapshot, &status, format == OutputFormat::Wide)?;
    }
    Ok(Exit::Done)
}
