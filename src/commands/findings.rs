//! Findings before a write: shown, and judged.

use super::exit::{BLOCKED, Failure, WARNINGS};
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
