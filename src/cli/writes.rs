//! Arguments of the steps, which write to the ElementDeployment.

use clap::Args;

use super::flags::{FollowArgs, OutputArgs, WriteArgs};

#[derive(Debug, Args)]
pub struct DryRunArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Write nothing: show the change for the manifest's owner (Helm, Argo CD, Flux, installer) and wait for it
    #[arg(long, conflicts_with = "preview")]
    pub via_owner: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ActivateArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// The deployment's name once more, in place of the question
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// A sentence that says where the backup of both databases is
    #[arg(long, value_name = "TEXT")]
    pub backup: Option<String>,
    /// Look into this dump as well: is it one, of today, with the table users in it? May be repeated
    #[arg(long, value_name = "FILE")]
    pub backup_file: Vec<String>,
    /// Not enough here: --confirm and --backup are needed
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Write nothing: show the change for the manifest's owner (Helm, Argo CD, Flux, installer) and wait for it
    #[arg(long, conflicts_with = "preview")]
    pub via_owner: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct AbortArgs {
    /// The ElementDeployment; may be left out where there is only one
    pub name: Option<String>,
    /// Take the MAS component out as well
    #[arg(long)]
    pub remove: bool,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub yes: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}
