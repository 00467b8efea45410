//! Completion in kubectl's protocol for plugins. Pure: the caller looks up names from the cluster and the kubeconfig.

use std::ffi::{OsStr, OsString};
use std::mem::ManuallyDrop;
use std::sync::Arc;

use clap::{Command, FromArgMatches as _, ValueHint};
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate};

use super::command;
use crate::cluster::ConnectionFlags;

const PROGRAM: &str = "kubectl-ess_mas";
/// The ID of the placeholder for files, which the shell completes.
const FILES: &str = "files";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveValues {
    Deployments,
    Namespaces,
    Contexts,
}

type LookUp = Arc<dyn Fn(LiveValues) -> Vec<String> + Send + Sync>;

/// Completes the last of `words`, which follow `kubectl ess-mas`; it may be empty. `look_up` gets the connection flags of the
/// line.
///
/// The result has a candidate per line, with its description after a tab, and cobra's directive in the last line: `:4` for no
/// files, `:0` if the shell may complete files.
pub fn complete(
    words: &[String],
    look_up: impl Fn(LiveValues, &ConnectionFlags) -> Vec<String> + Send + Sync + 'static,
) -> String {
    let Some((last, before)) = words.split_last() else { return ":4\n".to_owned() };
    let line: Vec<String> = std::iter::once(PROGRAM.to_owned()).chain(before.iter().cloned()).collect();
    let parsed = line.clone();
    let look_up = move |live| {
        let matches = command::root().ignore_errors(true).try_get_matches_from(&parsed);
        let flags = matches.and_then(|matches| ConnectionFlags::from_arg_matches(&matches)).unwrap_or_default();
        look_up(live, &flags)
    };
    let mut root = ManuallyDrop::new(with_values(command::root(), &(Arc::new(look_up) as LookUp)));
    // Completes long flags after a single dash.
    let typed = if last == "-" { "--" } else { last };
    let typed_line = line.into_iter().chain([typed.to_owned()]).map(OsString::from).collect();
    let found = engine::complete(&mut root, typed_line, words.len(), None).unwrap_or_default();
    let mut text = String::new();
    let mut files = false;
    // kubectl's commands complete the value after `--flag=` without the flag.
    let flag = typed.split_inclusive('=').next().filter(|flag| flag.starts_with("--") && flag.ends_with('='));
    for candidate in &found {
        let value = candidate.get_value().to_string_lossy();
        match candidate.get_id().map(String::as_str) {
            Some(FILES) => {
                files = true;
                continue;
            }
            // Flags are completed only after a dash.
            Some(id) if id.starts_with("arg::") && !typed.starts_with('-') => continue,
            _ => {}
        }
        text.push_str(flag.and_then(|flag| value.strip_prefix(flag)).unwrap_or(&value));
        let about = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        if let Some(about) = about.lines().next() {
            text.extend(["\t", about]);
        }
        text.push('\n');
    }
    text.push_str(if files { ":0\n" } else { ":4\n" });
    text
}

/// Adds value completion to all arguments.
fn with_values(command: Command, look_up: &LookUp) -> Command {
    let command = command.mut_args(|arg| {
        let live = match arg.get_id().as_str() {
            "name" | "confirm" => LiveValues::Deployments,
            "namespace" => LiveValues::Namespaces,
            "context" => LiveValues::Contexts,
            _ if matches!(arg.get_value_hint(), ValueHint::FilePath | ValueHint::DirPath | ValueHint::AnyPath) => {
                let stand_in = |typed: &OsStr| vec![CompletionCandidate::new(typed).id(Some(FILES.to_owned()))];
                return arg.add(ArgValueCompleter::new(stand_in));
            }
            _ => return arg,
        };
        let (look_up, positional) = (Arc::clone(look_up), arg.is_positional());
        arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
            let typed = typed.to_string_lossy();
            if positional && typed.starts_with('-') {
                // This completes a flag, so the cluster isn't asked.
                return Vec::new();
            }
            let found = look_up(live).into_iter().filter(|value| value.starts_with(typed.as_ref()));
            found.map(CompletionCandidate::new).collect()
        }))
    });
    command::each_below(command, |below, _| with_values(below, look_up))
}

#[cfg(test)]
mod tests;
