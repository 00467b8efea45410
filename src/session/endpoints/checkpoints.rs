//! The endpoint checks in other commands: in `activate` before its question, in `dry-run` and `activate` after their verdict, and
//! in `check` while MAS is deployed and not active.

use std::collections::HashMap;

use super::access::EndpointAccess;
use super::ask::{check, expected};
use super::connection_test::ConnectionTest;
use crate::checks::endpoints::{self, EndpointPhase, Expected, Replies, judge, probes};
use crate::checks::{Finding, Severity, Snapshot, codes};
use crate::error::{Exit, Failure};
use crate::session::connect::Session;
use crate::session::findings;
use crate::session::interrupt::InterruptState;
use crate::session::snapshot::unread;
use crate::terminal::Next;
use crate::terminal::progress::Waiting;

/// Lowers blockers to warnings, because the endpoints don't prevent a write.
fn as_warning(mut finding: Finding) -> Finding {
    if finding.blocks() {
        finding.severity = Severity::Warning;
    }
    finding
}

/// The findings for `check`, so that it reports the warnings that `activate` requires scripts to accept.
pub async fn for_check(session: &Session, snapshot: &Snapshot) -> Vec<Finding> {
    if EndpointPhase::of(&snapshot.deployment) != EndpointPhase::Deployed {
        return Vec::new();
    }
    // A concurrent check shares this request.
    let secret = session.mas_secret(snapshot).await;
    let snapshot = Snapshot { secret, ..snapshot.clone() };
    let ways = EndpointAccess::default();
    let expected = expected(session, &snapshot, &ways);
    let found = check(&expected, &ways, session.now()).await;
    found.into_iter().map(as_warning).collect()
}

/// Runs before the question of `activate`, and shows all problems. Scripts must accept only blockers, by code: hosts are often
/// unreachable from where scripts run.
pub async fn before(session: &Session, snapshot: &Snapshot, accept: &[String], script: bool) -> Result<(), Failure> {
    let ways = EndpointAccess::default();
    let expected = expected(session, snapshot, &ways);
    if expected.phase != EndpointPhase::Deployed {
        return Ok(());
    }
    let found = check_with_progress(session, &expected, &ways).await;
    let mut open = Vec::new();
    for finding in found.into_iter().filter(|one| one.severity != Severity::Ok) {
        if script && finding.blocks() && !accept.iter().any(|accepted| accepted == finding.code) {
            open.push(finding.code);
        }
        findings::show(session.ui(), &as_warning(finding));
    }
    open.dedup();
    if open.is_empty() {
        return Ok(());
    }
    let text = format!(
        "the checks over the network found problems, and nothing was changed; to continue anyway, pass --accept {}",
        open.join(",")
    );
    Err(Failure::new(Exit::Warnings, text).then("Show all findings:", session.command("verify")))
}

/// Runs after a verdict of success, which it doesn't change; Ctrl-C skips it.
pub async fn after(session: &Session, reach: ConnectionTest) {
    let interrupt = session.interrupt();
    let done = "the verdict above is final; only the check over the network is skipped";
    interrupt.set(InterruptState::Ending { done });
    tokio::select! {
        () = interrupt.wait() => {}
        () = report_after(session, reach) => {}
    }
}

async fn report_after(session: &Session, reach: ConnectionTest) {
    // The deployment is known from the verdict; only the key in the Secret is missing.
    let mut snapshot = unread(session.deployment.clone(), None);
    snapshot.secret = session.mas_secret(&snapshot).await;
    let ways = EndpointAccess::default();
    let expected = expected(session, &snapshot, &ways);
    let hosts = [&expected.synapse_host, &expected.mas_host].into_iter().flatten().map(String::as_str);
    let found = match reach.unreached(hosts).await {
        Some(reasons) => nothing_reached(&expected, &reasons),
        None => check_with_progress(session, &expected, &ways).await,
    };
    let wrong: Vec<&Finding> = found.iter().filter(|one| one.severity != Severity::Ok).collect();
    let ui = session.ui();
    if let Some(words) = answers(&expected, &found) {
        ui.progress().done(words);
    }
    if wrong.is_empty() {
        return;
    }
    ui.status("");
    for finding in &wrong {
        findings::show(ui, &as_warning((*finding).clone()));
    }
    let deployed = expected.phase == EndpointPhase::Deployed;
    let text = match wrong.iter().any(|one| one.blocks()) {
        true if deployed => "The dry run passed, but fix these problems before you migrate. To check again:",
        true => "The migration is complete, but these problems affect users. To check again:",
        false => "To check again:",
    };
    ui.next(&Next::new(text).command(session.command("verify")));
}

/// The summary, if issuer and signing key are correct.
fn answers(expected: &Expected, found: &[Finding]) -> Option<String> {
    let good = |code: &str| {
        let mut all = found.iter().filter(|one| one.code == code).peekable();
        all.peek().is_some() && all.all(|one| one.severity == Severity::Ok)
    };
    let host = expected.mas_host.as_ref()?;
    (good(codes::MAS_ISSUER) && good(codes::MAS_SIGNING_KEY))
        .then(|| format!("MAS responds at https://{host} with this deployment's key"))
}

/// The findings if no host can be reached, for these reasons.
fn nothing_reached(expected: &Expected, reasons: &HashMap<String, String>) -> Vec<Finding> {
    let mut answers = Replies::default();
    for probe in probes(expected) {
        let why = probe.host(expected).and_then(|host| reasons.get(host));
        let why = why.map_or("no host can be reached from this machine", String::as_str).to_owned();
        answers.add(probe, endpoints::Outcome::NotReached(why));
    }
    judge(expected, &answers)
}

async fn check_with_progress(session: &Session, expected: &Expected, ways: &EndpointAccess) -> Vec<Finding> {
    let (now, progress) = (session.now(), session.ui().progress());
    progress.waiting(Waiting::new("checking MAS, Synapse and the identity providers; takes at most ten seconds", now));
    check(expected, ways, now).await
}
