//! `version`: prints the version, and with `-o json` the commit and build date.

use jiff::Timestamp;
use serde_json::json;

use crate::cli::OutputArgs;
use crate::error::{Exit, Failure};
use crate::session::Document;
use crate::terminal::Ui;

pub fn exec(ui: &Ui, output: &OutputArgs) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if output.format.is_data() {
        let built = env!("ESS_MAS_BUILD_TIME").parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let contents = json!({"version": version, "commit": option_env!("ESS_MAS_COMMIT"), "buildDate": built});
        ui.data(output.format, &Document::new("Version", contents))?;
    } else {
        ui.print(format!("kubectl ess-mas {version}"))?;
    }
    Ok(Exit::Done)
}
