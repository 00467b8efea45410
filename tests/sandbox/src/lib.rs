//! Shared by the end-to-end tests, the example and the benches: a real `kube-apiserver` with etcd, the `ElementDeployment` CRD, a
//! stand-in for ESS Classic's operator, and realistic objects.
//!
//! ```no_run
//! use ess_mas_sandbox::prelude::*;
//!
//! # async fn example() -> ess_mas_sandbox::Result<()> {
//! let namespace = Sandbox::shared().namespace().await?;
//! let deployment = Deployment::new("first-element", namespace.name());
//! namespace.create(&deployment).await?;
//! let mut operator = Operator::start(namespace.client()?, namespace.scope(), Behaviour::default());
//! // … run `kubectl ess-mas` with KUBECONFIG set to `namespace.kubeconfig()?` …
//! operator.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! There is no controller manager and no scheduler, and the kubelet only forwards ports: namespaces are never finalized, there is no
//! garbage collection, and no pod ever runs.

pub mod assets;
pub mod chains;
pub mod clients;
pub mod control_plane;
pub mod crds;
pub mod fixtures;
mod follow;
pub mod kubelet;
pub mod many;
mod needs;
pub mod operator;
pub mod proxy;
pub mod random;
mod sandbox;
mod supervisor;
mod sweep;
pub mod web;

pub use follow::Follower;
pub use needs::cannot_run;
pub use sandbox::{Namespace, Sandbox, User};
pub use supervisor::{Supervisor, owner};
pub use sweep::Sweep;

/// An error ends a test, so a boxed error with a message is sufficient.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Error>;

/// Common imports of tests.
pub mod prelude {
    pub use crate::chains::Chain;
    pub use crate::clients::Client;
    pub use crate::control_plane::ControlPlane;
    pub use crate::crds::Release;
    pub use crate::fixtures::Deployment;
    pub use crate::kubelet::Kubelet;
    pub use crate::operator::{Available, Behaviour, Operator, Outcome, Scope, Script};
    pub use crate::proxy::{Fault, Gate, Proxy, Request};
    pub use crate::web::{Reply, Web};
    pub use crate::{Follower, Namespace, Sandbox, User};
}
