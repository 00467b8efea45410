//! `prepare --export`.

use clap::{Args, ValueEnum};

/// `--export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A values file for chart ess-stack, to pass with a second -f; it names the Secret
    HelmValues,
    /// A patch of the ElementDeployment and, in a file of its own, the Secret
    Manifests,
}

/// What of it, and where to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Export")]
pub struct ExportArgs {
    /// Write nothing to the cluster; print what the manifest's owner must add
    #[arg(long, value_name = "FORMAT")]
    pub export: Option<ExportFormat>,
    /// Put the secret values into the export; needs --export-file
    #[arg(long, requires = "export")]
    pub inline_secrets: bool,
    /// Leave the Secret out of the manifests
    #[arg(long, requires = "export", conflicts_with = "inline_secrets")]
    pub without_secret: bool,
    /// Write the export there, readable by you alone, instead of to standard output
    #[arg(long, value_name = "FILE", requires = "export")]
    pub export_file: Option<String>,
    /// Replace the export file if it is there
    #[arg(long, requires = "export_file")]
    pub force: bool,
}

/// For `prepare --help`.
pub const EXPORT_HELP: &str = "\
Exports are for a manifest that Helm, Argo CD or Flux applies. helm-values names the Secret that prepare without --export has \
made: run that first, then the same with --export. With --inline-secrets, and for manifests (unless --without-secret is given), \
the secret values go into the export: those that are in the cluster, else those given by flags, else new ones. As no secret is \
ever printed, such an export needs --export-file. A new encryption secret is then in that file alone; never apply two of them.";
