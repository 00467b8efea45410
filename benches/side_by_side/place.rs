//! Sets up the measurements: the programs, a control plane, and a deployment with a passed dry run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use ess_mas_sandbox::Result;
use ess_mas_sandbox::prelude::*;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::measure::Program;

/// The programs.
pub struct Programs {
    pub ours: Program,
    pub kubectl: Program,
    pub openssl: Program,
    home: TempDir,
}

impl Programs {
    /// Builds missing programs.
    pub fn find() -> Result<Self> {
        let home = TempDir::new()?;
        let program = |path: PathBuf| Program {
            path,
            home: home.path().to_owned(),
            kubeconfig: home.path().join("no-kubeconfig"),
            proxy: None,
        };
        Ok(Self {
            ours: program(release()?),
            kubectl: program(Client::Kubectl.program()?),
            openssl: program("openssl".into()),
            home,
        })
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

/// Another program to measure, such as a downloaded or older one.
const PROGRAM: &str = "ESS_MAS_PROGRAM";

/// The cargo that runs this, or the one in `PATH`.
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The release program.
fn release() -> Result<PathBuf> {
    if let Some(path) = env::var_os(PROGRAM).filter(|path| !path.is_empty()) {
        return Ok(Path::new(&path).canonicalize()?);
    }
    let cargo = cargo();
    eprintln!("building the program as it is released, which takes minutes the first time");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--bin", "kubectl-ess_mas", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .status()?;
    if !built.success() {
        return Err("the program does not build".into());
    }
    // This program is in target/debug/examples.
    let own = env::current_exe()?;
    let target = own.ancestors().nth(3).ok_or("this program lies in no folder")?;
    Ok(target.join("release").join(format!("kubectl-ess_mas{}", env::consts::EXE_SUFFIX)))
}

/// A deployment in its own namespace, ready for its activation.
pub struct Scene {
    pub namespace: Namespace<'static>,
    pub deployment: Deployment,
    pub operator: Operator,
    pub kubeconfig: PathBuf,
    mas: Value,
    record: String,
}

impl Scene {
    pub fn after_dry_run(runtime: &Runtime, programs: &Programs) -> Result<Self> {
        let (namespace, deployment, operator) = runtime.block_on(async {
            let namespace = Sandbox::shared().namespace().await?;
            let deployment = Deployment::new("chat", namespace.name());
            namespace.create(&deployment).await?;
            let operator = Operator::start(namespace.client()?, namespace.scope(), Behaviour::default());
            let mut follower = Follower::start(&deployment.api(&namespace.client()?), deployment.name()).await?;
            follower.until(|object| condition(object, "Successful")).await?;
            Ok::<_, ess_mas_sandbox::Error>((namespace, deployment, operator))
        })?;
        let kubeconfig = namespace.kubeconfig()?;
        let mut scene = Self { namespace, deployment, operator, kubeconfig, mas: Value::Null, record: String::new() };
        let ours = programs.ours.with(&scene.kubeconfig);
        let password = programs.home().join("password");
        fs::write(&password, "correct horse\n")?;
        let (host, password) = (scene.deployment.mas_host(), password.display().to_string());
        ours.run(&[
            "prepare",
            "--host",
            &host,
            "--database-host",
            "pg.example.com",
            "--database-name",
            "mas",
            "--database-user",
            "mas",
            "--database-password-file",
            &password,
            "--yes",
        ])?;
        ours.run(&["dry-run", "--yes"])?;
        runtime.block_on(async {
            let object = scene.api()?.get(scene.deployment.name()).await?;
            scene.mas = object.data["spec"]["components"]["matrixAuthenticationService"].clone();
            let record = scene.records()?.get(&scene.record_name()).await?;
            scene.record.push_str(record.data["data"]["record.json"].as_str().unwrap_or_default());
            Ok::<_, ess_mas_sandbox::Error>(())
        })?;
        Ok(scene)
    }

    /// Restores the state before the activation.
    pub async fn put_back(&self) -> Result<()> {
        let api = self.api()?;
        let patch = json!({"spec": {"components": {"matrixAuthenticationService": self.mas}}});
        let mut follower = Follower::start(&api, self.deployment.name()).await?;
        if follower.last()["spec"]["components"]["matrixAuthenticationService"] != self.mas {
            api.patch(self.deployment.name(), &PatchParams::default(), &Patch::Merge(patch)).await?;
            follower.until(|object| object["spec"]["components"]["matrixAuthenticationService"] == self.mas).await?;
            follower.until(is_running).await?;
            follower.until(|object| condition(object, "Successful")).await?;
        }
        let record = json!({"data": {"record.json": self.record}});
        self.records()?.patch(&self.record_name(), &PatchParams::default(), &Patch::Merge(record)).await?;
        Ok(())
    }

    pub fn api(&self) -> Result<Api<DynamicObject>> {
        Ok(self.deployment.api(&self.namespace.client()?))
    }

    fn records(&self) -> Result<Api<DynamicObject>> {
        let kind = kube::core::ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&());
        Ok(Api::namespaced_with(self.namespace.client()?, self.namespace.name(), &kind))
    }

    fn record_name(&self) -> String {
        format!("{}-kubectl-ess-mas", self.deployment.name())
    }

    /// The activation's command line.
    pub fn activation(&self) -> Vec<String> {
        let name = self.deployment.name();
        ["activate", "--confirm", name, "--backup", "on the shelf", "-o", "json"].map(str::to_owned).to_vec()
    }
}

/// Whether a condition is true.
pub fn condition(object: &Value, kind: &str) -> bool {
    let mut all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.any(|one| one["type"] == kind && one["status"] == "True")
}

/// Whether a reconcile is in progress.
pub fn is_running(object: &Value) -> bool {
    let mut all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.any(|one| one["type"] == "Running" && one["status"] == "True" && one["reason"] == "Running")
}
