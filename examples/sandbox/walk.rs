//! Starts the sandbox, runs the commands of a migration and removes the sandbox.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

use ess_mas_sandbox::Result;
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Namespace as KubeNamespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use crate::options::{Options, Scenario};

const NAME: &str = "first-element";

pub async fn run(options: Options) -> Result<ExitCode> {
    let plugin = build_plugin()?;
    let place = Place::prepare(&options).await?;
    let deployment = Deployment::new(NAME, &place.namespace);
    deployment.create(&place.client).await?;
    let mut operator =
        Operator::start(place.client.clone(), Scope::Namespace(place.namespace.clone()), options.scenario.behaviour());
    wait_until_reconciled(&place, &deployment).await?;
    if options.scenario == Scenario::OperatorDown {
        operator.stop().await;
    }
    let whole = async {
        if options.by_hand {
            keep(&plugin, &place, true).await;
            return Ok(ExitCode::SUCCESS);
        }
        let walked = walk(&plugin, &place, &deployment, options.scenario).await;
        if options.keep {
            keep(&plugin, &place, false).await;
        }
        walked
    };
    // An interrupt must not leave objects in an existing cluster.
    let walked = tokio::select! {
        walked = whole => walked,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    operator.stop().await;
    operator.delete_workloads(&place.namespace, NAME).await?;
    place.clean_up().await?;
    walked
}

fn build_plugin() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    say("Building the plugin");
    let built = Command::new(cargo)
        // Together with this example: alone, the plugin would get other features of some dependencies, and everything would be
        // compiled again.
        .args(["build", "--quiet", "--bin", "kubectl-ess_mas", "--example", "sandbox", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .status()?;
    if !built.success() {
        return Err("building the plugin failed".into());
    }
    // This example is in target/debug/examples, the plugin one folder above.
    let example = env::current_exe()?;
    let folder = example.parent().and_then(Path::parent).ok_or("the path of this program has no folder")?;
    Ok(folder.join(format!("kubectl-ess_mas{}", env::consts::EXE_SUFFIX)))
}

/// The cluster and namespace of the migration.
struct Place {
    client: kube::Client,
    kubeconfig: PathBuf,
    namespace: String,
    /// Connection flags for the plugin.
    flags: Vec<String>,
    server: Server,
}

enum Server {
    /// Started by this process and stopped with it.
    Own { _sandbox: Box<Sandbox> },
    /// An existing cluster, in which created objects are deleted at the end.
    Theirs { made_crd: bool },
}

impl Place {
    async fn prepare(options: &Options) -> Result<Self> {
        match &options.cluster {
            None => {
                say(
                    "Starting kube-apiserver and etcd (the first time they are built from source, which takes minutes)",
                );
                let sandbox = tokio::task::spawn_blocking(|| Sandbox::start(Release::Current)).await??;
                let made = sandbox.namespace().await?;
                let (client, kubeconfig, namespace) = (made.client()?, made.kubeconfig()?, made.name().to_owned());
                Ok(Self {
                    client,
                    kubeconfig,
                    namespace,
                    flags: Vec::new(),
                    server: Server::Own { _sandbox: Box::new(sandbox) },
                })
            }
            Some(context) => Self::in_cluster(context).await,
        }
    }

    async fn in_cluster(context: &str) -> Result<Self> {
        let kubeconfig = Kubeconfig::read()?;
        let choice = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &choice).await?;
        let client = kube::Client::try_from(config)?;
        let crds = Api::<CustomResourceDefinition>::all(client.clone());
        let made_crd = crds.get_opt("elementdeployments.matrix.element.io").await?.is_none();
        if made_crd {
            ess_mas_sandbox::crds::install(&client, Release::Current).await?;
        } else {
            let all = Api::<kube::api::DynamicObject>::all_with(client.clone(), &ess_mas_sandbox::crds::resource());
            let found = all.list(&ListParams::default().limit(1)).await?;
            if !found.items.is_empty() {
                return Err(format!(
                    "context {context} has ElementDeployments, so it is no test cluster; nothing was changed"
                )
                .into());
            }
        }
        let wanted = KubeNamespace {
            metadata: ObjectMeta { generate_name: Some("ess-mas-sandbox-".to_owned()), ..ObjectMeta::default() },
            ..KubeNamespace::default()
        };
        let made = Api::<KubeNamespace>::all(client.clone()).create(&PostParams::default(), &wanted).await?;
        let namespace = made.metadata.name.ok_or("the API server returned a namespace without a name")?;
        let path = env::var("KUBECONFIG").map_or_else(|_| default_kubeconfig(), PathBuf::from);
        let flags = vec!["--context".to_owned(), context.to_owned()];
        Ok(Self { client, kubeconfig: path, namespace, flags, server: Server::Theirs { made_crd } })
    }

    async fn clean_up(self) -> Result<()> {
        let Server::Theirs { made_crd } = self.server else { return Ok(()) };
        say(&format!("Deleting namespace {}", self.namespace));
        Api::<KubeNamespace>::all(self.client.clone()).delete(&self.namespace, &DeleteParams::default()).await?;
        if made_crd {
            let crds = Api::<CustomResourceDefinition>::all(self.client);
            crds.delete("elementdeployments.matrix.element.io", &DeleteParams::default()).await?;
        }
        Ok(())
    }
}

fn default_kubeconfig() -> PathBuf {
    PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".kube/config")
}

/// The plugin changes nothing before the first successful reconcile.
async fn wait_until_reconciled(place: &Place, deployment: &Deployment) -> Result<()> {
    say("Waiting for the first reconcile");
    let mut follower = Follower::start(&deployment.api(&place.client), deployment.name()).await?;
    let done = follower.until(|object: &Value| {
        let conditions = object["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Successful" && one["status"] == "True"))
    });
    tokio::time::timeout(Duration::from_mins(2), done).await??;
    Ok(())
}

async fn walk(plugin: &Path, place: &Place, deployment: &Deployment, scenario: Scenario) -> Result<ExitCode> {
    let host = deployment.mas_host();
    let step = async |words: &[&str], input: Option<&str>| show(plugin, place, words, input).await;
    step(&["status", NAME], None).await?;
    let prepare = [
        "prepare",
        NAME,
        "--host",
        &host,
        "--database-host",
        "pg.example.com",
        "--database-name",
        "mas",
        "--database-user",
        "mas",
        "--database-password-file",
        "-",
        "--yes",
    ];
    step(&prepare, Some("a database password of the sandbox\n")).await?;
    let timeout: &[&str] = if scenario == Scenario::OperatorDown { &["--timeout", "5s"] } else { &[] };
    let mut dry_run = step(&[&["dry-run", NAME, "--yes"], timeout].concat(), None).await?;
    if dry_run == 1 {
        say("The dry run failed. The sandbox assumes that the cause is fixed and repeats it.");
        step(&["status", NAME], None).await?;
        dry_run = step(&["dry-run", NAME, "--yes"], None).await?;
    }
    if dry_run != 0 {
        return ended(place, deployment, dry_run).await;
    }
    let backup = "pg_dump of both databases (the sandbox has none)";
    let mut code = step(&["activate", NAME, "--confirm", NAME, "--backup", backup], None).await?;
    if code == 1 {
        say("The migration failed. Rolling back");
        code = step(&["abort", NAME, "--yes"], None).await?;
    }
    step(&["status", NAME], None).await?;
    ended(place, deployment, code).await
}

/// Reads the object itself, to verify the plugin's report.
async fn ended(place: &Place, deployment: &Deployment, code: i32) -> Result<ExitCode> {
    let object = deployment.api(&place.client).get(NAME).await?;
    let active = object.data["status"]["mas_active"].as_bool().unwrap_or(false);
    say(&format!("Result: status.mas_active is {active}, last exit code {code}"));
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn show(plugin: &Path, place: &Place, words: &[&str], input: Option<&str>) -> Result<i32> {
    let mut all: Vec<&str> = words.to_vec();
    all.extend(["-n", &place.namespace]);
    all.extend(place.flags.iter().map(String::as_str));
    println!("\n$ kubectl ess-mas {}", all.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
    let started = Instant::now();
    let mut command = tokio::process::Command::new(plugin);
    command.args(&all).env("KUBECONFIG", &place.kubeconfig);
    if let (Server::Own { .. }, Some(folder)) = (&place.server, place.kubeconfig.parent()) {
        // Failure files are removed with the sandbox.
        command.env("XDG_STATE_HOME", folder);
    }
    let mut child = command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() }).spawn()?;
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(text.as_bytes()).await?;
    }
    let code = child.wait().await?.code().unwrap_or(-1);
    println!("(exit code {code}, after {:.1} s)", started.elapsed().as_secs_f32());
    Ok(code)
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

async fn keep(plugin: &Path, place: &Place, by_hand: bool) {
    println!("\nThe sandbox is {}running. In another terminal:", if by_hand { "" } else { "still " });
    println!("  export KUBECONFIG={}", place.kubeconfig.display());
    if let (Server::Own { .. }, Some(folder)) = (&place.server, place.kubeconfig.parent()) {
        println!("  export XDG_STATE_HOME={}", folder.display());
    }
    if let Some(folder) = plugin.parent() {
        println!("  export PATH={}:$PATH", folder.display());
    }
    println!("  {}", ["kubectl ess-mas status", &place.flags.join(" ")].join(" ").trim_end());
    if by_hand {
        println!(
            "Each command ends by showing the next one. The sandbox has no databases: any database settings are accepted."
        );
    }
    println!("To stop the sandbox, press Enter or Ctrl-C.");
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
}

fn say(text: &str) {
    println!("# {text}");
}
