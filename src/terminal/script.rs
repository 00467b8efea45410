//! A person in a test, whose answers are written down beforehand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::screen::{Screen, lock};
use super::tty::Script;
use super::unanswered::Unanswered;

/// What a scripted person does at a question of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptedAnswer {
    /// Types (or pastes) this and presses Enter; one of several is chosen by its number or by what stands before its colon.
    Line(String),
    CtrlC,
    CtrlD,
}

impl From<&str> for ScriptedAnswer {
    fn from(line: &str) -> Self {
        Self::Line(line.to_owned())
    }
}

/// Gives one answer after the other, echoed behind the question. When they run out, input ends.
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
            Some(ScriptedAnswer::Line(line)) if line.contains('\n') => Err(Unanswered::Lines),
            Some(ScriptedAnswer::Line(line)) => Ok(line),
            Some(ScriptedAnswer::CtrlC) => Err(Unanswered::Interrupted),
            Some(ScriptedAnswer::CtrlD) | None => Err(Unanswered::Ended),
        }
    })
}
