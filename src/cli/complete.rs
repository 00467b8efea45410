//! What can stand at the end of a command line, in kubectl's protocol for plugins: the words typed so far in, the last one
//! under completion and possibly empty; candidates out. Pure: what only the cluster or the kubeconfig knows is named, and
//! looked up by whoever asked.

use clap::{Arg, ArgAction, Command, FromArgMatches as _, ValueHint};

use super::command;
use crate::cluster::ConnectionFlags;

/// One word that may stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub word: String,
    /// What it is, on one line.
    pub about: Option<String>,
}

/// Words that are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveValues {
    Deployments,
    Namespaces,
    /// Of the kubeconfig.
    Contexts,
    Clusters,
    Users,
}

/// What may stand at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// What is known without asking.
    pub candidates: Vec<Candidate>,
    /// What has to be looked up as well.
    pub live: Option<LiveValues>,
    /// Whether a file may stand there, which the shell knows better.
    pub files: bool,
    /// What the candidates begin with.
    pub prefix: String,
}

/// Completes the last of `words`, which follow `kubectl ess-mas`.
pub fn complete(words: &[String]) -> Completion {
    let mut root = command::definition();
    // With what clap adds by itself: global flags in every command, `help`.
    root.build();
    let Some((last, before)) = words.split_last() else { return Completion::default() };
    let mut place =
        Position { command: &root, positionals: 0, pending: None, used: Vec::new(), only_positionals: false };
    for word in before {
        place = place.after(word);
    }
    place.at(last)
}

/// The connection flags among the words that are complete; what cannot be read is left out.
pub fn connection(words: &[String]) -> ConnectionFlags {
    let before = words.split_last().map_or(&[][..], |(_, before)| before);
    let line = std::iter::once("kubectl-ess_mas").chain(before.iter().map(String::as_str));
    let matches = command::definition().ignore_errors(true).try_get_matches_from(line);
    matches.ok().and_then(|matches| ConnectionFlags::from_arg_matches(&matches).ok()).unwrap_or_default()
}

/// Where in the grammar the words have led.
struct Position<'a> {
    command: &'a Command,
    positionals: usize,
    /// The flag whose value is next.
    pending: Option<&'a Arg>,
    used: Vec<&'a str>,
    /// After `--`.
    only_positionals: bool,
}

impl<'a> Position<'a> {
    fn after(mut self, word: &str) -> Self {
        if self.pending.take().is_some() {
            return self;
        }
        if self.only_positionals {
            self.positionals += 1;
        } else if word == "--" {
            self.only_positionals = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if let Some(flag) = self.long(name) {
                self.used.push(flag.get_id().as_str());
                self.pending = Some(flag).filter(|flag| value.is_none() && wants_value(flag));
            }
        } else if let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
            self.shorts(shorts);
        } else if let Some(below) = self.command.find_subcommand(word).filter(|_| self.positionals == 0) {
            self.command = below;
        } else {
            self.positionals += 1;
        }
        self
    }

    /// `-n`, `-nchat`, `-An`.
    fn shorts(&mut self, shorts: &str) {
        for (at, short) in shorts.char_indices() {
            let Some(flag) = self.command.get_arguments().find(|flag| flag.get_short() == Some(short)) else { return };
            self.used.push(flag.get_id().as_str());
            if wants_value(flag) {
                self.pending = Some(flag).filter(|_| shorts[at + short.len_utf8()..].is_empty());
                return;
            }
        }
    }

    fn at(&self, word: &str) -> Completion {
        if let Some(flag) = self.pending {
            return values(flag, word);
        }
        if self.only_positionals {
            return self.positional(word);
        }
        if let Some((flag, value)) = word.strip_prefix("--").and_then(|long| long.split_once('=')) {
            return self.long(flag).map_or_else(Completion::default, |flag| values(flag, value));
        }
        if word.starts_with('-') {
            return self.flags(word);
        }
        let subcommands = self.command.get_subcommands().filter(|one| !one.is_hide_set() && self.positionals == 0);
        let candidates: Vec<Candidate> = subcommands.map(|one| candidate(one.get_name(), one.get_about())).collect();
        if candidates.is_empty() { self.positional(word) } else { beginning(candidates, word) }
    }

    fn positional(&self, word: &str) -> Completion {
        self.command.get_positionals().nth(self.positionals).map_or_else(Completion::default, |arg| values(arg, word))
    }

    fn flags(&self, word: &str) -> Completion {
        let once = |flag: &&Arg| {
            let repeats = matches!(flag.get_action(), ArgAction::Append | ArgAction::Count);
            repeats || !self.used.contains(&flag.get_id().as_str())
        };
        let flags = self.command.get_arguments().filter(|flag| !flag.is_hide_set()).filter(once);
        let candidates = flags.filter_map(|flag| Some(candidate(&format!("--{}", flag.get_long()?), flag.get_help())));
        beginning(candidates.collect(), word)
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|flag| flag.get_long() == Some(name))
    }
}

fn wants_value(flag: &Arg) -> bool {
    matches!(flag.get_action(), ArgAction::Set | ArgAction::Append) && !flag.is_require_equals_set()
}

fn values(arg: &Arg, word: &str) -> Completion {
    let possible = arg.get_possible_values();
    let candidates = possible.iter().map(|value| candidate(value.get_name(), value.get_help())).collect();
    let live = match arg.get_id().as_str() {
        "name" | "confirm" => Some(LiveValues::Deployments),
        "namespace" => Some(LiveValues::Namespaces),
        "context" => Some(LiveValues::Contexts),
        "cluster" => Some(LiveValues::Clusters),
        "user" => Some(LiveValues::Users),
        _ => None,
    };
    let files = matches!(arg.get_value_hint(), ValueHint::FilePath | ValueHint::DirPath | ValueHint::AnyPath);
    // `a,b`: the last of several.
    let comma = arg.get_value_delimiter().and_then(|comma| word.rfind(comma));
    let (done, word) = word.split_at(comma.map_or(0, |at| at + 1));
    let mut completion = beginning(candidates, word);
    for candidate in &mut completion.candidates {
        candidate.word.insert_str(0, done);
    }
    Completion { live, files, prefix: word.to_owned(), ..completion }
}

fn candidate(word: &str, about: Option<&clap::builder::StyledStr>) -> Candidate {
    let about = about.map(|about| about.to_string().lines().next().unwrap_or_default().to_owned());
    Candidate { word: word.to_owned(), about: about.filter(|about| !about.is_empty()) }
}

fn beginning(mut candidates: Vec<Candidate>, word: &str) -> Completion {
    candidates.retain(|candidate| candidate.word.starts_with(word));
    Completion { candidates, prefix: word.to_owned(), ..Completion::default() }
}

/// In the shape of the protocol: a candidate per line with what it is behind a tab, and a last line that says whether the
/// shell may offer files (cobra's directives: 4 is "no files", 0 leaves it to the shell).
pub fn protocol(completion: &Completion) -> String {
    let mut text = String::new();
    for Candidate { word, about } in &completion.candidates {
        text.push_str(word);
        if let Some(about) = about {
            text.push('\t');
            text.push_str(about);
        }
        text.push('\n');
    }
    text.push_str(if completion.files { ":0\n" } else { ":4\n" });
    text
}

#[cfg(test)]
mod tests;
