//! A deployment, an operator with a script, and a user's shell.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace as KubeNamespace, Secret};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding, RoleRef, Subject};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, PostParams};
use serde_json::Value;
use tempfile::TempDir;

use super::network::{Network, When};

pub const NAMESPACE: &str = "element-onprem";
pub const NAME: &str = "first-element";
/// The user in the examples, and the home folder.
const USER: &str = "ada";
const HOME: &str = "/home/ada";
/// The file with the CAs that this system trusts.
pub const AUTHORITY: &str = "authorities.pem";

/// Creates the namespace, and a user in it with the minimum Role of docs/reference.md.
pub async fn build_stage(sandbox: &Sandbox, role: &str) {
    let client = sandbox.client().unwrap();
    let named = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let namespace = KubeNamespace { metadata: named(NAMESPACE), ..KubeNamespace::default() };
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    let role: Role = serde_yaml::from_str(role).unwrap();
    let role_name = role.metadata.name.clone().unwrap();
    Api::namespaced(client.clone(), NAMESPACE).create(&PostParams::default(), &role).await.unwrap();
    let group = "rbac.authorization.k8s.io".to_owned();
    let binding = RoleBinding {
        metadata: named("ada-migrates"),
        role_ref: RoleRef { api_group: group.clone(), kind: "Role".to_owned(), name: role_name },
        subjects: Some(vec![Subject {
            kind: "User".to_owned(),
            name: USER.to_owned(),
            api_group: Some(group),
            namespace: None,
        }]),
    };
    Api::namespaced(client, NAMESPACE).create(&PostParams::default(), &binding).await.unwrap();
}

/// One scene.
pub struct Scene<'a> {
    sandbox: &'a Sandbox,
    operator: Operator,
    kubeconfig: PathBuf,
    home: TempDir,
    network: Network,
    code: i32,
}

impl<'a> Scene<'a> {
    /// Starts the scene. With `slowly`, reconciles take as long as in `cargo run --example sandbox`.
    pub async fn start(sandbox: &'a Sandbox, name: &str, slowly: bool) -> Self {
        let client = sandbox.client().unwrap();
        let deployment = Deployment::new(NAME, NAMESPACE);
        deployment.create(&client).await.unwrap();
        // If reconciles fail repeatedly, the next command must meet one of them, and not the gap between two.
        let fails = name.ends_with("-fails");
        let run = Duration::from_millis(if slowly || fails { 3000 } else { 500 });
        let operator = Operator::start(client.clone(), Scope::Namespace(NAMESPACE.to_owned()), behaviour(name, run));
        let mut follower = Follower::start(&deployment.api(&client), NAME).await.unwrap();
        let settled = follower.until(is_settled);
        tokio::time::timeout(Duration::from_secs(30), settled)
            .await
            .expect("the operator's first reconcile ends")
            .unwrap();
        let text = sandbox.certificate_kubeconfig(USER, &[], Some(NAMESPACE)).unwrap();
        let kubeconfig = sandbox.write_file("readme.kubeconfig", &text).unwrap();
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("mas-db-password"), "a database password of the example\n").unwrap();
        let network = Network::start().await;
        fs::write(home.path().join(AUTHORITY), network.authority()).unwrap();
        let mut scene = Self { sandbox, operator, kubeconfig, home, network, code: 0 };
        let before: &[&str] = match name {
            "dry-run-fails" => &[PREPARE],
            "activation-fails" => &[PREPARE, "kubectl ess-mas dry-run --yes"],
            _ => &[],
        };
        for line in before {
            let said = scene.run(line).await;
            assert_eq!(scene.code, 0, "{line}\n{said}");
        }
        scene
    }

    /// Executes a line, and returns what a terminal would show.
    pub async fn run(&mut self, line: &str) -> String {
        if line == "echo $?" {
            return format!("{}\n", self.code);
        }
        let words = words(line);
        let mut words = words.iter().map(String::as_str);
        assert_eq!((words.next(), words.next()), (Some("kubectl"), Some("ess-mas")), "{line}");
        if self.code == 1 {
            // After the operator's failure, the next attempt starts soon; after a refusal by the API server, none does.
            let _ = tokio::time::timeout(Duration::from_secs(5), self.operator.wait_for_run()).await;
        }
        answer(&self.network, self.sandbox.client().unwrap(), line).await;
        // One file for both, so that their lines keep their order.
        let mut both =
            File::options().read(true).append(true).create(true).open(self.home.path().join("said")).unwrap();
        both.set_len(0).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-ess_mas"));
        command
            .args(words)
            .env_clear()
            .envs([ess_mas_sandbox::owner()])
            .env("HOME", self.home.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .env("SSL_CERT_FILE", self.home.path().join(AUTHORITY))
            .envs(self.network.environment())
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(both.try_clone().unwrap())
            .stderr(both.try_clone().unwrap());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let limit = Duration::from_mins(1);
        let ended = tokio::time::timeout(limit, child.wait()).await.unwrap_or_else(|_| panic!("{line} does not end"));
        self.code = ended.unwrap().code().unwrap_or(-1);
        let mut said = String::new();
        both.rewind().unwrap();
        both.read_to_string(&mut said).unwrap();
        said.replace(&self.home.path().display().to_string(), HOME)
    }

    /// Deletes the objects of the scene; no controller does it here.
    pub async fn end(mut self) {
        self.operator.stop().await;
        let client = self.sandbox.client().unwrap();
        let (one, all) = (DeleteParams::default(), ListParams::default());
        Deployment::new(NAME, NAMESPACE).api(&client).delete(NAME, &one).await.unwrap();
        Api::<Secret>::namespaced(client.clone(), NAMESPACE).delete_collection(&one, &all).await.unwrap();
        Api::<ConfigMap>::namespaced(client, NAMESPACE).delete_collection(&one, &all).await.unwrap();
    }
}

/// Selects the recordings that answer while this line is executed.
pub async fn answer(network: &Network, client: Client, line: &str) {
    let deployment = Deployment::new(NAME, NAMESPACE);
    let object = serde_json::to_value(deployment.api(&client).get(NAME).await.unwrap()).unwrap();
    let active = &object["spec"]["components"]["matrixAuthenticationService"]["config"]["active"];
    let when = match active {
        Value::Bool(true) => When::After,
        _ if line.contains(" activate") => When::Around,
        _ => When::Before,
    };
    let secrets = Api::<Secret>::namespaced(client, NAMESPACE);
    let secret = secrets.get_opt(&deployment.mas_secret_name()).await.unwrap();
    let key = secret.and_then(|secret| secret.data?.remove("rsaPrivateKey"));
    network.answer(when, key.as_ref().map(|key| key.0.as_slice()));
}

/// A complete `prepare`.
pub const PREPARE: &str = "kubectl ess-mas prepare --host auth.example.com --database-host pg.example.com \
    --database-name mas --database-user mas --database-password-file mas-db-password --yes";

fn behaviour(scene: &str, run: Duration) -> Behaviour {
    let behaviour = Behaviour::default().lasting(run).reacting_after(Duration::from_millis(300));
    match scene {
        "all-goes-well" => behaviour,
        "dry-run-fails" => behaviour.dry_run(Script::always(Outcome::fail(
            "• Synapse config has `enable_3pid_changes` explicitly enabled, which must be disabled or removed.",
        ))),
        "activation-fails" => behaviour.activation(Script::always(Outcome::fail(
            "database error whilst locking Synapse table `users`: could not obtain lock on relation \"users\"",
        ))),
        other => panic!("there is no scene {other:?}"),
    }
}

/// Whether the operator's first reconcile has ended.
pub fn is_settled(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Successful" && one["status"] == "True"))
}

/// Splits a line as a shell does, with what the examples use: spaces, double quotes, and `\` at the end of a line.
pub fn words(line: &str) -> Vec<String> {
    let line = line.replace("\\\n", " ");
    let mut words = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
