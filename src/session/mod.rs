//! A command's connection and the deployment it is about.

pub mod certificate;
pub mod components;
pub mod deadline;
pub mod endpoints;
pub mod environment;
pub mod findings;
pub mod inputs;
pub mod interrupt;
pub mod prefetch;
pub mod reading;
pub mod record;
pub mod related_objects;
pub mod secrets;
pub mod snapshot;
pub mod status;
pub mod workloads;

use std::time::Duration;

use crate::checks::Known;
use crate::checks::Resolution;
use crate::checks::access::Rules;
use crate::cluster::{
    ApiVersion, Choice, Cluster, ClusterError, ConnectionFlags, Elsewhere, Target, Watch, shell_word,
};
use crate::deployment::Deployment;
use crate::error::{Exit, Failure};
use crate::record::record_name;
use crate::terminal::live_line::LiveLine;
use crate::terminal::{Next, Ui};

use interrupt::Interrupt;
use prefetch::Ahead;
use secrets::SecretReads;

#[derive(Clone)]
pub struct Context {
    pub ui: Ui,
    /// How to reach the API server.
    pub flags: ConnectionFlags,
    pub interrupt: Interrupt,
}

impl Context {
    /// Something to look at while the API server is asked.
    pub fn asking(&self) -> Option<LiveLine> {
        let context = self.flags.context.as_ref().map_or_else(String::new, |context| format!(" of context {context}"));
        self.ui.transient_line(&format!("Asking the API server{context} ..."))
    }
}

/// One deployment on one API server.
pub struct Session {
    pub context: Context,
    pub cluster: Cluster,
    pub target: Target,
    /// The deployment as it was last read.
    pub deployment: Deployment,
    /// Requests it took to find it; `status` keeps within three in all.
    pub requests: u8,
    /// What DNS said; asked once.
    pub resolution: tokio::sync::OnceCell<Resolution>,
    /// The rules that apply to the caller in the deployment's namespace, once they were asked for.
    pub rules: tokio::sync::OnceCell<Known<Rules>>,
    /// Secrets that were read when things were last gathered.
    pub secrets: SecretReads,
    /// The record, where it was asked for together with the deployment.
    pub record_ahead: Ahead,
}

impl Session {
    pub async fn open(context: &Context, name: Option<&str>) -> Result<Self, Failure> {
        Self::open_reading(context, name, false).await
    }

    /// The same for a command that needs the record next and nothing else: where the deployment is named, so is its record,
    /// and both are asked for at once.
    pub async fn open_with_record(context: &Context, name: Option<&str>) -> Result<Self, Failure> {
        Self::open_reading(context, name, true).await
    }

    async fn open_reading(context: &Context, name: Option<&str>, record: bool) -> Result<Self, Failure> {
        let passing = context.asking();
        let cluster = Cluster::connect(&context.flags).await?;
        let ahead = async {
            let name = name.filter(|_| record)?;
            Some(cluster.find_config_map(cluster.namespace(), &record_name(name)).await)
        };
        // On the heap: they hold a request each.
        let (chosen, ahead) = tokio::join!(Box::pin(cluster.choose(name)), Box::pin(ahead));
        let chosen = chosen.map_err(|error| {
            let refused = error.is_forbidden();
            let failure = Failure::from(error);
            if !refused {
                return failure;
            }
            let role = command_line(&context.flags, "check", cluster.namespace(), name.unwrap_or("NAME")) + " --rbac";
            failure.next(
                Next::new("The Role that is enough for the whole way, to be applied by an administrator:")
                    .command(role),
            )
        });
        drop(passing);
        match chosen? {
            Choice::One { target, object, found_elsewhere } => {
                let deployment = read(object)?;
                if found_elsewhere {
                    let text = format!(
                        "Namespace {} has no ElementDeployment; using {} in {}, the only one there is.",
                        cluster.namespace(),
                        target.name,
                        target.namespace
                    );
                    context.ui.status(text);
                }
                // Named, or alone in its namespace: one. Otherwise the other namespaces, or the other version, were asked.
                let requests = 1 + u8::from(found_elsewhere) + u8::from(target.api_version != ApiVersion::V1Alpha2);
                // It was asked for in the namespace at hand.
                let record_ahead = Ahead::new(ahead.filter(|_| !found_elsewhere));
                let (rules, secrets, resolution) = Default::default();
                let context = context.clone();
                Ok(Self { context, cluster, target, deployment, requests, resolution, rules, secrets, record_ahead })
            }
            other => Err(not_one(other, &cluster)),
        }
    }

    pub fn ui(&self) -> &Ui {
        &self.context.ui
    }

    pub async fn reread(&mut self) -> Result<(), Failure> {
        self.deployment = read(self.cluster.get_deployment(&self.target).await?)?;
        Ok(())
    }

    /// Watches the deployment again after a watch that is over: a fault of this program's, and no reason to leave somebody
    /// without an answer.
    pub async fn follow_anew(&self) -> Watch {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.cluster.follow(&self.target, self.deployment.object())
    }

    /// `first-element in element-onprem`.
    pub fn place(&self) -> String {
        format!("{} in {}", self.target.name, self.target.namespace)
    }

    /// A command of this program for the same deployment, to be copied.
    pub fn command(&self, command: &str) -> String {
        command_line(&self.context.flags, command, &self.target.namespace, &self.target.name)
    }
}

/// A command of this program, with the connection flags that this call was made with.
pub fn command_line(flags: &ConnectionFlags, command: &str, namespace: &str, name: &str) -> String {
    let mut line = format!("kubectl ess-mas {command} {name} -n {namespace}");
    for (flag, value) in [
        ("--kubeconfig", &flags.kubeconfig),
        ("--context", &flags.context),
        ("--server", &flags.server),
        ("--as", &flags.as_user),
    ] {
        if let Some(value) = value {
            line.extend([" ", flag, " ", &shell_word(value)]);
        }
    }
    line
}

fn read(object: serde_json::Value) -> Result<Deployment, Failure> {
    Deployment::from_value(object).map_err(|error| Failure::new(Exit::Failed, error.to_string()))
}

/// Why there is not exactly one deployment to go on with.
pub fn not_one(choice: Choice, cluster: &Cluster) -> Failure {
    match choice {
        Choice::One { .. } => Failure::told(Exit::Failed),
        Choice::Several(all) => {
            let list: Vec<String> = all.iter().map(|(namespace, name)| format!("  {namespace}/{name}")).collect();
            Failure::new(Exit::Usage, format!("there are {} ElementDeployments; say which one is meant:\n{}", all.len(), list.join("\n")))
                .next(Next::new("Name it and its namespace, for example:").command(match all.first() {
                    Some((namespace, name)) => format!("kubectl ess-mas status {name} -n {namespace}"),
                    None => "kubectl ess-mas status NAME -n NAMESPACE".to_owned(),
                }))
        }
        Choice::None { namespace, name, elsewhere } => none(&namespace, name.as_deref(), elsewhere),
        Choice::NotClassic { namespace, config_map } => Failure::new(
            Exit::Failed,
            format!(
                "this cluster has no ElementDeployments; ConfigMap {config_map} in {namespace} shows an installation of ESS Pro or \
                 Community (chart matrix-stack), which migrates in another way"
            ),
        )
        .next(Next::new("See the ESS documentation on syn2mas in the chart's values (matrixAuthenticationService.syn2mas).")),
        Choice::NoCrd => Failure::new(
            Exit::Failed,
            format!(
                "{} has no resource elementdeployments.matrix.element.io, so ESS Classic is not installed there",
                cluster.place().server
            ),
        )
        .next(Next::new("Check that the context is the right one:").command("kubectl config get-contexts")),
    }
}

fn none(namespace: &str, name: Option<&str>, elsewhere: Elsewhere) -> Failure {
    let what = name.map_or_else(|| "no ElementDeployment".to_owned(), |name| format!("no ElementDeployment {name}"));
    match elsewhere {
        Elsewhere::NotLooked => Failure::new(Exit::Failed, format!("there is {what} in namespace {namespace}")),
        Elsewhere::Nothing => {
            Failure::new(Exit::Failed, format!("there is {what}, neither in namespace {namespace} nor in any other"))
        }
        Elsewhere::OthersHere(others) => Failure::new(
            Exit::Failed,
            format!("there is {what} in namespace {namespace}, but there is {}", others.join(", ")),
        ),
        Elsewhere::NotPossible(error) => not_possible(namespace, &what, &error),
    }
}

fn not_possible(namespace: &str, what: &str, error: &ClusterError) -> Failure {
    let mut failure = Failure::new(
        Exit::Failed,
        format!("there is {what} in namespace {namespace}, and the others could not be looked at: {error}"),
    );
    failure.next = vec![Next::new("Name the namespace with -n.")];
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_copy_carry_the_flags_of_this_call() {
        let flags = ConnectionFlags { context: Some("my prod".into()), ..ConnectionFlags::default() };
        assert_eq!(command_line(&flags, "abort", "n", "a"), "kubectl ess-mas abort a -n n --context 'my prod'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
    }
}
