//! Scripted answers for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::screen::{Screen, lock};
use super::tty::Script;
use super::unanswered::{LINES, PromptError};

/// A scripted answer to a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptedAnswer {
    /// Text and Enter. An option is chosen by its number or by its text before the colon.
    Line(String),
    CtrlC,
    CtrlD,
}

impl From<&str> for ScriptedAnswer {
    fn from(line: &str) -> Self {
        Self::Line(line.to_owned())
    }
}

/// Returns the answers in turn and echoes them. After the last one the input ends.
pub(super) fn script(answers: VecDeque<ScriptedAnswer>, screen: Arc<Mutex<Screen>>) -> Script {
    let answers = Mutex::new(answers);
    Box::new(move |shown, hidden| {
        let answer = lock(&answers).pop_front();
        let echo = match &answer {
            Some(ScriptedAnswer::Line(line)) if !hidden => line.as_str(),
            Some(ScriptedAnswer::CtrlC) => "^C",
            _ => "",
        };
        lock(&screen).write_err(&format!("{shown}{echo}\n"));
        match answer {
            Some(ScriptedAnswer::Line(line)) if line.contains('\n') => Err(LINES),
            Some(ScriptedAnswer::Line(line)) => Ok(line),
            Some(ScriptedAnswer::CtrlC) => Err(PromptError::Interrupted),
            Some(ScriptedAnswer::CtrlD) | None => Err(PromptError::Ended),
        }
    })
}
