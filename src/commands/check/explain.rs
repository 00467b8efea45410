//! `check --explain CODE`: all there is to know about a code, without a cluster.

use crate::checks::explain::{Explanation, explanation};
use crate::commands::shared::document::Document;
use crate::diagnosis;
use crate::error::{Exit, Failure};
use crate::terminal::{Line, OutputFormat, Style, Ui};

/// Runs it. The code is a known one: the command line takes no other.
pub fn exec(ui: &Ui, code: &str, format: OutputFormat) -> Result<Exit, Failure> {
    let Some(explanation) = explanation(code).cloned().or_else(|| diagnosis::explanation(code)) else {
        return Err(Failure::usage(format!("there is no code {code:?}")));
    };
    if format.is_data() {
        ui.data(format, &Document::new("Explanation", &explanation))?;
        return Ok(Exit::Done);
    }
    let Explanation { code, about, severities, meaning, why, remedy, source } = &explanation;
    let words: Vec<&str> = severities.iter().map(|severity| severity.word()).collect();
    let kind = if words.is_empty() { "cause".to_owned() } else { words.join(", ") };
    ui.page(Line::new().styled(Style::Heading, *code).text(format!("   {kind}")))?;
    ui.page(about)?;
    for (heading, text) in
        [("What it means", meaning), ("Why it matters", why), ("How to mend it", remedy), ("Known from", source)]
    {
        ui.print("")?;
        ui.page(Line::new().styled(Style::Heading, heading))?;
        for line in text.lines() {
            ui.page(format!("  {line}"))?;
        }
    }
    Ok(Exit::Done)
}
