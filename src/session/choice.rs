//! Why there is not exactly one deployment to go on with.

use crate::cluster::{Choice, Cluster, ClusterError, Elsewhere};
use crate::error::{Exit, Failure};
use crate::terminal::Next;

pub fn not_one(choice: Choice, cluster: &Cluster) -> Failure {
    match choice {
        Choice::One { .. } => Failure::told(Exit::Failed),
        Choice::Several(all) => {
            let list: Vec<String> = all.iter().map(|(namespace, name)| format!("  {namespace}/{name}")).collect();
            Failure::new(Exit::Usage, format!("there are {} ElementDeployments; say which one is meant:\n{}", all.len(), list.join("\n")))
                .then("Name it and its namespace, for example:", match all.first() {
                    Some((namespace, name)) => format!("kubectl ess-mas status {name} -n {namespace}"),
                    None => "kubectl ess-mas status NAME -n NAMESPACE".to_owned(),
                })
        }
        Choice::None { namespace, name, elsewhere } => none(&namespace, name.as_deref(), elsewhere),
        Choice::NotClassic { namespace, config_map } => Failure::failed(format!(
                "this cluster has no ElementDeployments; ConfigMap {config_map} in {namespace} shows an installation of ESS Pro or \
                 Community (chart matrix-stack), which migrates in another way"
            ),
        )
        .advise("See the ESS documentation on syn2mas in the chart's values (matrixAuthenticationService.syn2mas)."),
        Choice::NoCrd => Failure::failed(format!(
                "{} has no resource elementdeployments.matrix.element.io, so ESS Classic is not installed there",
                cluster.place().server
            ),
        )
        .then("Check that the context is the right one:", "kubectl config get-contexts"),
    }
}

fn none(namespace: &str, name: Option<&str>, elsewhere: Elsewhere) -> Failure {
    let what = name.map_or_else(|| "no ElementDeployment".to_owned(), |name| format!("no ElementDeployment {name}"));
    match elsewhere {
        Elsewhere::NotLooked => Failure::failed(format!("there is {what} in namespace {namespace}")),
        Elsewhere::Nothing => {
            Failure::failed(format!("there is {what}, neither in namespace {namespace} nor in any other"))
        }
        Elsewhere::OthersHere(others) => {
            Failure::failed(format!("there is {what} in namespace {namespace}, but there is {}", others.join(", ")))
        }
        Elsewhere::NotPossible(error) => not_possible(namespace, &what, &error),
    }
}

fn not_possible(namespace: &str, what: &str, error: &ClusterError) -> Failure {
    let mut failure = Failure::failed(format!(
        "there is {what} in namespace {namespace}, and the others could not be looked at: {error}"
    ));
    failure.next = vec![Next::new("Name the namespace with -n.")];
    failure
}
