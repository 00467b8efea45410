//! `status --watch`: prints the page once on a terminal, then a line for every change, until Ctrl-C.

use std::time::Duration;

use super::page;
use crate::cluster::WatchItem;
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::session::Session;
use crate::session::interrupt::InterruptState;
use crate::session::reading::Extent;
use crate::session::status::{Status, StatusList};
use crate::terminal::time::time_of_day;
use crate::terminal::{OutputFormat, Stream};

/// How often to read the record: its changes cause no event of the deployment.
const RECORD: Duration = Duration::from_secs(5);

/// Follows until an interrupt. Prints connection problems to stderr and retries.
pub async fn follow(session: &mut Session, format: OutputFormat) -> Result<Exit, Failure> {
    session.interrupt().set(InterruptState::Following {
        doing: "nothing was changed; the cluster continues".to_owned(),
        come_back: session.command("status --watch"),
    });
    let mut watch = session.cluster.follow(&session.target, session.deployment.object());
    let mut shown: Option<String> = None;
    loop {
        show(session, format, &mut shown).await?;
        tokio::select! {
            item = watch.next() => match item {
                Some(WatchItem::Seen { object, .. }) => {
                    if let Ok(deployment) = Deployment::from_value(object) {
                        session.deployment = deployment;
                    }
                }
                Some(WatchItem::Deleted(_)) => {
                    session.ui().warning(format!("ElementDeployment {} was deleted; waiting for a new one", session.place()));
                }
                Some(WatchItem::Trouble(error)) => {
                    session.ui().warning(format!("can't watch the ElementDeployment; retrying: {error}"));
                }
                Some(WatchItem::Recovered) => session.ui().status("Watching the ElementDeployment again."),
                None => watch = session.follow_anew().await,
            },
            () = session.interrupt().wait() => return Err(Failure::told(Exit::Interrupted)),
            () = tokio::time::sleep(RECORD) => {}
        }
    }
}

async fn show(session: &Session, format: OutputFormat, shown: &mut Option<String>) -> Result<(), Failure> {
    let snapshot = tokio::select! {
        snapshot = session.gather(Extent::Status) => snapshot,
        () = session.interrupt().wait() => return Ok(()),
    };
    let status = Status::of(&snapshot, |command| session.command(command));
    let line = line(&status);
    if shown.as_ref() == Some(&line) {
        return Ok(());
    }
    let first = shown.replace(line.clone()).is_none();
    let ui = session.ui();
    if format.is_data() {
        ui.data(format, &StatusList::of(vec![status]))?;
    } else if first && ui.terminal.is_tty(Stream::Out) {
        page::of(session, &snapshot, &status, format == OutputFormat::Wide)?;
    } else {
        let time = time_of_day(ui.terminal.now(), ui.terminal.zone());
        ui.print(format!("{time}  {line}"))?;
    }
    Ok(())
}

fn line(status: &Status) -> String {
    let truth = |value: Option<bool>| value.map_or("absent", |value| if value { "true" } else { "false" });
    let part = &status.status;
    let mut line = format!(
        "{}; operator {}; active {}, mas_active {}, Available {}, Successful {}",
        status.words(),
        part.run.word(),
        truth(status.spec.active),
        truth(part.mas_active),
        truth(part.available),
        truth(part.successful)
    );
    if let Some(failure) = &part.failure {
        line.push_str("; the operator reports: ");
        line.push_str(failure.message.lines().next().unwrap_or_default());
    }
    line
}
