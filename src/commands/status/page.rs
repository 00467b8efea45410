//! The page of `status` for one deployment.

use std::cmp::Ordering;
use std::path::PathBuf;

use jiff::Timestamp;

use super::super::shared::output::providers;
use crate::checks::{self, DryRunStanding, Finding, Purpose, Severity, Snapshot, codes, standing};
use crate::deployment::{Condition, Phase, VersionSource};
use crate::diagnosis::understand;
use crate::record;
use crate::session::Session;
use crate::session::status::{RunState, Status};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::time::{ago, duration, time_of_day};
use crate::terminal::{Line, OutputError, Stream, Style, Symbol, Ui, text};
use crate::verdict::Observation;

/// The largest width of the headline.
const WIDEST: usize = 100;
/// Columns before the details of a phase: `  ✔ Setup and dry-run    `.
const DETAIL: usize = 25;

pub fn of(session: &Session, snapshot: &Snapshot, status: &Status, wide: bool) -> Result<(), OutputError> {
    show(session.ui(), snapshot, status, &session.command("check"), session.failure_file(snapshot), wide)
}

/// `check` is the command that lists the findings, `saved` the file of the last failure.
fn show(
    ui: &Ui,
    snapshot: &Snapshot,
    status: &Status,
    check: &str,
    saved: Option<PathBuf>,
    wide: bool,
) -> Result<(), OutputError> {
    headline(ui, status)?;
    ui.print("")?;
    phases(ui, snapshot, status)?;
    ui.print("")?;
    conditions(ui, snapshot, status, wide)?;
    if let Some(failure) = &status.status.failure {
        ui.print("")?;
        ui.page(Line::new().styled(Style::Bad, "The operator reports:"))?;
        for line in failure.message.lines() {
            ui.page_under(Line::new().text("  ").text(line), 2)?;
        }
        crate::migration::page(ui, &failure.message)?;
    }
    last_failure(ui, snapshot, status)?;
    if let Some(saved) = saved.filter(|_| status.has_failed()) {
        ui.page(Line::new().text("  Saved: ").text(saved.display().to_string()))?;
    }
    if !status.identity_providers.is_empty() {
        ui.print("")?;
        providers(ui, &status.identity_providers, status.phase == Phase::Complete)?;
    }
    findings(ui, snapshot, check)?;
    next(ui, status)
}

fn headline(ui: &Ui, status: &Status) -> Result<(), OutputError> {
    let style = match status.phase {
        Phase::DryRunFailed | Phase::MigrationFailed => Style::Bad,
        Phase::Complete | Phase::ReadyToMigrate => Style::Good,
        _ => Style::Plain,
    };
    let version = match (&status.version.ess, &status.version.chart) {
        // A minimum version is only useful in JSON.
        _ if status.version.source == Some(VersionSource::Crd) => String::new(),
        (Some(ess), Some(chart)) => format!(" (ESS {ess}, chart {chart})"),
        (None, Some(chart)) => format!(" (chart {chart})"),
        (Some(ess), None) => format!(" (ESS {ess})"),
        _ => String::new(),
    };
    let place = format!("{} in {}", status.name, status.namespace);
    let words = status.words();
    let taken = text::width(&place) + text::width(&version) + text::width(words);
    let head = Line::new().styled(Style::Heading, place).text(version);
    let phase = Line::new().styled(style, words);
    let gap = match ui.render_options(Stream::Out).columns {
        None => Some(3),
        Some(columns) => columns.min(WIDEST).checked_sub(taken).filter(|gap| *gap >= 3),
    };
    let Some(gap) = gap else {
        ui.page(head)?;
        return ui.page(phase);
    };
    ui.print(head.text(" ".repeat(gap)).line(phase))
}

fn phases(ui: &Ui, snapshot: &Snapshot, status: &Status) -> Result<(), OutputError> {
    let present = status.phase.step();
    let failed = status.has_failed();
    for (step, name) in Phase::STEPS.iter().enumerate() {
        let mark = match step.cmp(&present) {
            Ordering::Less => Some(Symbol::Done),
            Ordering::Equal if status.phase == Phase::Complete => Some(Symbol::Done),
            Ordering::Equal => Some(if failed { Symbol::Failed } else { Symbol::Current }),
            Ordering::Greater => None,
        };
        let line = Line::new().text("  ");
        let line = if let Some(mark) = mark { line.symbol(mark) } else { line.text(" ") };
        let line = match phase_detail(ui.terminal.now(), snapshot, status.phase, step) {
            Some(detail) => line.text(format!(" {name:<20} ")).styled(Style::Dim, detail),
            None => line.text(format!(" {name}")),
        };
        let narrow = ui.render_options(Stream::Out).columns.is_some_and(|columns| columns < 2 * DETAIL);
        ui.page_under(line, if narrow { 4 } else { DETAIL })?;
    }
    Ok(())
}

fn phase_detail(now: Timestamp, snapshot: &Snapshot, phase: Phase, step: usize) -> Option<String> {
    match step {
        0 => snapshot.settings.as_ref().map(|settings| {
            let database = &settings.database;
            format!("MAS at {}, database {} on {}", settings.host, database.name, database.host)
        }),
        1 => dry_run_words(now, snapshot),
        2 => {
            let backup = snapshot.recorded()?.backup.as_ref()?;
            Some(format!("backup stated {}: {}", ago(backup.at, now), backup.statement))
        }
        3 if matches!(phase, Phase::Migrating | Phase::MigrationFailed) => {
            let pending =
                snapshot.recorded()?.pending.as_ref().filter(|pending| pending.step == record::Step::Activate)?;
            let by = pending.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
            Some(format!("started {}{by}", ago(pending.at, now)))
        }
        _ => None,
    }
}

fn dry_run_words(now: Timestamp, snapshot: &Snapshot) -> Option<String> {
    let dry_run = snapshot.recorded()?.dry_run.as_ref()?;
    let when = ago(dry_run.at, now);
    let took = duration(jiff::SignedDuration::from_secs(i64::try_from(dry_run.seconds).ok()?));
    Some(match standing(snapshot) {
        DryRunStanding::None => return None,
        DryRunStanding::Passed => format!("passed {when}, took {took}"),
        DryRunStanding::Failed(_) => format!("failed {when}"),
        DryRunStanding::Outdated(changed) => format!("passed {when}; changed since: {}", changed.join("; ")),
        DryRunStanding::Unknown(_) => format!("passed {when}; the Secret was not compared"),
    })
}

/// A recorded failure of the dry run that the deployment no longer shows.
fn last_failure(ui: &Ui, snapshot: &Snapshot, status: &Status) -> Result<(), OutputError> {
    let DryRunStanding::Failed(message) = standing(snapshot) else { return Ok(()) };
    if status.phase != Phase::DryRunFailed || status.status.failure.is_some() {
        return Ok(());
    }
    let Some(dry_run) = snapshot.recorded().and_then(|record| record.dry_run.as_ref()) else { return Ok(()) };
    let cause = understand(&message).into_iter().next().map(|cause| cause.meaning);
    let cause = cause.unwrap_or_else(|| message.lines().next().unwrap_or_default().to_owned());
    let now = ui.terminal.now();
    ui.print("")?;
    ui.page(Line::new().styled(Style::Bad, format!("The last dry run failed {}:", ago(dry_run.at, now))))?;
    ui.page_under(Line::new().text("  ").text(cause), 2)?;
    let conditions = snapshot.deployment.conditions();
    if conditions.success_completion().is_some_and(|since| Some(since) != dry_run.completion.as_deref()) {
        ui.page("A later reconcile succeeded, but the dry run must still be repeated.")?;
    }
    Ok(())
}

/// When the change was written to which the operator has not reacted.
fn unanswered(snapshot: &Snapshot) -> Option<Timestamp> {
    let pending = snapshot.recorded()?.pending.as_ref()?;
    pending.baseline.is_unanswered(&Observation::of(&snapshot.deployment)).then_some(pending.at)
}

fn conditions(ui: &Ui, snapshot: &Snapshot, status: &Status, wide: bool) -> Result<(), OutputError> {
    let now = ui.terminal.now();
    let heads = ["Condition", "Status", "Since"].map(Column::new).into_iter();
    let mut table = Table::new(heads.chain([Column::prose("Message")]));
    let all = snapshot.deployment.conditions();
    let (present, absent): (Vec<&str>, Vec<&str>) =
        ["Available", "Successful"].iter().partition(|kind| all.get(kind).is_some());
    for kind in absent {
        table.row([Cell::from(kind), Cell::styled(Style::Warn, "absent"), Cell::from("-"), Cell::from("-")]);
    }
    let shown: Vec<&Condition> =
        if wide { all.iter().collect() } else { present.iter().filter_map(|kind| all.get(kind)).collect() };
    for condition in shown {
        let since = condition.last_transition_time.as_deref().and_then(|at| at.parse().ok()).map(|at| ago(at, now));
        let style = if condition.is_true() == (condition.kind != "Failure") { Style::Plain } else { Style::Warn };
        table.row([
            Cell::from(&condition.kind),
            Cell::styled(style, &condition.status),
            Cell::from(since.unwrap_or_default()),
            Cell::from(&condition.message),
        ]);
    }
    let unanswered = unanswered(snapshot);
    let mas_active = status.status.mas_active.map_or("absent", |active| if active { "true" } else { "false" });
    let meaning = match status.phase {
        _ if status.status.mas_active == Some(true) => "the migration is done; users log in to MAS",
        Phase::Migrating if unanswered.is_none() => "users are locked out until the migration is done",
        Phase::MigrationFailed => "users are locked out until a retry succeeds or you roll back",
        _ => "users log in through Synapse until MAS is active",
    };
    let doing = match (unanswered, status.status.run) {
        (Some(at), _) => {
            let at = time_of_day(at, ui.terminal.zone());
            format!("the operator has not reacted to the change made at {at}; check that its pod is running")
        }
        (_, RunState::Never) => "the operator has not reconciled this deployment yet".to_owned(),
        (_, RunState::Running) => "a reconcile is in progress".to_owned(),
        (_, RunState::Failing) => "the last reconcile failed; the operator retries automatically".to_owned(),
        (_, RunState::Idle) => "the operator has nothing to reconcile".to_owned(),
    };
    table.row([Cell::from("mas_active"), Cell::from(mas_active), Cell::from("-"), Cell::from(meaning)]);
    table.row([Cell::from("operator"), Cell::from(status.status.run.word()), Cell::from("-"), Cell::from(doing)]);
    ui.table(&table, wide)
}

/// Findings that the page shows otherwise, or whose data `status` doesn't always read.
const HIDDEN: [&str; 7] = [
    codes::AVAILABLE,
    codes::SUCCESSFUL,
    codes::RUN_UNDER_WAY,
    codes::ALREADY_MIGRATED,
    codes::MIGRATION_UNDER_WAY,
    codes::DRY_RUN,
    codes::SECRET,
];

/// Prints the codes of blockers and warnings; `check` prints their messages and more findings.
fn findings(ui: &Ui, snapshot: &Snapshot, check: &str) -> Result<(), OutputError> {
    let found = checks::run(snapshot, Purpose::Check);
    let mut blank = true;
    for (severity, word, symbol) in
        [(Severity::Blocker, "blocker", Symbol::Failed), (Severity::Warning, "warning", Symbol::Attention)]
    {
        let listed = |finding: &&Finding| finding.severity == severity && !HIDDEN.contains(&finding.code);
        let mut codes: Vec<&str> = found.iter().filter(listed).map(|finding| finding.code).collect();
        let count = codes.len();
        if count == 0 {
            continue;
        }
        codes.dedup();
        if std::mem::take(&mut blank) {
            ui.print("")?;
        }
        let plural = if count == 1 { "" } else { "s" };
        let line = Line::new().symbol(symbol).text(format!(" {count} {word}{plural}: {}", codes.join(", ")));
        ui.page_under(line, 2)?;
    }
    if !blank {
        ui.print(Line::new().text("  ").styled(Style::Code, check))?;
    }
    Ok(())
}

fn next(ui: &Ui, status: &Status) -> Result<(), OutputError> {
    let words = match status.phase {
        Phase::DryRun if status.status.run == RunState::Running => "To follow the operator:",
        Phase::Configuration | Phase::DryRun => "Next (users don't notice it):",
        Phase::DryRunFailed => "Next, after you fix the cause:",
        Phase::ReadyToMigrate => "Next, after you back up both databases and announce 5 to 30 minutes of downtime:",
        Phase::Migrating => "To follow the operator:",
        Phase::MigrationFailed if status.status.mas_active == Some(true) => {
            "To follow the operator's next retry (the only way back is the backup):"
        }
        Phase::MigrationFailed => "To roll back, so that users can log in again:",
        Phase::Complete if status.identity_providers.is_empty() => return Ok(()),
        Phase::Complete => {
            ui.print("")?;
            return ui
                .page("The migration is done. You can remove the redirect URIs marked old at the identity providers.");
        }
    };
    if let Some(command) = &status.next {
        ui.print("")?;
        ui.page(words)?;
        ui.print(Line::new().text("  ").styled(Style::Code, command))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
