//! `--via-owner`: the change is made in the manifest by whoever keeps it (Helm, Argo CD, Flux, the installer). It is
//! shown here, and waited for; from its arrival on everything is as after a write of our own.

use super::approve::Approved;
use super::exit::{FAILED, Failure};
use super::follow::{Ended, Patience, Start, Words};
use super::interrupt::Standing;
use super::session::Session;
use crate::cluster::{self, WatchItem};
use crate::deployment::{Deployment, Owner};
use crate::plan::Plan;
use crate::reconcile::{Awaiting, Baseline, Continuity, Observation, Verdict};
use crate::terminal::progress::{Progress, Waiting};
use crate::terminal::{Line, Next, OutputFormat, Style, data, diff};

/// What came of waiting.
pub enum Arrival {
    /// The change is there, and nothing else; follow from here.
    Here(Box<Start>),
    /// It did not come.
    Ended(Ended),
}

/// What an object is, compared with the one that was shown.
#[derive(Debug, PartialEq, Eq)]
enum Arrived {
    /// The change is not there yet; at most the status moved.
    Nothing,
    /// Exactly what was shown.
    Change,
    /// Something else.
    Other,
}

/// Shows what the owner has to change. To stderr, because `-o json` has its own document on stdout.
pub fn show(session: &Session, plan: &Plan) -> Result<(), Failure> {
    if !plan.changes_spec() {
        let text = "the spec is as it should be already, so its owner has nothing to change; nothing was changed";
        return Err(Failure::new(FAILED, text)
            .next(Next::new("To ask the operator for another rehearsal of it:").command(session.command("dry-run"))));
    }
    let (place, whole) = place(&plan.before().owner());
    let spec = &plan.patch()["spec"];
    let text = if whole {
        data::render(OutputFormat::Yaml, &serde_json::json!({"spec": spec}))?
    } else {
        data::render(OutputFormat::Yaml, spec)?
    };
    let ui = session.ui();
    ui.status("");
    ui.status(format!(
        "Nothing is written from here. Merge this {place}, change nothing else, and bring it to the cluster:"
    ));
    for line in text.lines() {
        ui.verbatim(&Line::new().text("  ").styled(Style::Code, line));
    }
    Ok(())
}

/// Where the owner keeps the manifest, and whether the manifest is the whole object (else the chart's values, which have
/// the spec's fields at their root).
fn place(owner: &Owner) -> (String, bool) {
    match owner {
        Owner::Helm(release) => {
            let namespace =
                release.namespace.as_ref().map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
            (format!("into the values of Helm release {}{namespace}", release.name), false)
        }
        Owner::Flux(name) if name.starts_with("HelmRelease/") => {
            (format!("into spec.values of Flux's {name}, at its source"), false)
        }
        Owner::Flux(name) => (format!("into the ElementDeployment's manifest that Flux's {name} applies"), true),
        Owner::ArgoCd(Some(app)) => {
            (format!("into the ElementDeployment's manifest at the source of Argo CD's application {app}"), true)
        }
        Owner::ArgoCd(None) => ("into the ElementDeployment's manifest at Argo CD's source".to_owned(), true),
        Owner::Installer => ("into the ElementDeployment's manifest that the installer keeps".to_owned(), true),
        Owner::Nobody => ("into the ElementDeployment's manifest that you keep".to_owned(), true),
    }
}

fn compare(shown: &Deployment, before: &Deployment, now: &Deployment) -> Arrived {
    if now.spec() == shown.spec() {
        Arrived::Change
    } else if now.spec() == before.spec() {
        Arrived::Nothing
    } else {
        Arrived::Other
    }
}

/// Waits for the change; `answer` is the API server's dry run of it.
pub async fn arrive(
    session: &mut Session,
    go: &Approved,
    answer: &Deployment,
    patience: Patience,
    words: Words,
    progress: &Progress,
) -> Result<Arrival, Failure> {
    let come_back = session.command(&format!("{} --via-owner", words.command));
    let doing = "nothing was written from here; what the manifest's owner writes, the operator follows".to_owned();
    session.context.interrupt.stands(Standing::Following { doing, come_back });
    let waiting = Waiting::new("the change to arrive from the manifest's owner", session.ui().terminal().now());
    progress.waiting(waiting);
    let mut before = go.plan().before().clone();
    let mut watch = session.cluster.follow(&session.target, before.object());
    loop {
        let (object, continuity) = tokio::select! {
            item = watch.next() => match item {
                Some(WatchItem::Seen { object, continuity }) => (object, continuity),
                Some(WatchItem::Deleted { .. }) => return Ok(Arrival::Ended(Ended::Verdict(Verdict::Gone))),
                Some(WatchItem::Trouble { error, .. }) => {
                    progress.note(format!("the deployment cannot be followed at the moment, trying on: {error}"));
                    continue;
                }
                Some(WatchItem::Recovered) => continue,
                None => return Ok(Arrival::Ended(Ended::Interrupted)),
            },
            () = session.context.interrupt.wait() => return Ok(Arrival::Ended(Ended::Interrupted)),
            () = patience.over() => return Ok(Arrival::Ended(Ended::TimedOut(Awaiting::Start))),
        };
        let Ok(now) = Deployment::from_value(object) else { continue };
        session.deployment = now.clone();
        if now.uid() != before.uid() {
            return Ok(Arrival::Ended(Ended::Verdict(Verdict::Gone)));
        }
        match compare(answer, &before, &now) {
            Arrived::Nothing => before = now,
            Arrived::Other => return Err(other(session, answer, &now)),
            Arrived::Change => {
                let seen = Observation::of(&now);
                let carried = go.plan().carried(&seen);
                let baseline = Baseline::of_write(&Observation::of(&before), carried, seen.generation, None);
                let continuity = match continuity {
                    cluster::Continuity::Continuous => Continuity::Continuous,
                    cluster::Continuity::Gap => Continuity::Gap,
                };
                progress.done(format!("the change has arrived (resourceVersion {})", now.resource_version()));
                return Ok(Arrival::Here(Box::new(Start { baseline, seen: now, continuity })));
            }
        }
    }
}

/// Something arrived that nobody was shown. The operator works on it already.
fn other(session: &Session, shown: &Deployment, now: &Deployment) -> Failure {
    let spec = |deployment: &Deployment| serde_json::json!({"spec": deployment.spec()});
    session.ui().warning("what arrived differs from what was shown like this:");
    session.ui().changes(&diff::changes(&spec(shown), &spec(now), |_| false));
    let active = now.active() == Some(true);
    let meaning =
        if active { "; the switch is on, so the operator migrates with it" } else { "; the switch is not on" };
    let failure = Failure::new(
        FAILED,
        format!("ElementDeployment {} was changed in another way than was shown{meaning}", session.place()),
    )
    .next(Next::new("See where it stands:").command(session.command("status")));
    if active {
        failure
            .next(Next::new("To take the switch back, if that is not what you want:").command(session.command("abort")))
    } else {
        failure
    }
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
    fn only_what_was_shown_counts_as_arrived() {
        let (before, shown) = (deployment(with(false, "a"), 1), deployment(with(true, "a"), 1));
        let compare = |spec| compare(&shown, &before, &deployment(spec, 2));
        assert_eq!(compare(with(false, "a")), Arrived::Nothing, "the status moved");
        assert_eq!(compare(with(true, "a")), Arrived::Change);
        assert_eq!(compare(with(true, "b")), Arrived::Other, "more than the switch");
        assert_eq!(compare(with(false, "b")), Arrived::Other, "the rehearsal is void");
    }

    #[test]
    fn every_owner_is_told_where() {
        let flux = |name: &str| place(&Owner::Flux(name.to_owned()));
        assert_eq!(
            flux("HelmRelease/ess"),
            ("into spec.values of Flux's HelmRelease/ess, at its source".to_owned(), false)
        );
        assert!(flux("Kustomization/ess").1);
        assert!(place(&Owner::Nobody).0.contains("that you keep"));
    }
}
