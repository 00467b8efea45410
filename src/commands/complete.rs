//! Completion requests of shells, with names from the cluster and the kubeconfig. Errors and timeouts are silent.

use std::time::Duration;

use crate::cli::complete::{LiveValues, complete as completion};
use crate::cluster::{Cluster, ClusterError, ConnectionFlags, kubeconfig_entries};
use crate::terminal::{ColorChoice, Terminal, Ui, Verbosity};

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
