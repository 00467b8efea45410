//! `check --explain CODE`: all there is to know about a code, without a cluster.

use serde::Serialize;

use super::exit::{DONE, Failure};
use crate::checks::Severity;
use crate::checks::explain::{Explanation, explanation};
use crate::terminal::{Line, OutputFormat, Style, Ui};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: &'static str,
    kind: &'static str,
    code: &'static str,
    about: &'static str,
    severities: &'static [Severity],
    meaning: &'static str,
    why: &'static str,
    mend: &'static str,
    source: &'static str,
}

/// Runs it. The code is a known one: the command line takes no other.
pub fn exec(ui: &Ui, code: &str, format: OutputFormat) -> Result<u8, Failure> {
    let Some(found) = explanation(code) else { return Err(Failure::usage(format!("there is no code {code:?}"))) };
    let Explanation { code, about, severities, meaning, why, remedy: mend, source } = found;
    if format.is_data() {
        let kind = "Explanation";
        ui.data(
            format,
            &Document { api_version: "ess-mas/v1", kind, code, about, severities, meaning, why, mend, source },
        )?;
        return Ok(DONE);
    }
    let words: Vec<&str> = severities.iter().map(|severity| severity.word()).collect();
    ui.page(Line::new().styled(Style::Heading, *code).text(format!("   {}", words.join(", "))))?;
    ui.page(about)?;
    for (heading, text) in
        [("What it means", meaning), ("Why it matters", why), ("How to mend it", mend), ("Known from", source)]
    {
        ui.print("")?;
        ui.page(Line::new().styled(Style::Heading, heading))?;
        for line in text.lines() {
            ui.page(format!("  {line}"))?;
        }
    }
    Ok(DONE)
}
