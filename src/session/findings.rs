//! Prints findings, and decides whether they stop a write.

use crate::checks::{Finding, Severity};
use crate::error::{Exit, Failure};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Line, OutputError, Stream, Style, Symbol, Ui};

/// Prints the findings to stderr; ok findings are only counted.
pub fn tell(ui: &Ui, place: &str, findings: &[Finding]) {
    count(ui, place, findings);
    for finding in findings.iter().filter(|finding| finding.severity != Severity::Ok) {
        show(ui, finding);
    }
}

pub fn count(ui: &Ui, place: &str, findings: &[Finding]) {
    let mut parts = vec![plural(findings.len(), "check")];
    for (severity, word) in [(Severity::Blocker, "blocker"), (Severity::Warning, "warning")] {
        let number = findings.iter().filter(|finding| finding.severity == severity).count();
        parts.extend((number > 0).then(|| plural(number, word)));
    }
    let unknown = findings.iter().filter(|finding| finding.severity == Severity::Unknown).count();
    parts.extend((unknown > 0).then(|| format!("{unknown} unknown")));
    ui.status(format!("Checked {place}: {}", parts.join(", ")));
}

fn plural(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

const MARGIN: usize = 6;

pub fn show(ui: &Ui, finding: &Finding) {
    let [what, more @ ..] = &lines(finding)[..] else { return };
    // Also with --quiet.
    ui.say_under(what.clone(), MARGIN);
    for line in more {
        ui.status(line.clone());
    }
}

/// The lines of a finding that is not ok: message, remedy, documentation.
fn lines(finding: &Finding) -> Vec<Line> {
    let (symbol, style) = sign(finding.severity);
    let what = Line::new().text("  ").symbol(symbol).text(" ").styled(style, finding.code);
    let below = |style: Style, text: &str| Line::new().text(" ".repeat(MARGIN)).styled(style, text);
    let remedy = finding.remedy.as_deref().map(|remedy| below(Style::Plain, remedy));
    let docs = finding.docs.map(|docs| below(Style::Dim, docs));
    let what = what.text(format!("   {}: {}", finding.subject, finding.message));
    std::iter::once(what).chain(remedy).chain(docs).collect()
}

fn sign(severity: Severity) -> (Symbol, Style) {
    match severity {
        Severity::Blocker => (Symbol::Failed, Style::Bad),
        Severity::Warning | Severity::Unknown => (Symbol::Attention, Style::Warn),
        Severity::Ok => (Symbol::Done, Style::Good),
    }
}

/// Prints findings that are not ok with all their lines, and each ok finding on one line.
fn page(ui: &Ui, findings: &[Finding]) -> Result<(), OutputError> {
    for finding in findings {
        let ok =
            || Line::new().text("  ").symbol(Symbol::Done).text(format!(" {}   {}", finding.code, finding.message));
        for line in if finding.severity == Severity::Ok { vec![ok()] } else { lines(finding) } {
            ui.page_under(line, MARGIN)?;
        }
    }
    Ok(())
}

/// Fails on blockers and, with `script`, on warnings that are not accepted.
pub fn judge(findings: &[Finding], accept: &[String], script: bool) -> Result<(), Failure> {
    let blockers = findings.iter().filter(|finding| finding.blocks()).count();
    if blockers > 0 {
        let text = format!("blocked by {}; nothing was changed", plural(blockers, "finding"));
        return Err(Failure::new(Exit::Blocked, text + &refused(findings, accept)));
    }
    let mut open: Vec<&str> = Vec::new();
    for finding in findings.iter().filter(|finding| script && finding.needs_accepting()) {
        if !accept.iter().any(|code| code == finding.code) && !open.contains(&finding.code) {
            open.push(finding.code);
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let text =
        format!("warnings were not accepted; nothing was changed. To accept them, pass --accept {}", open.join(","));
    Err(Failure::new(Exit::Warnings, text))
}

/// The blockers that `--accept` names; they can't be accepted.
fn refused(findings: &[Finding], accept: &[String]) -> String {
    let mut codes: Vec<&str> = findings.iter().filter(|finding| finding.blocks()).map(|finding| finding.code).collect();
    codes.retain(|code| accept.iter().any(|accepted| accepted == code));
    codes.dedup();
    let can_not = if codes.len() == 1 { "a blocker can't" } else { "blockers can't" };
    if codes.is_empty() { String::new() } else { format!(". --accept {}: {can_not} be accepted", codes.join(",")) }
}

/// Prints the findings to stdout: as a table in a pipe and with `wide`, as a list on a terminal.
pub fn table(ui: &Ui, findings: &[Finding], wide: bool) -> Result<(), OutputError> {
    if ui.terminal.is_tty(Stream::Out) && !wide {
        return page(ui, findings);
    }
    let mut table = Table::new([
        Column::new("Severity"),
        Column::new("Code"),
        Column::new("Subject"),
        Column::prose("Message"),
        Column::prose("Remedy"),
        Column { only_wide: true, ..Column::new("Docs") },
    ]);
    for finding in findings {
        table.row([
            Cell::styled(sign(finding.severity).1, finding.severity.word()),
            Cell::from(finding.code),
            Cell::from(&finding.subject),
            Cell::from(&finding.message),
            Cell::from(finding.remedy.as_deref().unwrap_or_default()),
            Cell::copyable(finding.docs.unwrap_or_default()),
        ]);
    }
    ui.table(&table, wide)
}
