//! The connection of a command, and its deployment.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::command_line::CommandLine;
use super::interrupt::Interrupt;
use super::reading::{Prefetched, SecretReads};
use crate::checks::access::Rules;
use crate::checks::{Finding, Known, OtherHost, Resolution, default_secret_name};
use crate::cluster::{ApiVersion, Choice, Cluster, ConnectionFlags, Elsewhere, Target, Watch};
use crate::deployment::{ChartRelease, Deployment};
use crate::error::{Exit, Failure};
use crate::terminal::Ui;
use crate::terminal::live_line::LiveLine;

#[derive(Clone)]
pub struct Context {
    pub ui: Ui,
    pub flags: ConnectionFlags,
    pub interrupt: Interrupt,
}

impl Context {
    pub fn asking(&self) -> Option<LiveLine> {
        let context = self.flags.context.as_ref().map_or_else(String::new, |context| format!(" of context {context}"));
        self.ui.transient_line(&format!("Asking the API server{context} ..."))
    }
}

pub struct Session {
    pub context: Context,
    pub cluster: Cluster,
    pub target: Target,
    pub deployment: Deployment,
    /// Requests made to find the deployment.
    pub requests: u8,
    pub resolution: tokio::sync::OnceCell<Resolution>,
    /// The rules that apply to the caller in the deployment's namespace, read once.
    pub rules: tokio::sync::OnceCell<Known<Rules>>,
    pub secrets: SecretReads,
    /// Objects that were read together with the deployment; used once, because they are outdated afterwards.
    pub prefetched: Mutex<Option<Prefetched>>,
    /// The installed release, if it was read together with the deployment.
    pub release: Option<ChartRelease>,
    pub other_hosts: tokio::sync::OnceCell<Vec<OtherHost>>,
    /// Set once a warning said that the record can't be updated.
    pub unrecorded: OnceLock<()>,
}

impl Session {
    pub async fn open(context: &Context, name: Option<&str>) -> Result<Self, Failure> {
        Self::open_reading(context, name, false).await
    }

    /// Like [`Self::open`]. With `status`, reads everything that `status` needs, concurrently if the name is known.
    pub async fn open_reading(context: &Context, name: Option<&str>, status: bool) -> Result<Self, Failure> {
        let passing = context.asking();
        let cluster = Cluster::connect(&context.flags).await?;
        let prefetched = async {
            let name = name.filter(|_| status)?;
            Some(Prefetched::ask(&cluster, &cluster.namespace, name, default_secret_name(name)).await)
        };
        // On the heap: the futures hold a request each.
        let (chosen, prefetched) = tokio::join!(Box::pin(cluster.choose(name)), Box::pin(prefetched));
        let chosen = chosen.map_err(|error| {
            if !error.is_forbidden() {
                return error.into();
            }
            let (flags, namespace, name) = (&context.flags, cluster.namespace.as_str(), name.unwrap_or("NAME"));
            let role = CommandLine { flags, namespace, name }.of("check") + " --rbac";
            Failure::from(error).then("To print the minimum Role, for an administrator to apply:", role)
        });
        match chosen? {
            Choice::One { target, object, found_elsewhere } => {
                let deployment = read(object)?;
                // It was asked for in the namespace at hand, by a name.
                let prefetched = match prefetched.filter(|_| !found_elsewhere) {
                    None if status => {
                        let named = deployment.mas_secret_name().map(str::to_owned);
                        let secret = named.unwrap_or_else(|| default_secret_name(&target.name));
                        Some(Box::pin(Prefetched::ask(&cluster, &target.namespace, &target.name, secret)).await)
                    }
                    prefetched => prefetched,
                };
                drop(passing);
                if found_elsewhere {
                    let text = format!(
                        "Namespace {} has no ElementDeployment; using {} in {}, the only one in the cluster.",
                        &cluster.namespace, target.name, target.namespace
                    );
                    context.ui.status(text);
                }
                // One, and one more each for the other namespaces and for the older version.
                let requests = 1 + u8::from(found_elsewhere) + u8::from(target.api_version != ApiVersion::V1Alpha2);
                let release = prefetched.as_ref().and_then(|prefetched| prefetched.release(&deployment));
                let (rules, secrets, resolution, other_hosts, unrecorded) = Default::default();
                let context = context.clone();
                Ok(Self {
                    context,
                    cluster,
                    target,
                    deployment,
                    requests,
                    resolution,
                    rules,
                    secrets,
                    prefetched: Mutex::new(prefetched),
                    release,
                    other_hosts,
                    unrecorded,
                })
            }
            other => Err(not_one(other, &cluster)),
        }
    }

    pub fn ui(&self) -> &Ui {
        &self.context.ui
    }

    pub fn interrupt(&self) -> &Interrupt {
        &self.context.interrupt
    }

    pub fn now(&self) -> Timestamp {
        self.ui().terminal.now()
    }

    pub async fn reread(&mut self) -> Result<(), Failure> {
        let Target { api_version, namespace, name } = &self.target;
        self.deployment = read(self.cluster.get(&api_version.resource(), Some(namespace), name).await?)?;
        Ok(())
    }

    /// Watches the deployment again after a watch ended unexpectedly.
    pub async fn follow_anew(&self) -> Watch {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.cluster.follow(&self.target, self.deployment.object())
    }

    /// `first-element in element-onprem`.
    pub fn place(&self) -> String {
        format!("{} in {}", self.target.name, self.target.namespace)
    }

    fn command_line(&self) -> CommandLine<'_> {
        let Target { namespace, name, .. } = &self.target;
        CommandLine { flags: &self.context.flags, namespace, name }
    }

    /// A command of this program, with the name and the flags of this call.
    pub fn command(&self, command: &str) -> String {
        self.command_line().of(command)
    }

    /// Completes the commands in a text, so that they can be copied.
    pub fn complete(&self, text: &str) -> String {
        self.command_line().complete(text)
    }

    /// Completes the commands in the findings.
    pub fn complete_findings(&self, findings: &mut [Finding]) {
        let kubectl = self.cluster.place.context_flag();
        for finding in findings {
            for text in [Some(&mut finding.message), finding.remedy.as_mut()].into_iter().flatten() {
                *text = self.complete(text);
                if !kubectl.is_empty() {
                    *text = text.replace("kubectl auth ", &format!("kubectl{kubectl} auth "));
                }
            }
        }
    }
}

fn read(object: Value) -> Result<Deployment, Failure> {
    Deployment::from_value(object).map_err(|error| Failure::failed(error.to_string()))
}

/// The error if the choice of a deployment is ambiguous.
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
        Choice::None { name, elsewhere } => none(&cluster.namespace, name.as_deref(), elsewhere),
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
    let here = format!("there is {what} in namespace {namespace}");
    match elsewhere {
        Elsewhere::NotLooked => Failure::failed(here),
        Elsewhere::Nothing => Failure::failed(format!("{here} or in any other namespace")),
        Elsewhere::OthersHere(others) => Failure::failed(format!("{here}, but there is {}", others.join(", "))),
        Elsewhere::NotPossible(error) => {
            Failure::failed(format!("{here}, and the other namespaces can't be listed: {error}"))
                .advise("Pass the namespace with -n.")
        }
    }
}
