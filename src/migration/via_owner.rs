//! `--via-owner`: shows the change, and waits until the manifest owner (Helm, Argo CD, Flux, the installer) makes it.

use std::ops::ControlFlow;

use super::follow::End;
use super::resume::Start;
use super::step::{Request, Step};
use super::wait::{Wait, until};
use crate::deployment::{Deployment, Owner};
use crate::error::Failure;
use crate::plan::Plan;
use crate::record::{OwnersChange, Pending};
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::interrupt::InterruptState;
use crate::terminal::progress::Waiting;
use crate::terminal::{Line, OutputFormat, Style, data, diff};
use crate::verdict::{Baseline, Carried, Continuity, Observation, Verdict};

/// The spec compared with the one that was shown.
#[derive(Debug, PartialEq, Eq)]
enum SpecNow {
    /// The change has not arrived; only the status may have changed.
    Unchanged,
    AsApproved,
    Different,
}

/// Hands the recorded change to the owner, and waits for it; `answer` is the object of its server-side dry run.
pub async fn hand_over(
    session: &mut Session,
    request: &Request,
    plan: &Plan,
    answer: &Deployment,
    deadline: Deadline,
) -> Result<ControlFlow<End, Start>, Failure> {
    show(session, plan)?;
    if !request.wait {
        return Ok(ControlFlow::Break(End::NotWaited));
    }
    let progress = session.ui().progress();
    let waiting = Waiting::new("waiting for the manifest owner's change", session.now());
    let mut before = plan.before.clone();
    let arrived = |session: &Session, continuity| {
        let now = &session.deployment;
        if now.uid() != before.uid() {
            return Some(ControlFlow::Break(End::Verdict(Verdict::Gone)));
        }
        match compare(answer, &before, now) {
            SpecNow::Unchanged => {
                before = now.clone();
                None
            }
            SpecNow::AsApproved => {
                let seen = Observation::of(now);
                let carried = plan.carried(&seen);
                let baseline = baseline(&Observation::of(&before), &seen, carried, continuity);
                progress.done(format!("the change arrived (resourceVersion {})", now.resource_version()));
                let (seen, changed) = (now.clone(), Some(session.now()));
                Some(ControlFlow::Continue(Start { baseline, seen, continuity, by: None, changed, existing: false }))
            }
            SpecNow::Different => Some(ControlFlow::Break(End::OwnerDiffers(unexpected(session, answer, now)))),
        }
    };
    let doing = "this command didn't write to the ElementDeployment; the operator reconciles the manifest owner's change once it arrives";
    let come_back = session.command(&format!("{} --via-owner", request.step.command()));
    let interrupted = InterruptState::Following { doing: doing.to_owned(), come_back };
    let wait =
        Wait { deadline, timed_out: End::OwnerTimedOut, catch_up: true, interrupted, progress: &progress, waiting };
    let arrived = until(session, wait, arrived).await;
    if let ControlFlow::Continue(start) = &arrived {
        note_arrival(session, request.step, start).await;
    }
    Ok(arrived)
}

/// Records the arrival of the change, so that a later call resumes from this point.
async fn note_arrival(session: &Session, step: Step, start: &Start) {
    let now = session.now();
    let noted = session
        .change_record(|record| {
            let is_awaited =
                |pending: &&mut Pending| pending.step == step && pending.owner == Some(OwnersChange::Awaited);
            if let Some(pending) = record.pending.as_mut().filter(is_awaited) {
                pending.owner = Some(OwnersChange::Arrived);
                pending.baseline = start.baseline.clone();
                pending.at = now;
            }
        })
        .await;
    session.warn_unrecorded(noted);
}

/// Prints the change for the owner to stderr; stdout is for the document of `-o json`.
fn show(session: &Session, plan: &Plan) -> Result<(), Failure> {
    let (place, whole) = place(&plan.before.owner());
    let spec = &plan.patch["spec"];
    let change = if whole { serde_json::json!({"spec": spec}) } else { spec.clone() };
    let text = data::render(OutputFormat::Yaml, &change)?;
    let ui = session.ui();
    ui.status("");
    ui.status(format!(
        "This command doesn't write to the ElementDeployment. Merge this {place}, change nothing else, and apply it:"
    ));
    for line in text.lines() {
        ui.verbatim(&Line::new().text("  ").styled(Style::Code, line));
    }
    Ok(())
}

/// The location of the manifest, and whether it is the whole object; otherwise it is the chart's values, which have the
/// spec's fields at their root.
fn place(owner: &Owner) -> (String, bool) {
    let values = match owner {
        Owner::Helm(release) => {
            let namespace = release.namespace.iter().map(|namespace| format!(" in namespace {namespace}"));
            format!("into the values of Helm release {}{}", release.name, namespace.collect::<String>())
        }
        Owner::Flux(name) if name.starts_with("HelmRelease/") => {
            format!("into spec.values of Flux's {name}, at its source")
        }
        Owner::Tool(tool, _, Some(release)) => {
            format!("into the values that {tool} gives Helm release {}, at their source", release.name)
        }
        _ => {
            let source = match owner {
                Owner::Tool(tool, ..) => format!("at the source of {tool}"),
                Owner::Flux(name) => format!("that Flux's {name} applies"),
                Owner::ArgoCd(Some(app)) => format!("at the source of Argo CD's application {app}"),
                Owner::ArgoCd(None) => "at Argo CD's source".to_owned(),
                Owner::Installer => "that the installer keeps".to_owned(),
                Owner::Nobody | Owner::Helm(_) => "that you keep".to_owned(),
            };
            return (format!("into the ElementDeployment's manifest {source}"), true);
        }
    };
    (values, false)
}

fn compare(shown: &Deployment, before: &Deployment, now: &Deployment) -> SpecNow {
    if now.spec() == shown.spec() {
        SpecNow::AsApproved
    } else if now.spec() == before.spec() {
        SpecNow::Unchanged
    } else {
        SpecNow::Different
    }
}

/// The baseline for the verdict. After a gap in the events, a reconcile may have started between the last observed state and
/// the change, so the earlier state is no baseline.
fn baseline(before: &Observation, now: &Observation, carried: Carried, continuity: Continuity) -> Baseline {
    match continuity {
        Continuity::Continuous => Baseline::of_write(before, carried, now.generation, None),
        Continuity::Gap => Baseline::of_present(now, carried),
    }
}

/// Reports a change other than the one that was shown. The operator reconciles it already.
fn unexpected(session: &Session, shown: &Deployment, now: &Deployment) -> Failure {
    let spec = |deployment: &Deployment| serde_json::json!({"spec": deployment.spec()});
    session.ui().warning("the manifest owner's change differs from the change that was shown:");
    session.ui().changes(&diff::changes(&spec(shown), &spec(now)));
    let active = now.active() == Some(true);
    let meaning = if active { "; active is true, so the operator migrates with it" } else { "; active is not true" };
    let failure = Failure::failed(format!("ElementDeployment {} was not changed as shown{meaning}", session.place()))
        .suggest("To check the status:", "status");
    if active { failure.suggest("To roll back, if this is not what you want:", "abort") } else { failure }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn deployment(spec: Value, status: u32) -> Deployment {
        let metadata = json!({"name": "a", "namespace": "n", "uid": "u", "resourceVersion": status.to_string()});
        Deployment::from_value(json!({
            "apiVersion": "matrix.element.io/v1alpha2", "metadata": metadata, "spec": spec, "status": {"n": status},
        }))
        .unwrap()
    }

    fn with(active: bool, host: &str) -> Value {
        json!({"components": {"matrixAuthenticationService": {"config": {"active": active}, "host": host}}})
    }

    #[test]
    fn only_the_shown_change_counts_as_arrived() {
        let (before, shown) = (deployment(with(false, "a"), 1), deployment(with(true, "a"), 1));
        let compare = |spec| compare(&shown, &before, &deployment(spec, 2));
        assert_eq!(compare(with(false, "a")), SpecNow::Unchanged, "the status moved");
        assert_eq!(compare(with(true, "a")), SpecNow::AsApproved);
        assert_eq!(compare(with(true, "b")), SpecNow::Different, "more than active");
        assert_eq!(compare(with(false, "b")), SpecNow::Different, "the dry run is invalid");
    }

    #[test]
    fn a_running_reconcile_after_a_gap_does_not_count() {
        use crate::verdict::{Awaiting, Event, Tracker};

        let at = |version: u32, generation: i64, spec: Value, status: Value| {
            let metadata = json!({"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version.to_string(),
                "generation": generation});
            let object = json!({"metadata": metadata, "spec": spec, "status": {"conditions": status}});
            Observation::of(&Deployment::from_value(object).unwrap())
        };
        let ended = |completion: &str| {
            json!([{"type": "Successful", "status": "True", "reason": "Successful"}, {"type": "Running", "status": "True",
                "reason": "Successful", "ansibleResult": {"completion": completion}}])
        };
        let before = at(1, 1, json!({}), ended("c0"));
        let running = json!([{"type": "Running", "status": "True", "reason": "Running"}]);
        let now = at(9, 2, with(false, "a"), running);
        let carried = || Carried::DryRun(now.spec_digest.clone());
        let end = Event::Seen(Box::new(at(10, 2, with(false, "a"), ended("of the old spec"))), Continuity::Continuous);
        let verdict = |continuity| {
            let baseline = baseline(&before, &now, carried(), continuity);
            let mut tracker = Tracker::new(baseline);
            tracker.observe(&Event::Seen(Box::new(now.clone()), continuity));
            tracker.observe(&end).clone()
        };
        assert_eq!(verdict(Continuity::Gap), Verdict::Pending(Awaiting::Start));
    }

    #[test]
    fn every_owner_gets_a_location() {
        let flux = |name: &str| place(&Owner::Flux(name.to_owned()));
        assert_eq!(
            flux("HelmRelease/ess"),
            ("into spec.values of Flux's HelmRelease/ess, at its source".to_owned(), false)
        );
        assert!(flux("Kustomization/ess").1);
        assert!(place(&Owner::Nobody).0.contains("that you keep"));
    }
}
