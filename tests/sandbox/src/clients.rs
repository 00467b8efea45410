//! The programs that people use beside the plugin, pinned and built from their sources: `tests/clients`.

use std::path::PathBuf;

use crate::{Result, assets};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Helm 3, which patches from the client.
    Helm3,
    /// Helm 4, which applies on the server.
    Helm4,
    /// kubectl.
    Kubectl,
}

impl Client {
    /// Both Helms.
    pub const HELMS: [Self; 2] = [Self::Helm3, Self::Helm4];

    /// Where the program is. The first call on a machine builds it, which takes minutes.
    pub fn program(self) -> Result<PathBuf> {
        let name = match self {
            Self::Helm3 => "helm-3",
            Self::Helm4 => "helm-4",
            Self::Kubectl => "kubectl",
        };
        Ok(assets::clients()?.join(name))
    }
}
