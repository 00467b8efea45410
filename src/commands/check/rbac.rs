//! `check --rbac`: the Role that is enough for the whole way, to be applied by an administrator.

use crate::checks::default_secret_name;
use crate::checks::permissions::{RoleFor, other_secrets};
use crate::cli::CheckArgs;
use crate::cluster::Cluster;
use crate::cluster::shell_word;
use crate::error::{Exit, Failure};
use crate::session::reading::Extent;
use crate::session::{Context, Session};
use crate::terminal::{Next, OutputFormat};

/// Runs it. Whoever needs the Role may not be allowed to look at the deployment yet: then its name has to be given, and
/// Secrets are named as they are by default.
pub async fn exec(context: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(&context.flags).await?;
    let (wanted, who) = match Session::open(context, args.name.as_deref()).await {
        Ok(session) => {
            let snapshot = session.gather(Extent::Standing).await;
            let wanted = RoleFor {
                name: session.target.name.clone(),
                namespace: session.target.namespace.clone(),
                mas_secret: snapshot.secret_name(),
                other_secrets: other_secrets(&session.deployment),
            };
            (wanted, None)
        }
        Err(failure) => match args.name.as_deref().filter(|_| failure.is_forbidden()) {
            Some(name) => {
                context.ui.warning(format!(
                    "{} The Role is for the names that things have by default; once it is there, print it again.",
                    failure.message().unwrap_or_default()
                ));
                let wanted = RoleFor {
                    name: name.to_owned(),
                    namespace: cluster.namespace().to_owned(),
                    mas_secret: default_secret_name(name),
                    other_secrets: Vec::new(),
                };
                (wanted, cluster.who_am_i().await)
            }
            None => return Err(failure),
        },
    };
    let format = match args.output.format() {
        OutputFormat::Json => OutputFormat::Json,
        _ => OutputFormat::Yaml,
    };
    context.ui.data(format, &wanted.role())?;
    let user = who.as_deref().map_or_else(|| "NAME".to_owned(), shell_word);
    context.ui.next(
        &Next::new("An administrator applies it (kubectl apply -f FILE), and gives it to whoever takes the steps:")
            .command(format!(
                "kubectl{} create rolebinding kubectl-ess-mas --role=kubectl-ess-mas --user={user} -n {}",
                cluster.place().context_flag(),
                wanted.namespace
            )),
    );
    Ok(Exit::Done)
}
