//! What the objects around a deployment tell: the components' own resources, pods, jobs, events. The operator writes a
//! child resource per component and makes the workloads from it, and trouble down there does not always come up into the
//! ElementDeployment's status.

mod essentials;
mod logs;
mod objects;
mod symptoms;

pub use essentials::essentials;
pub use logs::{Container, Role, containers};
pub use objects::{Around, GROUP, OWNER_LABEL};
pub use symptoms::{Symptom, symptoms};

#[cfg(test)]
mod tests;
