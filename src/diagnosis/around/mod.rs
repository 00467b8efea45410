//! Failures in the objects around a deployment: the components' child resources, pods, jobs and events. The operator creates a
//! child resource for each component and its workloads from it. Their failures don't always appear in the ElementDeployment's
//! status.

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
