//! `version`.

use crate::error::{Exit, Failure};
use crate::terminal::Ui;

pub fn exec(ui: &Ui) -> Result<Exit, Failure> {
    ui.print(format!("kubectl ess-mas {}", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Done)
}
