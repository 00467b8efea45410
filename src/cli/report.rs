//! Flags of `report`.

use std::path::PathBuf;

use clap::Args;

use super::OutputArgs;

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// File to write, or the folder for it; nothing that is there is overwritten [default: the working folder]
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}
