//! `check`: prints all findings, an explanation or the minimum Role. Writes nothing.

mod databases;

use super::shared::output::{conclude, gather};
use crate::checks::default_secret_name;
use crate::checks::explain::{Explanation, explanation};
use crate::checks::permissions::{other_secrets, role};
use crate::cli::CheckArgs;
use crate::cluster::{Cluster, shell_word};
use crate::diagnosis;
use crate::error::{Exit, Failure};
use crate::session::findings;
use crate::session::reading::Extent;
use crate::session::{Context, Document, Session};
use crate::terminal::{Line, Next, OutputFormat, Style, Ui};

pub async fn exec(context: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let format = args.output.format;
    if let Some(code) = &args.explain {
        return explain(&context.ui, code, format);
    }
    if args.rbac {
        return print_role(context, args).await;
    }
    // Invalid flags fail before the first request.
    let access = args.ask.databases.then(|| databases::DatabaseAccess::read(&args.ask)).transpose()?;
    let session = Session::open(context, args.name.as_deref()).await?;
    let (snapshot, mut findings) = gather(&session).await;
    if let Some(access) = access {
        findings.extend(databases::check(&session, &snapshot, access).await);
        findings.sort_by_key(|finding| finding.severity);
    }
    if !format.is_data() {
        findings::count(&context.ui, &session.place(), &findings);
    }
    let code = conclude(&context.ui, format, Some(&session.target), &findings)?;
    if code != Exit::Done && !format.is_data() {
        context.ui.next(&Next::new("To explain a code:").command("kubectl ess-mas check --explain CODE"));
    }
    Ok(code)
}

/// `--explain CODE`: works without a cluster. The command line accepts known codes only.
fn explain(ui: &Ui, code: &str, format: OutputFormat) -> Result<Exit, Failure> {
    let Some(explanation) = explanation(code).cloned().or_else(|| diagnosis::explanation(code)) else {
        return Err(Failure::usage(format!("there is no code {code:?}")));
    };
    if format.is_data() {
        ui.data(format, &Document::new("Explanation", &explanation))?;
        return Ok(Exit::Done);
    }
    let Explanation { code, about, severities, meaning, why, remedy, source } = &explanation;
    let words: Vec<&str> = severities.iter().map(|severity| severity.word()).collect();
    let kind = if words.is_empty() { "cause".to_owned() } else { words.join(", ") };
    ui.page(Line::new().styled(Style::Heading, *code).text(format!("   {kind}")))?;
    ui.page(about)?;
    for (heading, text) in [("What it means", meaning), ("Why it matters", why), ("Remedy", remedy), ("Source", source)]
    {
        ui.print("")?;
        ui.page(Line::new().styled(Style::Heading, heading))?;
        for line in text.lines() {
            ui.page(format!("  {line}"))?;
        }
    }
    Ok(Exit::Done)
}

/// `--rbac`: the minimum Role, for an administrator to apply. Without permission to read the deployment, the user passes its
/// name, and the Role has the default names of Secrets.
async fn print_role(context: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(&context.flags).await?;
    let (role, who) = match (Session::open(context, args.name.as_deref()).await, args.name.as_deref()) {
        (Ok(session), _) => {
            let snapshot = session.gather(Extent::Status).await;
            let (target, others) = (&session.target, other_secrets(&session.deployment));
            (role(&target.name, &target.namespace, &snapshot.secret_name(), &others), None)
        }
        (Err(failure), Some(name)) if failure.is_forbidden() => {
            context.ui.warning(format!(
                "{} The Role has the default object names. Print it again once you can read the deployment.",
                failure.message().unwrap_or_default()
            ));
            (role(name, &cluster.namespace, &default_secret_name(name), &[]), cluster.who_am_i().await)
        }
        (Err(failure), _) => return Err(failure),
    };
    let format = if args.output.format == OutputFormat::Json { OutputFormat::Json } else { OutputFormat::Yaml };
    context.ui.data(format, &role)?;
    let user = who.as_deref().map_or_else(|| "NAME".to_owned(), shell_word);
    context.ui.next(
        &Next::new("As an administrator, apply the Role (kubectl apply -f FILE), then bind it to the user:").command(
            format!(
                "kubectl{} create rolebinding kubectl-ess-mas --role=kubectl-ess-mas --user={user} -n {}",
                cluster.place.context_flag(),
                role["metadata"]["namespace"].as_str().unwrap_or_default()
            ),
        ),
    );
    Ok(Exit::Done)
}
