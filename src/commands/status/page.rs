//! `status` for a person: one deployment as a page, many as a table.

use jiff::Timestamp;

use super::document::{ProviderPart, Status};
use crate::checks::{RehearsalStanding, Snapshot, standing};
use crate::deployment::{Condition, Phase, VersionSource, mas_redirect_uri};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::time::{ago, duration};
use crate::terminal::{Line, OutputError, Style, Symbol, Ui};

/// Shows one deployment.
pub fn show(ui: &Ui, snapshot: &Snapshot, status: &Status, wide: bool) -> Result<(), OutputError> {
    headline(ui, status)?;
    ui.print("")?;
    phases(ui, snapshot, status)?;
    ui.print("")?;
    conditions(ui, snapshot, status, wide)?;
    if let Some(failure) = &status.status.failure {
        ui.print("")?;
        ui.page(Line::new().styled(Style::Bad, "The operator reports:"))?;
        for line in failure.message.lines() {
            ui.page(Line::new().text("  ").text(line))?;
        }
    }
    if !status.identity_providers.is_empty() {
        ui.print("")?;
        providers(ui, &status.identity_providers, status.phase == Phase::Complete)?;
    }
    next(ui, status)
}

fn headline(ui: &Ui, status: &Status) -> Result<(), OutputError> {
    let style = match status.phase {
        Phase::DryRunFailed | Phase::MigrationFailed => Style::Bad,
        Phase::Complete | Phase::ReadyToMigrate => Style::Good,
        _ => Style::Plain,
    };
    let version = match (&status.version.ess, &status.version.chart) {
        // "Or later" helps nobody who reads a page.
        _ if status.version.source == Some(VersionSource::Crd) => String::new(),
        (Some(ess), Some(chart)) => format!(" (ESS {ess}, chart {chart})"),
        (None, Some(chart)) => format!(" (chart {chart})"),
        (Some(ess), None) => format!(" (ESS {ess})"),
        _ => String::new(),
    };
    let place = format!("{} in {}", status.name, status.namespace);
    ui.print(Line::new().styled(Style::Heading, place).text(version).text("   ").styled(style, status.phase.words()))
}

fn phases(ui: &Ui, snapshot: &Snapshot, status: &Status) -> Result<(), OutputError> {
    let present = status.phase.step();
    let failed = matches!(status.phase, Phase::DryRunFailed | Phase::MigrationFailed);
    for (step, name) in Phase::STEPS.iter().enumerate() {
        let line = Line::new().text("  ");
        let line = match step.cmp(&present) {
            std::cmp::Ordering::Less => line.symbol(Symbol::Done),
            std::cmp::Ordering::Equal if status.phase == Phase::Complete => line.symbol(Symbol::Done),
            std::cmp::Ordering::Equal if failed => line.symbol(Symbol::Failed),
            std::cmp::Ordering::Equal => line.symbol(Symbol::Current),
            std::cmp::Ordering::Greater => line.text(" "),
        };
        let detail = phase_detail(ui, snapshot, step);
        let line = match detail {
            Some(detail) => line.text(format!(" {name:<20} ")).styled(Style::Dim, detail),
            None => line.text(format!(" {name}")),
        };
        ui.print(line)?;
    }
    Ok(())
}

fn phase_detail(ui: &Ui, snapshot: &Snapshot, step: usize) -> Option<String> {
    match step {
        0 => snapshot.settings.as_ref().map(|settings| {
            let database = &settings.database;
            format!("MAS at {}, database {} on {}", settings.host, database.name, database.host)
        }),
        1 => rehearsal_words(ui.terminal().now(), snapshot),
        _ => None,
    }
}

fn rehearsal_words(now: Timestamp, snapshot: &Snapshot) -> Option<String> {
    let rehearsal = snapshot.recorded()?.rehearsal.as_ref()?;
    let when = ago(rehearsal.at, now);
    let took = duration(jiff::SignedDuration::from_secs(i64::try_from(rehearsal.seconds).ok()?));
    Some(match standing(snapshot) {
        RehearsalStanding::None => return None,
        RehearsalStanding::Passed => format!("passed {when}, took {took}"),
        RehearsalStanding::Failed(_) => format!("failed {when}"),
        RehearsalStanding::Outdated(changed) => {
            format!("passed {when}, but since then: {}", changed.join("; "))
        }
        RehearsalStanding::Unknown(_) => {
            format!("passed {when}; whether the Secret is still the same was not compared")
        }
    })
}

fn conditions(ui: &Ui, snapshot: &Snapshot, status: &Status, wide: bool) -> Result<(), OutputError> {
    let now = ui.terminal().now();
    let mut table = Table::new([
        Column::new("Condition"),
        Column::new("Status"),
        Column::new("Since"),
        Column::new("Message").prose(),
    ]);
    let all = snapshot.deployment.conditions();
    let shown: Vec<&Condition> = if wide {
        all.iter().collect()
    } else {
        ["Available", "Successful"].iter().filter_map(|kind| all.get(kind)).collect()
    };
    for kind in ["Available", "Successful"] {
        if all.get(kind).is_none() {
            table.row([Cell::from(kind), Cell::styled(Style::Warn, "absent"), Cell::from("-"), Cell::from("-")]);
        }
    }
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
    let doing = match status.status.run {
        "never" => "the operator has never reconciled it",
        "running" => "a run of the operator is under way",
        "failing" => "the operator's last run failed; it tries again by itself",
        _ => "the operator is idle",
    };
    let mas_active = status.status.mas_active.map_or("absent", |active| if active { "true" } else { "false" });
    table.row([Cell::from("mas_active"), Cell::from(mas_active), Cell::from("-"), Cell::from("-")]);
    table.row([Cell::from("operator"), Cell::from(status.status.run), Cell::from("-"), Cell::from(doing)]);
    ui.table(&table, wide)
}

/// The table of redirect URIs; shared with `prepare`. `done`: the migration is, so that MAS's are the ones in use.
pub fn providers(ui: &Ui, providers: &[ProviderPart], done: bool) -> Result<(), OutputError> {
    let (synapse, mas) = if done { ("old", "now") } else { ("now", "add") };
    let mut table = Table::new([Column::new("Identity provider"), Column::new("Use"), Column::new("Redirect URI")]);
    for provider in providers {
        let name = provider.name.as_deref().or(provider.issuer.as_deref()).unwrap_or(&provider.idp_id);
        let unknown = || mas_redirect_uri("<host of MAS>", &provider.idp_id);
        let present = provider.current_redirect_uri.as_deref().unwrap_or("unknown: the spec has no host for Synapse");
        table.row([Cell::from(name), Cell::from(synapse), Cell::copyable(present)]);
        table.row([
            Cell::from(name),
            Cell::from(mas),
            Cell::copyable(provider.mas_redirect_uri.clone().unwrap_or_else(unknown)),
        ]);
    }
    ui.table(&table, false)
}

fn next(ui: &Ui, status: &Status) -> Result<(), OutputError> {
    let words = match status.phase {
        Phase::Configuration => "Next:",
        Phase::DryRun => "Next, nobody notices it:",
        Phase::DryRunFailed => "Next, once the cause is mended:",
        Phase::ReadyToMigrate => "Next, with a backup at hand and 5 to 30 minutes of downtime announced:",
        Phase::Migrating => "To follow it:",
        Phase::MigrationFailed if status.status.mas_active == Some(true) => {
            "To follow the operator's next try (there is no way back but the backup):"
        }
        Phase::MigrationFailed => "To go back, so that users can log in again:",
        Phase::Complete => return Ok(()),
    };
    if let Some(command) = &status.next {
        ui.print("")?;
        ui.print(words)?;
        ui.print(Line::new().text("  ").styled(Style::Code, command))?;
    }
    Ok(())
}

/// The row of one deployment in `status -A`.
pub fn table(statuses: &[Status]) -> Table {
    let mut table = Table::new([
        Column::new("Namespace"),
        Column::new("Name"),
        Column::new("Phase"),
        Column::new("MAS active"),
        Column::new("Available"),
        Column::new("Successful"),
        Column::new("Operator"),
        Column::new("Host").only_wide(),
    ]);
    let truth = |value: Option<bool>| value.map_or("-", |value| if value { "True" } else { "False" });
    for status in statuses {
        table.row([
            Cell::from(&status.namespace),
            Cell::from(&status.name),
            Cell::from(Phase::STEPS[status.phase.step()]),
            Cell::from(status.status.mas_active.map_or("-", |active| if active { "true" } else { "false" })),
            Cell::from(truth(status.status.available)),
            Cell::from(truth(status.status.successful)),
            Cell::from(status.status.run),
            Cell::copyable(status.spec.host.as_deref().unwrap_or("-")),
        ]);
    }
    table
}
