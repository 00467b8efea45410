//! A control plane with the CRD, shared by the tests of a process, and a namespace for each test.

use std::future::Future;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace as KubeNamespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use kube::api::{Api, ObjectMeta, PostParams};

use crate::Result;
use crate::control_plane::ControlPlane;
use crate::crds::{self, Release};
use crate::fixtures::Deployment;
use crate::operator::Scope;

/// A control plane with the `ElementDeployment` CRD of one release. Dereferences to [`ControlPlane`].
pub struct Sandbox {
    control_plane: ControlPlane,
}

impl Sandbox {
    /// The sandbox that all tests of this process share, with the CRD of [`Release::Current`]. The first call starts it, concurrent
    /// ones wait. It ends with the process.
    ///
    /// # Panics
    /// If it cannot start; the message gives the reason.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<std::result::Result<Sandbox, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Self::start(Release::Current).map_err(|error| error.to_string())) {
            Ok(sandbox) => sandbox,
            Err(error) => panic!("the sandbox did not start: {error}"),
        }
    }

    /// A separate sandbox, for a test that reads all namespaces, needs another release's CRD or breaks the server. Takes three
    /// seconds and 300 MB.
    pub fn start(release: Release) -> Result<Self> {
        let control_plane = ControlPlane::start()?;
        let config = control_plane.config();
        block_on(async move { crds::install(&kube::Client::try_from(config)?, release).await })?;
        Ok(Self { control_plane })
    }

    /// Creates a new namespace.
    pub async fn namespace(&self) -> Result<Namespace<'_>> {
        let metadata = ObjectMeta { generate_name: Some("ess-".to_owned()), ..ObjectMeta::default() };
        let wanted = KubeNamespace { metadata, ..KubeNamespace::default() };
        let made = Api::<KubeNamespace>::all(self.client()?).create(&PostParams::default(), &wanted).await?;
        let name = made.metadata.name.ok_or("the API server returned a namespace without a name")?;
        Ok(Namespace { sandbox: self, name })
    }

    /// A user with these rules in the whole cluster. The name must be new on the server.
    pub async fn cluster_user(&self, name: &str, rules: Vec<PolicyRule>) -> Result<User> {
        let client = self.client()?;
        let role = ClusterRole { metadata: named(name), rules: Some(rules), ..ClusterRole::default() };
        Api::<ClusterRole>::all(client.clone()).create(&PostParams::default(), &role).await?;
        let binding = ClusterRoleBinding {
            metadata: named(name),
            role_ref: role_ref("ClusterRole", name),
            subjects: Some(vec![user_subject(name)]),
        };
        Api::<ClusterRoleBinding>::all(client).create(&PostParams::default(), &binding).await?;
        let text = self.certificate_kubeconfig(name, &[], None)?;
        Ok(User { name: name.to_owned(), kubeconfig: self.write_file(&format!("{name}.kubeconfig"), &text)? })
    }
}

impl Deref for Sandbox {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.control_plane
    }
}

/// A namespace that belongs to one test.
pub struct Namespace<'a> {
    sandbox: &'a Sandbox,
    name: String,
}

impl Namespace<'_> {
    /// Unique on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn control_plane(&self) -> &ControlPlane {
        &self.sandbox.control_plane
    }

    /// The scope for an operator of this test.
    pub fn scope(&self) -> Scope {
        Scope::Namespace(self.name.clone())
    }

    /// A new client for an administrator, with this default namespace.
    pub fn client(&self) -> Result<kube::Client> {
        let mut config = self.sandbox.config();
        config.default_namespace.clone_from(&self.name);
        Ok(kube::Client::try_from(config)?)
    }

    /// An administrator's kubeconfig file with this namespace.
    pub fn kubeconfig(&self) -> Result<PathBuf> {
        let text = self.sandbox.certificate_kubeconfig("admin", &["system:masters"], Some(&self.name))?;
        self.sandbox.write_file(&format!("{}.kubeconfig", self.name), &text)
    }

    /// Creates the Secrets and the `ElementDeployment` of a fixture for this namespace.
    pub async fn create(&self, deployment: &Deployment) -> Result<()> {
        deployment.create(&self.client()?).await
    }

    /// A user with a client certificate and these rules in this namespace.
    ///
    /// [`User::name`] ends in the namespace's name, because tests share the server and must not share users.
    pub async fn user(&self, name: &str, rules: Vec<PolicyRule>) -> Result<User> {
        let full = format!("{name}@{}", self.name);
        self.grant(name, rules, user_subject(&full)).await?;
        let text = self.sandbox.certificate_kubeconfig(&full, &[], Some(&self.name))?;
        self.write_kubeconfig(name, full, &text)
    }

    /// The same with the bearer token of a `ServiceAccount` of this name.
    pub async fn token_user(&self, name: &str, rules: Vec<PolicyRule>) -> Result<User> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client()?, &self.name);
        let account = ServiceAccount { metadata: named(name), ..ServiceAccount::default() };
        accounts.create(&PostParams::default(), &account).await?;
        let subject = Subject {
            kind: "ServiceAccount".to_owned(),
            name: name.to_owned(),
            namespace: Some(self.name.clone()),
            api_group: None,
        };
        self.grant(name, rules, subject).await?;
        let request = TokenRequest { spec: TokenRequestSpec::default(), ..TokenRequest::default() };
        let made = accounts.create_token_request(name, &PostParams::default(), &request).await?;
        let token = made.status.ok_or("the API server answered a token request without a token")?.token;
        let text = self.sandbox.token_kubeconfig(name, &token, Some(&self.name))?;
        self.write_kubeconfig(name, format!("system:serviceaccount:{}:{name}", self.name), &text)
    }

    async fn grant(&self, name: &str, rules: Vec<PolicyRule>, subject: Subject) -> Result<()> {
        let client = self.client()?;
        let role = Role { metadata: named(name), rules: Some(rules) };
        Api::<Role>::namespaced(client.clone(), &self.name).create(&PostParams::default(), &role).await?;
        let binding =
            RoleBinding { metadata: named(name), role_ref: role_ref("Role", name), subjects: Some(vec![subject]) };
        Api::<RoleBinding>::namespaced(client, &self.name).create(&PostParams::default(), &binding).await?;
        Ok(())
    }

    fn write_kubeconfig(&self, name: &str, full: String, text: &str) -> Result<User> {
        let kubeconfig = self.sandbox.write_file(&format!("{}-{name}.kubeconfig", self.name), text)?;
        Ok(User { name: full, kubeconfig })
    }
}

/// A user without administrator permissions.
#[derive(Clone, Debug)]
pub struct User {
    /// The name in messages of the API server.
    pub name: String,
    pub kubeconfig: PathBuf,
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef { api_group: "rbac.authorization.k8s.io".to_owned(), kind: kind.to_owned(), name: name.to_owned() }
}

fn user_subject(name: &str) -> Subject {
    Subject {
        kind: "User".to_owned(),
        name: name.to_owned(),
        api_group: Some("rbac.authorization.k8s.io".to_owned()),
        namespace: None,
    }
}

/// Blocks on a future, also within a runtime, whose own threads do not allow that.
pub(crate) fn block_on<T: Send + 'static>(future: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let work = move || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future);
    thread::spawn(work).join().map_err(|_| "a helper thread of the sandbox panicked")?
}
