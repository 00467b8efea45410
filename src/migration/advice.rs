//! Explains a failure, and collects details if its message is unclear.

use std::time::Duration;

use serde_json::{Value, json};

use super::step::Step;
use crate::checks::Snapshot;
use crate::cluster::Survey;
use crate::diagnosis::around::{self, Role, Symptom};
use crate::diagnosis::{self, Cause, Recovery, Weight};
use crate::redact::Redactor;
use crate::secrets::SecretBytes;
use crate::session::Session;
use crate::session::related_objects::{self, Depth, LogLimit};
use crate::terminal::{Line, OutputError, Style, Ui};

/// The time limit for collecting details: users are locked out meanwhile.
const LIMIT: Duration = Duration::from_secs(5);
/// The number of logs to read, and of lines to print of each.
const LOGS: usize = 3;
const LINES: usize = 12;
const MOST_CAUSES: usize = 8;

pub fn print(session: &Session, step: Step, causes: &[Cause]) {
    if causes.is_empty() {
        return;
    }
    let ui = session.ui();
    let migrated = session.deployment.mas_active() == Some(true);
    let (warnings, decisive): (Vec<&Cause>, Vec<&Cause>) =
        causes.iter().partition(|cause| cause.weight == Weight::Warning);
    let first = decisive.first();
    // All of them stop the migration at about the same point; the first one gets the sentence about it.
    let nothing_copied = decisive.iter().all(|one| one.nothing_copied.is_some());
    let proof = first.and_then(|first| first.nothing_copied);
    let proof = proof.filter(|_| nothing_copied && step == Step::Activate && !migrated);
    let course = first.and_then(|first| course(first.course, step, migrated));
    let retries = first.is_some_and(|first| first.course == Recovery::Retry);
    for (number, cause) in decisive.iter().take(MOST_CAUSES).enumerate() {
        let several = decisive.len() > 1;
        let (mark, margin) = if several { (format!("  {}. ", number + 1), "     ") } else { ("  ".to_owned(), "  ") };
        ui.status(format!("{mark}{}", cause.meaning));
        let of_all = [proof, course.filter(|_| retries)].into_iter().flatten().filter(|_| number == 0);
        for words in of_all.map(str::to_owned).chain(sentences(cause)) {
            ui.status(format!("{margin}{words}"));
        }
        for statement in statements(cause) {
            ui.verbatim(&Line::new().text(margin).text("  ").styled(Style::Code, statement));
        }
    }
    if decisive.len() > MOST_CAUSES {
        ui.status(format!("  And {} more; see the message.", decisive.len() - MOST_CAUSES));
    }
    if !warnings.is_empty() {
        ui.status(if decisive.is_empty() {
            "  syn2mas reports no errors, only warnings. Warnings don't stop a migration, but `syn2mas check` exits with 11 for them. The operator may report that as a failure:"
        } else {
            "  These warnings didn't cause the failure; review them before the activation:"
        });
        for cause in warnings.iter().take(MOST_CAUSES) {
            ui.status(format!("  - {} {}", cause.meaning, cause.remedy));
        }
    }
    if let Some(course) = course.filter(|_| !retries) {
        ui.status(format!("  {course}"));
    }
    ui.status("");
}

fn sentences(cause: &Cause) -> Vec<String> {
    cause.sql.as_ref().map_or_else(|| vec![cause.remedy.clone()], |sql| sql.introduced(&cause.remedy))
}

fn statements(cause: &Cause) -> &[String] {
    cause.sql.as_ref().map_or(&[], |sql| sql.statements.as_slice())
}

/// The advice for a kind of cause. Its commands follow at the end of the output.
fn course(course: Recovery, step: Step, migrated: bool) -> Option<&'static str> {
    match (step, course) {
        (Step::Activate, _) if migrated => None,
        (Step::Activate | Step::DryRun, Recovery::Retry) => {
            Some("The operator retries automatically, and a retry often succeeds.")
        }
        (Step::Activate, Recovery::Fix) => Some(
            "After the fix, the operator's next retry continues the migration. If the fix takes long, roll back first.",
        ),
        (Step::Activate, Recovery::Change) => Some("Roll back first. Then fix the cause and repeat the dry run."),
        (Step::Activate, Recovery::Support) => Some("Roll back first, so that users can log in while you investigate."),
        _ => None,
    }
}

/// Prints the first causes with their remedies on the page of `status`.
pub fn page(ui: &Ui, message: &str) -> Result<(), OutputError> {
    const SHOWN: usize = 3;
    let causes = diagnosis::understand(message);
    let shown: Vec<&Cause> = causes.iter().filter(|cause| cause.weight != Weight::Warning).collect();
    if shown.is_empty() && !causes.is_empty() {
        ui.page(
            Line::new().text("  The message contains only warnings; the operator may have reported them as a failure."),
        )?;
    }
    for cause in shown.iter().take(SHOWN) {
        ui.page(Line::new().styled(Style::Warn, "What it means: ").text(&cause.meaning))?;
        for sentence in sentences(cause) {
            ui.page(Line::new().text("  ").text(sentence))?;
        }
        for statement in statements(cause) {
            ui.print(Line::new().text("    ").styled(Style::Code, statement))?;
        }
    }
    if shown.len() > SHOWN {
        ui.page(Line::new().text(format!("  And {} more; see the message.", shown.len() - SHOWN)))?;
    }
    Ok(())
}

/// Details about an unclear failure, without secrets.
pub struct Evidence {
    symptoms: Vec<Symptom>,
    logs: Vec<(String, String)>,
    missing: Vec<String>,
}

/// Collects details if the message is unclear, within [`LIMIT`]; `None` after an interrupt.
pub async fn collect(session: &Session, snapshot: &Snapshot, causes: &[Cause]) -> Option<Evidence> {
    if !diagnosis::is_unclear(causes) {
        return None;
    }
    session.ui().status(format!("  Collecting details for at most {} seconds.", LIMIT.as_secs()));
    tokio::select! {
        // On the heap: the future is large and rarely needed.
        evidence = Box::pin(read(session, snapshot)) => Some(evidence),
        () = session.interrupt().wait() => None,
    }
}

async fn read(session: &Session, snapshot: &Snapshot) -> Evidence {
    let redactor = Redactor::knowing(known(snapshot));
    let survey = Survey::new(&session.cluster, LIMIT);
    let target = &session.target;
    let found =
        related_objects::read(&survey, &target.namespace, &target.name, Depth { whole: false, most: 300 }).await;
    let mut containers = around::containers(&found.around.pods);
    containers.retain(|one| one.unwell || one.role == Role::Job);
    containers.truncate(LOGS);
    let (read, no_logs) = related_objects::logs(&survey, containers, LogLimit { lines: 60, bytes: 16 << 10 }).await;
    let read = read.into_iter().filter(|(_, end)| !end.text.trim().is_empty());
    let logs = read.map(|(container, end)| {
        let before = if container.previous { ", previous instance" } else { "" };
        let title = format!("pod {}, container {}{before}", container.pod, container.container);
        (title, redactor.text(&end.text))
    });
    let unread = [&found.unread[..], &no_logs].concat();
    let clean = |one: Symptom| Symptom { object: one.object, says: redactor.text(&one.says) };
    Evidence {
        symptoms: around::symptoms(&found.around).into_iter().map(clean).collect(),
        logs: logs.collect(),
        missing: related_objects::missing(&unread),
    }
}

/// The values of the MAS Secret, for redaction.
pub fn known(snapshot: &Snapshot) -> impl Iterator<Item = &SecretBytes> {
    snapshot.secret.known().and_then(Option::as_ref).into_iter().flat_map(|secret| secret.data.values())
}

impl Evidence {
    pub fn print(&self, session: &Session, step: Step) {
        let ui = session.ui();
        for symptom in &self.symptoms {
            ui.status(Line::new().text("    ").text(&symptom.object).text(": ").text(&symptom.says));
        }
        for (title, text) in &self.logs {
            ui.status(format!("    Last lines of {title}:"));
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            for line in &lines[lines.len().saturating_sub(LINES)..] {
                ui.verbatim(&Line::new().text("      ").styled(Style::Dim, line));
            }
        }
        if self.symptoms.is_empty() && self.logs.is_empty() {
            ui.status("    The components, jobs and pods that you can read show no other problem.");
        }
        for missing in &self.missing {
            ui.status(format!("    Not read: {missing}"));
        }
        ui.status("");
        let causes = self.causes();
        if !causes.is_empty() {
            ui.status("  Possible causes:");
            print(session, step, &causes);
        }
    }

    /// The decisive causes in the logs and conditions.
    fn causes(&self) -> Vec<Cause> {
        let says = self.symptoms.iter().map(|symptom| symptom.says.as_str());
        let texts: Vec<&str> = says.chain(self.logs.iter().map(|(_, text)| text.as_str())).collect();
        let mut causes = diagnosis::understand(&texts.join("\n"));
        causes.retain(|cause| cause.weight == Weight::Decisive);
        causes
    }

    pub fn document(&self) -> Value {
        let logs: Vec<Value> = self.logs.iter().map(|(title, text)| json!({"of": title, "end": text})).collect();
        json!({"troubles": self.symptoms, "logs": logs, "notSeen": self.missing, "causes": self.causes()})
    }
}
