//! Findings before a write: shown, and judged.

use super::exit::{BLOCKED, Failure, WARNINGS};
use crate::checks::{Finding, Severity};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Line, OutputError, Stream, Style, Symbol, Ui};

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

/// Columns before what is said below a finding.
const MARGIN: usize = 6;

/// Says one finding on stderr.
pub fn show(ui: &Ui, finding: &Finding) {
    for line in lines(finding) {
        // Findings weigh more than progress: also with --quiet.
        if line.weighty { ui.say_under(line.text, MARGIN) } else { ui.status(line.text) }
    }
}

struct Said {
    text: Line,
    weighty: bool,
}

/// What is said of a finding that is not in order: what is so, what to do, where it is documented.
fn lines(finding: &Finding) -> Vec<Said> {
    let (symbol, style) = sign(finding.severity);
    let what = Line::new()
        .text("  ")
        .symbol(symbol)
        .text(" ")
        .styled(style, finding.code)
        .text(format!("   {}: {}", finding.subject, finding.message));
    let below = |style: Style, text: &str| Line::new().text(" ".repeat(MARGIN)).styled(style, text);
    let remedy = finding.remedy.as_deref().map(|remedy| below(Style::Plain, remedy));
    let docs = finding.docs.map(|docs| below(Style::Dim, docs));
    let rest = remedy.into_iter().chain(docs).map(|text| Said { text, weighty: false });
    std::iter::once(Said { text: what, weighty: true }).chain(rest).collect()
}

fn sign(severity: Severity) -> (Symbol, Style) {
    match severity {
        Severity::Blocker => (Symbol::Failed, Style::Bad),
        Severity::Warning | Severity::Unknown => (Symbol::Attention, Style::Warn),
        Severity::Ok => (Symbol::Done, Style::Good),
    }
}

/// What is not in order with everything that there is to say of it, then what is, each on a line.
fn page(ui: &Ui, findings: &[Finding]) -> Result<(), OutputError> {
    for finding in findings {
        if finding.severity != Severity::Ok {
            for line in lines(finding) {
                ui.page_under(line.text, MARGIN)?;
            }
            continue;
        }
        let (symbol, _) = sign(finding.severity);
        let line = Line::new().text("  ").symbol(symbol).text(format!(" {}   {}", finding.code, finding.message));
        ui.page_under(line, MARGIN)?;
    }
    Ok(())
}

/// Stops at blockers. With `script`, stops at warnings that were not accepted as well.
pub fn judge(findings: &[Finding], accept: &[String], script: bool) -> Result<(), Failure> {
    let blockers = findings.iter().filter(|finding| finding.blocks()).count();
    if blockers > 0 {
        return Err(Failure::new(BLOCKED, format!("blocked by {}; nothing was changed", plural(blockers, "finding"))));
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

/// The findings as data on stdout: a table in a pipe and with `wide`, one below the other for a person.
pub fn table(ui: &Ui, findings: &[Finding], wide: bool) -> Result<(), OutputError> {
    if ui.terminal().is_tty(Stream::Out) && !wide {
        return page(ui, findings);
    }
    let mut table = Table::new([
        Column::new("Severity"),
        Column::new("Code"),
        Column::new("Subject"),
        Column::new("Message").prose(),
        Column::new("Remedy").prose(),
        Column::new("Docs").only_wide(),
    ]);
    for finding in findings {
        let (word, style) = match finding.severity {
            Severity::Blocker => ("blocker", Style::Bad),
            Severity::Warning => ("warning", Style::Warn),
            Severity::Unknown => ("unknown", Style::Warn),
            Severity::Ok => ("ok", Style::Good),
        };
        table.row([
            Cell::styled(style, word),
            Cell::from(finding.code),
            Cell::from(&finding.subject),
            Cell::from(&finding.message),
            Cell::from(finding.remedy.as_deref().unwrap_or_default()),
            Cell::copyable(finding.docs.unwrap_or_default()),
        ]);
    }
    ui.table(&table, wide)
}
