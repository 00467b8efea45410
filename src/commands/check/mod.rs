//! `check`: every finding; writes nothing.

mod databases;
mod explain;
mod rbac;

use super::shared::findings::{conclude, gather};
use crate::cli::CheckArgs;
use crate::error::{Exit, Failure};
use crate::session::findings;
use crate::session::{Context, Session};
use crate::terminal::Next;

pub async fn exec(context: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let format = args.output.format;
    if let Some(code) = &args.explain {
        return explain::exec(&context.ui, code, format);
    }
    if args.rbac {
        return rbac::exec(context, args).await;
    }
    // What was typed is read before anybody is asked.
    let ways = args.ask.databases.then(|| databases::Ways::read(&args.ask)).transpose()?;
    let session = Session::open(context, args.name.as_deref()).await?;
    let (snapshot, mut findings) = gather(&session).await;
    if let Some(ways) = ways {
        findings.extend(databases::look(&session, &snapshot, ways).await);
        findings.sort_by_key(|finding| finding.severity);
    }
    if !format.is_data() {
        findings::count(&context.ui, &session.place(), &findings);
    }
    let code = conclude(&context.ui, format, Some(&session.target), &findings)?;
    if code != Exit::Done && !format.is_data() {
        context.ui.next(&Next::new("More about a code:").command("kubectl ess-mas check --explain CODE"));
    }
    Ok(code)
}
