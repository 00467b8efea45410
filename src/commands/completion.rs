//! `completion`, and the completion requests of its script, with names from the cluster and the kubeconfig. Errors and timeouts
//! of a request are silent.

use std::borrow::Cow;
use std::time::Duration;

use crate::cli::complete::{LiveValues, complete as completion};
use crate::cli::{CompletionArgs, command};
use crate::cluster::{Cluster, ClusterError, ConnectionFlags, kubeconfig_entries};
use crate::error::{Exit, Failure};
use crate::terminal::{ColorChoice, Terminal, Ui, Verbosity};

const PROGRAM: &str = "kubectl-ess_mas";

pub fn exec(ui: &Ui, args: &CompletionArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut definition = command::definition().name(PROGRAM).bin_name(PROGRAM);
    clap_complete::generate(args.shell, &mut definition, PROGRAM, &mut script);
    let script = String::from_utf8_lossy(&script);
    // clap_complete 4.6 writes a dash in the program's name in two ways in bash's script, which then completes only commands.
    let script = script.replace("kubectl__subcmd__ess_mas", "kubectl__ess_mas");
    ui.raw_out(&script.split_inclusive('\n').map(commands_first).collect::<String>())?;
    Ok(Exit::Done)
}

/// Moves commands in front of flags in a list of bash's script: bash shows the list unsorted, and a new user needs the commands.
fn commands_first(line: &str) -> Cow<'_, str> {
    let Some((start, words)) = line.split_once("opts=\"").filter(|(start, _)| start.trim().is_empty()) else {
        return line.into();
    };
    let (flags, commands): (Vec<_>, Vec<_>) =
        words.trim_end_matches("\"\n").split(' ').partition(|word| word.starts_with('-'));
    format!("{start}opts=\"{}\"\n", [commands, flags].concat().join(" ")).into()
}

/// Time for the API server's response, to stay below half a second with the start of both processes.
const TIMEOUT: Duration = Duration::from_millis(350);

/// Completes the last of the words that follow `kubectl ess-mas`, in kubectl's protocol for plugins.
pub fn complete(words: &[String], terminal: Terminal) -> u8 {
    let answer = completion(words, |live, flags| look_up(live, flags).unwrap_or_default());
    // The shell may close the pipe.
    let _ = Ui::new(terminal, ColorChoice::Never, Verbosity::Quiet).raw_out(&answer);
    0
}

fn look_up(live: LiveValues, flags: &ConnectionFlags) -> Option<Vec<String>> {
    match live {
        LiveValues::Contexts => {
            Some(kubeconfig_entries(flags).ok()?.contexts.into_iter().map(|one| one.name).collect())
        }
        LiveValues::Deployments | LiveValues::Namespaces => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let found = runtime.block_on(async { tokio::time::timeout(TIMEOUT, ask(live, flags)).await });
            runtime.shutdown_background();
            found.ok()?.ok()
        }
    }
}

async fn ask(live: LiveValues, flags: &ConnectionFlags) -> Result<Vec<String>, ClusterError> {
    let cluster = Cluster::connect(flags).await?;
    match live {
        LiveValues::Namespaces => cluster.namespace_names().await,
        _ => cluster.deployment_names().await,
    }
}
