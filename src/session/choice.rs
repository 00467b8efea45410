//! The error if the choice of a deployment is ambiguous.

use crate::cluster::{Choice, Cluster, ClusterError, Elsewhere};
use crate::error::{Exit, Failure};
use crate::terminal::Next;

pub fn not_one(choice: Choice, cluster: &Cluster) -> Failure {
    match choice {
        Choice::One { .. } => Failure::told(Exit::Failed),
        Choice::Several(all) => {
            let list: Vec<String> = all.iter().map(|(namespace, name)| format!("  {namespace}/{name}")).collect();
            Failure::new(Exit::Usage, format!("found {} ElementDeployments; specify one of them:\n{}", all.len(), list.join("\n")))
                .then("Pass its name and namespace, for example:", match all.first() {
                    Some((namespace, name)) => format!("kubectl ess-mas status {name} -n {namespace}"),
                    None => "kubectl ess-mas status NAME -n NAMESPACE".to_owned(),
                })
        }
        Choice::None { namespace, name, elsewhere } => none(&namespace, name.as_deref(), elsewhere),
        Choice::NotClassic { namespace, config_map } => Failure::failed(format!(
                "this cluster has no ElementDeployments; ConfigMap {config_map} in {namespace} shows an installation of ESS Pro or \
                 Community (chart matrix-stack), which migrates differently"
            ),
        )
        .advise("See the ESS documentation on syn2mas in the chart's values (matrixAuthenticationService.syn2mas)."),
        Choice::NoCrd => Failure::failed(format!(
                "{} has no resource elementdeployments.matrix.element.io; ESS Classic is not installed there",
                cluster.place.server
            ),
        )
        .then("Check the contexts of your kubeconfig:", "kubectl config get-contexts"),
    }
}

fn none(namespace: &str, name: Option<&str>, elsewhere: Elsewhere) -> Failure {
    let what = name.map_or_else(|| "no ElementDeployment".to_owned(), |name| format!("no ElementDeployment {name}"));
    match elsewhere {
        Elsewhere::NotLooked => Failure::failed(format!("there is {what} in namespace {namespace}")),
        Elsewhere::Nothing => {
            Failure::failed(format!("there is {what} in namespace {namespace} or in any other namespace"))
        }
        Elsewhere::OthersHere(others) => {
            Failure::failed(format!("there is {what} in namespace {namespace}, but there is {}", others.join(", ")))
        }
        Elsewhere::NotPossible(error) => not_possible(namespace, &what, &error),
    }
}

fn not_possible(namespace: &str, what: &str, error: &ClusterError) -> Failure {
    let mut failure = Failure::failed(format!(
        "there is {what} in namespace {namespace}, and the other namespaces can't be listed: {error}"
    ));
    failure.next = vec![Next::new("Pass the namespace with -n.")];
    failure
}
