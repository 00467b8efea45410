//! Findings before a write: shown, and judged.

use super::exit::{BLOCKED, Failure, WARNINGS};
use super::session::Session;
use crate::checks::{Finding, Severity};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Line, OutputError, Style, Symbol, Ui};

/// Says on stderr what the findings are, those that are in order only as a number.
pub fn tell(ui: &Ui, place: &str, findings: &[Finding]) {
    let count = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (blockers, warnings, unknown) = (count(Severity::Blocker), count(Severity::Warning), count(Severity::Unknown));
    let mut parts = vec![plural(findings.len(), "check")];
    for (number, word) in [(blockers, "blocker"), (warnings, "warning")] {
        if number > 0 {
            parts.push(plural(number, word));
        }
    }
    if unknown > 0 {
        parts.push(format!("{unknown} not known"));
    }
    ui.status(format!("Checked {place}: {}", parts.join(", ")));
    for finding in findings.iter().filter(|finding| finding.severity != Severity::Ok) {
        show(ui, finding);
    }
}

fn plural(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// Commands of this program that take a deployment's name; the longer ones first.
const COMMANDS: [&str; 7] = ["abort --remove", "status", "check", "prepare", "dry-run", "activate", "abort"];

/// Completes the commands in the findings, so that they can be copied: the checks know nothing of how this call was made.
pub fn name_commands(session: &Session, findings: &mut [Finding]) {
    let kubectl = session.cluster.context_flag();
    for finding in findings {
        for text in [Some(&mut finding.message), finding.remedy.as_mut()].into_iter().flatten() {
            *text = complete(text, |command| session.command(command));
            if !kubectl.is_empty() {
                *text = text.replace("kubectl auth ", &format!("kubectl{kubectl} auth "));
            }
        }
    }
}

/// Puts the whole command in the place of each `kubectl ess-mas COMMAND`, before the flags that follow it.
fn complete(text: &str, whole: impl Fn(&str) -> String) -> String {
    const PROGRAM: &str = "kubectl ess-mas ";
    let mut parts = text.split(PROGRAM);
    let mut completed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = |command: &&&str| {
            let rest = part.strip_prefix(**command);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'))
        };
        match COMMANDS.iter().find(named) {
            Some(command) => {
                completed.push_str(&whole(command));
                completed.push_str(&part[command.len()..]);
            }
            None => completed.extend([PROGRAM, part]),
        }
    }
    completed
}

/// Says one finding on stderr.
pub fn show(ui: &Ui, finding: &Finding) {
    let (symbol, style) = match finding.severity {
        Severity::Blocker => (Symbol::Failed, Style::Bad),
        _ => (Symbol::Attention, Style::Warn),
    };
    // Findings weigh more than progress: also with --quiet.
    ui.verbatim(
        &Line::new()
            .text("  ")
            .symbol(symbol)
            .text(" ")
            .styled(style, finding.code)
            .text(format!("   {}: {}", finding.subject, finding.message)),
    );
    if let Some(remedy) = &finding.remedy {
        ui.status(Line::new().text("      ").text(remedy));
    }
    if let Some(docs) = finding.docs {
        ui.status(Line::new().text("      ").styled(Style::Dim, docs));
    }
}

/// Stops at blockers. With `script`, stops at warnings that were not accepted as well.
pub fn judge(findings: &[Finding], accept: &[String], script: bool) -> Result<(), Failure> {
    let blockers = findings.iter().filter(|finding| finding.blocks()).count();
    if blockers > 0 {
        let text = format!("blocked by {}; nothing was changed", plural(blockers, "finding"));
        return Err(Failure::new(BLOCKED, text + &refused(findings, accept)));
    }
    if !script {
        return Ok(());
    }
    let mut open: Vec<&str> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.needs_accepting()) {
        if !accept.iter().any(|code| code == finding.code) && !open.contains(&finding.code) {
            open.push(finding.code);
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let text = format!(
        "warnings were not accepted, and nothing was changed; to go on all the same pass --accept {}",
        open.join(",")
    );
    Err(Failure::new(WARNINGS, text))
}

/// What `--accept` names in vain.
fn refused(findings: &[Finding], accept: &[String]) -> String {
    let mut codes: Vec<&str> = findings.iter().filter(|finding| finding.blocks()).map(|finding| finding.code).collect();
    codes.retain(|code| accept.iter().any(|accepted| accepted == code));
    codes.dedup();
    match codes.as_slice() {
        [] => String::new(),
        [one] => format!(". --accept {one}: it is a blocker, and blockers cannot be accepted"),
        more => format!(". --accept {}: they are blockers, and blockers cannot be accepted", more.join(",")),
    }
}

/// The findings as data: a table on stdout.
pub fn table(ui: &Ui, findings: &[Finding], wide: bool) -> Result<(), OutputError> {
    let mut table = Table::new([
        Column::new("Severity"),
        Column::new("Code"),
        Column::new("Subject"),
        Column::new("Message").prose(),
        Column::new("Remedy").prose(),
        Column::new("Docs").only_wide(),
    ]);
    for finding in findings {
        let style = match finding.severity {
            Severity::Blocker => Style::Bad,
            Severity::Warning | Severity::Unknown => Style::Warn,
            Severity::Ok => Style::Good,
        };
        table.row([
            Cell::styled(style, finding.severity.word()),
            Cell::from(finding.code),
            Cell::from(&finding.subject),
            Cell::from(&finding.message),
            Cell::from(finding.remedy.as_deref().unwrap_or_default()),
            Cell::copyable(finding.docs.unwrap_or_default()),
        ]);
    }
    ui.table(&table, wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_findings_are_completed_wherever_they_take_a_name() {
        let whole = |text: &str| complete(text, |command| format!("kubectl ess-mas {command} chat -n n"));
        for (text, completed) in [
            ("Run `kubectl ess-mas dry-run` and wait.", "Run `kubectl ess-mas dry-run chat -n n` and wait."),
            ("kubectl ess-mas prepare --tls x", "kubectl ess-mas prepare chat -n n --tls x"),
            (
                "kubectl ess-mas abort --remove; kubectl ess-mas abort",
                "kubectl ess-mas abort --remove chat -n n; kubectl ess-mas abort chat -n n",
            ),
            ("kubectl ess-mas tls check --live", "kubectl ess-mas tls check --live"),
            ("kubectl ess-mas checks", "kubectl ess-mas checks"),
            ("nothing of ours", "nothing of ours"),
        ] {
            assert_eq!(whole(text), completed);
        }
    }
}
