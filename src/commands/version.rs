//! `version`.

use crate::error::{DONE, Failure};
use crate::terminal::Ui;

pub fn exec(ui: &Ui) -> Result<u8, Failure> {
    ui.print(format!("kubectl ess-mas {}", env!("CARGO_PKG_VERSION")))?;
    Ok(DONE)
}
