//! `prepare --export`: nothing is written to the cluster; what the manifest's owner must add goes to a file or to standard output.
//!
//! An export that names the Secret wants it there and complete: what refers to nothing would stop the operator. One that holds
//! the values takes those in the cluster, else those given, else new ones, by the very rules of an ordinary `prepare`.

use std::path::{Path, PathBuf};

use super::super::tls::files::{NewFile, write_all};
use super::certificate::Fresh;
use super::show::show;
use super::{chart, encryption, plan_secret, present, secret_context};
use crate::checks::{self, Known, Purpose, Severity, Snapshot, codes};
use crate::cli::{ExportArgs, ExportFormat};
use crate::cluster::shell_word;
use crate::deployment::{Owner, values_below};
use crate::error::{Exit, Failure};
use crate::plan::export::{CHART, HelmSecrets, Subject, Values, helm_values, patch, secret};
use crate::plan::{MasSettings, SecretAction, SecretInputs, SecretPlan, referenced_keys};
use crate::secrets::wipe;
use crate::session::Session;
use crate::session::findings;
use crate::terminal::Next;

pub struct Wanted {
    format: ExportFormat,
    /// Whether secret values are in it.
    values: bool,
    file: Option<PathBuf>,
    force: bool,
}

impl Wanted {
    /// Reads the flags. Secrets are never printed, so they need a file.
    pub fn read(args: &ExportArgs) -> Result<Option<Self>, Failure> {
        let Some(format) = args.export else { return Ok(None) };
        let values = args.inline_secrets || (format == ExportFormat::Manifests && !args.without_secret);
        let file = args.export_file.as_deref().filter(|file| *file != "-").map(PathBuf::from);
        if values && file.is_none() {
            let without = match format {
                ExportFormat::HelmValues => "leave --inline-secrets out",
                ExportFormat::Manifests => "pass --without-secret",
            };
            return Err(Failure::usage(format!(
                "this export holds secret values, and those are never printed; pass --export-file FILE, or {without} to only name the \
                 Secret. Nothing was written"
            )));
        }
        Ok(Some(Self { format, values, file, force: args.force }))
    }
}

/// The file of the Secret's manifest, beside that of the patch.
fn secret_file(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ending = file.extension().map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy()));
    file.with_file_name(format!("{stem}-secret{ending}"))
}

pub async fn export(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    wanted: &Wanted,
    inputs: &mut SecretInputs,
    fresh: Option<&Fresh>,
) -> Result<Exit, Failure> {
    let plan = if wanted.values {
        Some(with_values(session, snapshot, settings, wanted, inputs).await?)
    } else {
        refers(session, snapshot, settings, wanted, inputs).await?;
        None
    };
    if let Some(fresh) = fresh {
        fresh.explain(session);
    }
    let becomes =
        if wanted.values { "goes into the file:" } else { "is named, and its values are in the cluster only" };
    show(session, snapshot, settings, becomes, plan.as_ref());
    session.ui().status("");
    let keys = snapshot.secret_keys();
    let subject = Subject { deployment: &snapshot.deployment, settings, keys: &keys };
    match wanted.format {
        ExportFormat::HelmValues => {
            let below = below(session).await;
            helm(session, &subject, wanted, below.as_deref(), plan.as_ref(), fresh)?;
        }
        ExportFormat::Manifests => manifests(session, &subject, wanted, plan.as_ref(), fresh)?,
    }
    Ok(Exit::Done)
}

/// Plans the Secret that the export holds.
async fn with_values(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    wanted: &Wanted,
    inputs: &mut SecretInputs,
) -> Result<SecretPlan, Failure> {
    let found = present(session, settings).await?;
    let plan = plan_secret(session, snapshot, settings, found.as_ref(), inputs).await?;
    // With Helm the chart gives its own name to what it makes of the values.
    if wanted.format == ExportFormat::Manifests && chart::is_charts(&snapshot.deployment, &plan.name) {
        return Err(chart::never_adopted(session, &plan.name));
    }
    Ok(plan)
}

/// Looks whether the Secret that is only named is there, and complete.
async fn refers(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    wanted: &Wanted,
    inputs: &SecretInputs,
) -> Result<(), Failure> {
    let name = &settings.secret_name;
    let keys = snapshot.secret_keys();
    if wanted.format == ExportFormat::HelmValues && chart::is_charts(&snapshot.deployment, name) {
        let text = format!(
            "Secret {name} is the one that chart {CHART} makes of the values; named as existingSecret, the chart would empty it. Nothing was \
             written"
        );
        return Err(Failure::new(Exit::Usage, text)
            .next(Next::new("Keep the values in the file: --inline-secrets --export-file FILE. Or use a Secret of its own: --secret-name NAME.")));
    }
    let after =
        Snapshot { settings: Some(settings.clone()), secret: session.read_secret(name).await, ..snapshot.clone() };
    let mut found = checks::run(&after, Purpose::DryRun);
    found.retain(|finding| finding.code == codes::SECRET && finding.severity != Severity::Ok);
    for finding in &found {
        findings::show(session.ui(), finding);
    }
    let first = |what: &str| {
        let text = format!("{what}; nothing was written");
        Failure::new(Exit::Blocked, text).next(Next::new(
            "This export only names the Secret. First let `prepare` make it: the same command without --export. Or let the export hold \
             the values: --inline-secrets --export-file FILE.",
        ))
    };
    if found.iter().any(checks::Finding::blocks) {
        return Err(first(&format!("Secret {name} is not as the manifest needs it")));
    }
    // What could not be read was said; a name can be given all the same.
    let Known::Known(present) = after.secret else { return Ok(()) };
    encryption::stays(session, settings, present.as_ref(), &keys).await?;
    let context = secret_context(snapshot, settings, &keys, present.as_ref(), inputs);
    let plan = context.plan(inputs).map_err(|error| super::secret_failure(&error))?;
    if plan.writes() {
        return Err(first(&format!("Secret {name} would have to be changed")));
    }
    super::show::secret_lines(session.ui(), snapshot, &plan);
    Ok(())
}

/// The values that belong into the Secret: the guide's, and what the deployment refers to beside them.
fn values(subject: &Subject<'_>, plan: &SecretPlan) -> Values {
    let mut data = plan.after().data;
    let referenced: Vec<String> =
        subject.deployment.mas().map(referenced_keys).unwrap_or_default().into_iter().map(|(_, key)| key).collect();
    data.retain(|key, _| plan.items.iter().any(|item| item.key == *key) || referenced.contains(key));
    data
}

/// The key that an umbrella chart has the values below, where Helm's own record of the release can be read.
async fn below(session: &Session) -> Option<String> {
    let Owner::Helm(release) = session.deployment.owner() else { return None };
    let namespace = release.namespace.as_deref().unwrap_or(&session.target.namespace);
    let mut secrets = session.cluster.helm_releases(namespace, Some(&release.name)).await.ok()?;
    let below = secrets.iter().find_map(values_below);
    secrets.iter_mut().for_each(wipe);
    below
}

fn helm(
    session: &Session,
    subject: &Subject<'_>,
    wanted: &Wanted,
    below: Option<&str>,
    plan: Option<&SecretPlan>,
    fresh: Option<&Fresh>,
) -> Result<(), Failure> {
    let inline = plan.map(|plan| values(subject, plan));
    let secrets = inline.as_ref().map_or(HelmSecrets::Existing(&subject.settings.secret_name), HelmSecrets::Inline);
    let text = helm_values(subject, secrets, below)
        .map_err(|error| Failure::usage(format!("{error}; nothing was written")))?;
    let Some(file) = &wanted.file else {
        session.ui().raw_out(text.expose())?;
        then_helm(session, subject, "FILE", plan);
        return Ok(());
    };
    keep(session, wanted, fresh, &[(file.clone(), text.expose())])?;
    if let Some(plan) = plan {
        warn_of_values(session, plan, file);
    }
    then_helm(session, subject, &shell_word(&file.to_string_lossy()), plan);
    Ok(())
}

fn manifests(
    session: &Session,
    subject: &Subject<'_>,
    wanted: &Wanted,
    plan: Option<&SecretPlan>,
    fresh: Option<&Fresh>,
) -> Result<(), Failure> {
    let ui = session.ui();
    let name = wanted.file.as_ref().and_then(|file| file.file_name()).map(|name| shell_word(&name.to_string_lossy()));
    let patch = patch(subject, name.as_deref().unwrap_or("FILE"));
    let waits = session.command("dry-run") + " --via-owner";
    let Some(file) = &wanted.file else {
        ui.raw_out(&patch)?;
        ui.next(&Next::new("Once it is on its way to the cluster:").command(session.command("dry-run")));
        return Ok(());
    };
    let Some(plan) = plan else {
        keep(session, wanted, fresh, &[(file.clone(), &patch)])?;
        ui.next(
            &Next::new("Start this before the change is made; it waits for it and follows the operator:")
                .command(waits),
        );
        return Ok(());
    };
    let secret_file = secret_file(file);
    let secret = secret(subject, &values(subject, plan));
    keep(session, wanted, fresh, &[(file.clone(), &patch), (secret_file.clone(), secret.expose())])?;
    warn_of_values(session, plan, &secret_file);
    ui.warning(format!(
        "{} holds the secrets in base64, which is no encryption: seal it before it goes into a repository, or keep it out and leave it out \
         with --without-secret",
        secret_file.display()
    ));
    ui.next(
        &Next::new(
            "The Secret has to be in the cluster before the patch is applied. Once the patch is on its way there:",
        )
        .command(session.command("dry-run")),
    );
    Ok(())
}

/// Writes all files, or none: the export's with mode 0600, and those of a new CA.
fn keep(session: &Session, wanted: &Wanted, fresh: Option<&Fresh>, texts: &[(PathBuf, &str)]) -> Result<(), Failure> {
    let authority = fresh.map(Fresh::files).unwrap_or_default();
    let of_authority = authority.iter().map(|(path, pem, private)| (path, pem.as_ref(), *private));
    let all: Vec<_> = texts.iter().map(|(path, text)| (path, *text, true)).chain(of_authority).collect();
    let new: Vec<NewFile<'_>> = all
        .iter()
        .map(|(path, text, private)| NewFile { path: (*path).clone(), contents: text.as_bytes(), private: *private })
        .collect();
    write_all(&new, wanted.force)?;
    for (path, ..) in &all {
        session.ui().status(format!("{} written.", path.display()));
    }
    session.ui().status("Nothing was written to the cluster.");
    Ok(())
}

/// Values that were made for this export are nowhere else.
fn warn_of_values(session: &Session, plan: &SecretPlan, file: &Path) {
    let made: Vec<&str> =
        plan.items.iter().filter(|item| item.action == SecretAction::Generate).map(|item| item.key.as_str()).collect();
    if !made.is_empty() {
        session.ui().warning(format!(
            "{} was made for this export and is in {} alone; another export makes another one, and only one of them may ever be applied",
            made.join(" and "),
            file.display()
        ));
    }
}

fn then_helm(session: &Session, subject: &Subject<'_>, file: &str, plan: Option<&SecretPlan>) {
    let ui = session.ui();
    if plan.is_some() {
        ui.warning(
            "the values hold secrets: keep the file where your own values with secrets are, and out of repositories",
        );
    }
    let (release, namespace) = match subject.deployment.owner() {
        Owner::Helm(release) => (release.name, release.namespace),
        _ => ("RELEASE".to_owned(), None),
    };
    let namespace = namespace.unwrap_or_else(|| session.target.namespace.clone());
    ui.next(
        &Next::new("Pass it after your own values, then rehearse:")
            .command(format!("helm upgrade {release} CHART -n {namespace} -f VALUES -f {file}"))
            .command(session.command("dry-run")),
    );
}
