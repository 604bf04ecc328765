//! A set of servers and the environment variables that lead to them.

use std::path::PathBuf;

use super::build::{self, Server};
use super::{ControlPlane, Options, Registry, SandboxError};

/// Which servers to start.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The control plane and what runs beside it.
    pub plane: Options,
    /// An in-memory registry.
    pub registry: bool,
}

/// Running servers; they end when dropped.
#[derive(Debug)]
pub struct ServerSet {
    plane: ControlPlane,
    registry: Option<Registry>,
    kubectl: PathBuf,
}

impl ServerSet {
    /// Starts the servers.
    pub fn start(wanted: Wanted) -> Result<Self, SandboxError> {
        Ok(Self {
            kubectl: build::ensure(Server::Kubectl)?,
            plane: ControlPlane::start(wanted.plane)?,
            registry: wanted.registry.then(Registry::start).transpose()?,
        })
    }

    /// The control plane.
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// The registry, if one was wanted.
    pub fn registry(&self) -> Option<&Registry> {
        self.registry.as_ref()
    }

    /// `KUBECONFIG`, `KUBECTL` (a client to look around with) and `REGISTRY` (host:port).
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("KUBECONFIG", self.plane.kubeconfig().display().to_string()),
            ("KUBECTL", self.kubectl.display().to_string()),
        ];
        if let Some(registry) = &self.registry {
            variables.push(("REGISTRY", registry.address()));
        }
        variables
    }
}
