//! The look from outside as a part of other commands: `activate` before its question, `dry-run` and `activate` after their
//! verdict, `check` while MAS is up and not active.

use std::collections::HashMap;

use super::access::EndpointAccess;
use super::ask::{expected, look};
use super::connection_test::ConnectionTest;
use crate::checks::endpoints::{self, EndpointPhase, Expected, Replies, judge, questions};
use crate::checks::{Finding, Severity, Snapshot, codes};
use crate::error::{Exit, Failure};
use crate::session::connect::Session;
use crate::session::findings;
use crate::session::interrupt::InterruptState;
use crate::session::snapshot::unread;
use crate::terminal::Next;
use crate::terminal::progress::Waiting;

/// What stands in the way of a user, and not of this program's write: nobody is stopped by it who says so.
fn as_warning(mut finding: Finding) -> Finding {
    if finding.blocks() {
        finding.severity = Severity::Warning;
    }
    finding
}

/// For `check`: what is plainly wrong is what `activate` wants accepted, so it is told here as well; what cannot be reached
/// from here is told in one finding for each host.
pub async fn for_check(session: &Session, snapshot: &Snapshot) -> Vec<Finding> {
    if EndpointPhase::of(&snapshot.deployment) != EndpointPhase::Rehearsed {
        return Vec::new();
    }
    // It is read beside this; whoever comes first reads it for both.
    let secret = session.mas_secret(snapshot).await;
    let snapshot = Snapshot { secret, ..snapshot.clone() };
    let ways = EndpointAccess::default();
    let expected = expected(session, &snapshot, &ways);
    let found = look(&expected, &ways, session.now()).await;
    found.into_iter().map(as_warning).collect()
}

/// Before the question of `activate`. Everything that is not in order is told. A script has to accept what is plainly wrong,
/// by its code; that something cannot be reached from here, or could not be found out, it need not: where scripts run,
/// hosts often cannot be reached.
pub async fn before(session: &Session, snapshot: &Snapshot, accept: &[String], script: bool) -> Result<(), Failure> {
    let ways = EndpointAccess::default();
    let expected = expected(session, snapshot, &ways);
    if expected.phase != EndpointPhase::Rehearsed {
        return Ok(());
    }
    let found = told_look(session, &expected, &ways).await;
    let plain: Vec<&'static str> = found.iter().filter(|one| one.blocks()).map(|one| one.code).collect();
    for finding in found.into_iter().filter(|one| one.severity != Severity::Ok) {
        findings::show(session.ui(), &as_warning(finding));
    }
    let mut open: Vec<&str> =
        plain.into_iter().filter(|code| script && !accept.iter().any(|accepted| accepted == code)).collect();
    open.dedup();
    if open.is_empty() {
        return Ok(());
    }
    let text = format!(
        "what answers over the network is not as it should be, and nothing was changed; to go on all the same pass --accept {}",
        open.join(",")
    );
    Err(Failure::new(Exit::Warnings, text).then("Look at all of it:", session.command("verify")))
}

/// After a verdict of success, which it does not change; Ctrl-C leaves the rest of it out.
pub async fn after(session: &Session, reach: ConnectionTest) {
    session
        .interrupt()
        .set(InterruptState::Ending { done: "what was said above stands, only the look over the network is left out" });
    let interrupt = session.interrupt().clone();
    tokio::select! {
        () = interrupt.wait() => {}
        () = tell_after(session, reach) => {}
    }
}

async fn tell_after(session: &Session, reach: ConnectionTest) {
    // The deployment was seen at the verdict; only the key in the Secret is needed beside it.
    let mut snapshot = unread(session.deployment.clone(), None);
    snapshot.secret = session.mas_secret(&snapshot).await;
    let ways = EndpointAccess::default();
    let expected = expected(session, &snapshot, &ways);
    let hosts = [&expected.synapse_host, &expected.mas_host].into_iter().flatten().map(String::as_str);
    let found = match reach.unreached(hosts).await {
        Some(reasons) => nothing_reached(&expected, &reasons),
        None => told_look(session, &expected, &ways).await,
    };
    let wrong: Vec<&Finding> = found.iter().filter(|one| one.severity != Severity::Ok).collect();
    let ui = session.ui().clone();
    if let Some(words) = answers(&expected, &found) {
        ui.progress().done(words);
    }
    if wrong.is_empty() {
        return;
    }
    ui.status("");
    for finding in &wrong {
        findings::show(&ui, &as_warning((*finding).clone()));
    }
    let text = if wrong.iter().any(|one| one.blocks()) && expected.phase == EndpointPhase::Rehearsed {
        "The verdict stands, but see to this before you migrate. To look again:"
    } else if wrong.iter().any(|one| one.blocks()) {
        "The migration is done, but users will meet this. To look again:"
    } else {
        "To look again:"
    };
    ui.next(&Next::new(text).command(session.command("verify")));
}

/// The one thing that the guide wants visited, if it is as it should be.
fn answers(expected: &Expected, found: &[Finding]) -> Option<String> {
    let good = |code: &str| {
        let mut all = found.iter().filter(|one| one.code == code).peekable();
        all.peek().is_some() && all.all(|one| one.severity == Severity::Ok)
    };
    let host = expected.mas_host.as_ref()?;
    (good(codes::MAS_ISSUER) && good(codes::MAS_SIGNING_KEY))
        .then(|| format!("MAS answers at https://{host} with this deployment's key"))
}

/// What a look would find that reaches nobody, for these reasons.
fn nothing_reached(expected: &Expected, reasons: &HashMap<String, String>) -> Vec<Finding> {
    let mut answers = Replies::default();
    for question in questions(expected) {
        let why = question.host(expected).and_then(|host| reasons.get(host));
        let why = why.map_or("nothing could be reached from here", String::as_str).to_owned();
        answers.add(question, endpoints::Outcome::NotReached(why));
    }
    judge(expected, &answers)
}

async fn told_look(session: &Session, expected: &Expected, ways: &EndpointAccess) -> Vec<Finding> {
    let now = session.now();
    let progress = session.ui().progress();
    progress.waiting(Waiting::new("asking MAS, Synapse and the identity providers, ten seconds at most", now));
    let found = look(expected, ways, now).await;
    drop(progress);
    found
}
