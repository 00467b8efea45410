//! The questions: one setting after the other, each answer judged at once, and the flags of those that nobody can be asked
//! for.

use std::cell::Cell;

use crate::checks::{self, Purpose, Snapshot};
use crate::error::Failure;
use crate::plan::{Database, MasSettings, Tls};
use crate::session::Session;
use crate::terminal::prompt::PromptError;

/// Settles one value after the other, and remembers the flags of those that could not be asked for.
pub struct Interview<'a> {
    session: &'a Session,
    missing: Vec<&'static str>,
    begun: Cell<bool>,
}

pub struct Question<'a> {
    /// The flag that answers it in scripts.
    pub flag: &'static str,
    pub text: &'a str,
    pub default: Option<&'a str>,
}

impl<'a> Interview<'a> {
    pub fn new(session: &'a Session) -> Self {
        Self { session, missing: Vec::new(), begun: Cell::new(false) }
    }

    /// Whether somebody is there to answer.
    pub fn can_ask(&self) -> bool {
        self.session.ui().terminal().can_ask()
    }

    /// Before the first question: what it is about, and how to answer.
    fn begin(&self) {
        if self.can_ask() && !self.begun.replace(true) {
            let place = self.session.place();
            self.session.ui().status(format!(
                "Settings of MAS for {place}. Enter takes what stands in brackets; Ctrl-C ends this and changes nothing."
            ));
        }
    }

    /// The flag's value, else the known one, else an answer. `check` says what is no value at all; `object` says why an
    /// answer will not do here. A flag that will not do is a finding later, with its code.
    pub fn settle(
        &mut self,
        question: &Question<'_>,
        given: Option<String>,
        known: Option<String>,
        check: impl Fn(&str) -> Result<String, String>,
        object: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Failure> {
        let flag = question.flag;
        if let Some(given) = given {
            return check(&given).map_err(|problem| Failure::usage(format!("{flag}: {problem} Nothing was changed.")));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        let judged = |text: &str| {
            let value = check(text)?;
            object(&value).map_or(Ok(value), Err)
        };
        // What will not do is no default either.
        let default = question.default.filter(|default| judged(default).is_ok());
        self.begin();
        match self.session.ui().text(question.text, default, judged) {
            Ok(answer) => Ok(answer),
            Err(PromptError::NoTerminal) => {
                self.missing.push(flag);
                Ok(String::new())
            }
            Err(error) => Err(Failure::unanswered(error, flag)),
        }
    }

    /// One of several; only where somebody can be asked.
    pub fn choose(&self, flag: &'static str, question: &str, options: &[&str]) -> Result<usize, Failure> {
        self.begin();
        self.session.ui().choose(question, options, None).map_err(|error| Failure::unanswered(error, flag))
    }

    /// Ends it; the error names every flag that is missing.
    pub fn finish(self) -> Result<(), Failure> {
        if self.missing.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "these are needed and there is no terminal to ask on: {}; nothing was changed",
            self.missing.join(", ")
        )))
    }
}

/// Settings of which only some are settled; what is not yet cannot be anybody else's.
pub fn draft(host: &str) -> MasSettings {
    let open = || "-".to_owned();
    MasSettings {
        host: host.to_owned(),
        database: Database { host: open(), port: 5432, name: open(), user: open(), ssl_mode: None },
        tls: Tls::Inherit,
        secret_name: open(),
    }
}

/// Why a step would be blocked with these settings, by one of these codes: the same words as `check` has.
pub fn objection(snapshot: &Snapshot, settings: MasSettings, about: &[&str]) -> Option<String> {
    let candidate = Snapshot { settings: Some(settings), ..snapshot.clone() };
    let found = checks::run(&candidate, Purpose::Prepare);
    let finding = found.iter().find(|finding| finding.blocks() && about.contains(&finding.code))?;
    let remedy = finding.remedy.as_deref().map_or_else(String::new, |remedy| format!(" {remedy}"));
    Some(format!("That will not do: {}.{remedy}", finding.message.trim_end_matches('.')))
}

/// One word: a role, a database, a name.
pub fn word(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("One word is needed here, without spaces.".to_owned());
    }
    Ok(text.to_owned())
}

/// A server's host as a person may mistake it: an address of another form, or with more than the host.
pub fn host_alone(text: &str) -> Option<String> {
    let url = text.contains('/');
    let port = || text.rsplit_once(':').is_some_and(|(host, port)| !host.contains(':') && port.parse::<u16>().is_ok());
    (url || port())
        .then(|| "The host alone is needed here, such as pg.example.com; the port is another question.".to_owned())
}

pub fn port(text: &str) -> Result<String, String> {
    let port = text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    port.map(|port| port.to_string()).ok_or_else(|| "A number from 1 to 65535 is needed here.".to_owned())
}
