//! `status -A`: many deployments, a row for each.

use crate::deployment::Phase;
use crate::session::status::Status;
use crate::terminal::Style;
use crate::terminal::table::{Cell, Column, Table};

pub fn table() -> Table {
    Table::new([
        Column::new("Namespace"),
        Column::new("Name"),
        Column::new("Phase"),
        Column::new("MAS active").droppable(),
        Column::new("Operator").droppable(),
        Column::new("Available").droppable(),
        Column::new("Successful").droppable(),
        Column::new("Host").only_wide(),
    ])
}

/// The row of one deployment in it.
pub fn row(table: &mut Table, status: &Status) {
    let truth = |value: Option<bool>| value.map_or("-", |value| if value { "True" } else { "False" });
    table.row([
        Cell::from(&status.namespace),
        Cell::from(&status.name),
        phase(status.phase),
        Cell::from(status.status.mas_active.map_or("-", |active| if active { "true" } else { "false" })),
        Cell::from(status.status.run),
        Cell::from(truth(status.status.available)),
        Cell::from(truth(status.status.successful)),
        Cell::copyable(status.spec.host.as_deref().unwrap_or("-")),
    ]);
}

fn phase(phase: Phase) -> Cell {
    let step = Phase::STEPS[phase.step()];
    match phase {
        Phase::DryRunFailed | Phase::MigrationFailed => Cell::styled(Style::Bad, format!("{step} (failed)")),
        Phase::Complete => Cell::styled(Style::Good, step),
        _ => Cell::from(step),
    }
}
