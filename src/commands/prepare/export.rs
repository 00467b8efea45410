//! `prepare --export`: nothing is written to the cluster; what the manifest's owner must add goes to a file or to standard output.
//!
//! An export that names the Secret wants it there and complete: what refers to nothing would stop the operator. One that holds
//! the values takes those in the cluster, else those given, else new ones, by the very rules of an ordinary `prepare`.

use std::path::{Path, PathBuf};

use super::super::shared::key_files::{Issued, KeyFile};
use super::super::shared::new_files::{NewFile, write_all};
use super::page::secret_lines;
use super::preparation::Preparation;
use crate::checks::{self, Finding, Known, Purpose, Severity, Snapshot, codes};
use crate::cli::{ExportArgs, ExportFormat};
use crate::cluster::shell_word;
use crate::deployment::{Owner, values_below};
use crate::error::{Exit, Failure};
use crate::plan::export::{CHART, HelmSecrets, Subject, Values, helm_values, patch, secret};
use crate::plan::{SecretAction, SecretInputs, SecretPlan, referenced_keys};
use crate::secrets::wipe;
use crate::session::{Session, findings};
use crate::terminal::Next;

pub struct ExportOptions {
    format: ExportFormat,
    /// Whether secret values are in it.
    values: bool,
    file: Option<PathBuf>,
    force: bool,
}

impl ExportOptions {
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

pub async fn export(
    preparation: &Preparation<'_>,
    options: &ExportOptions,
    inputs: &mut SecretInputs,
    issued: Option<&Issued>,
) -> Result<Exit, Failure> {
    let plan = if options.values {
        let plan = preparation.plan_secret(inputs).await?;
        // With Helm the chart gives its own name to what it makes of the values.
        if options.format == ExportFormat::Manifests && preparation.secret_is_charts() {
            return Err(preparation.never_adopted());
        }
        Some(plan)
    } else {
        refers(preparation, options, inputs).await?;
        None
    };
    if let Some(issued) = issued {
        issued.explain(preparation.ui(), ".");
    }
    let becomes =
        if options.values { "goes into the file:" } else { "is named, and its values are in the cluster only" };
    preparation.show(becomes, plan.as_ref());
    preparation.ui().status("");
    let export = Export {
        preparation,
        options,
        plan: plan.as_ref(),
        authority: issued.map(|issued| issued.ca_files(".")).unwrap_or_default(),
    };
    match options.format {
        ExportFormat::HelmValues => export.helm().await?,
        ExportFormat::Manifests => export.manifests()?,
    }
    Ok(Exit::Done)
}

/// Looks whether the Secret that is only named is there, and complete.
async fn refers(preparation: &Preparation<'_>, options: &ExportOptions, inputs: &SecretInputs) -> Result<(), Failure> {
    let Preparation { session, snapshot, settings, .. } = preparation;
    let name = &settings.secret_name;
    if options.format == ExportFormat::HelmValues && preparation.secret_is_charts() {
        let text = format!(
            "Secret {name} is the one that chart {CHART} makes of the values; named as existingSecret, the chart would empty it. Nothing was \
             written"
        );
        return Err(Failure::new(Exit::Usage, text)
            .advise("Keep the values in the file: --inline-secrets --export-file FILE. Or use a Secret of its own: --secret-name NAME."));
    }
    let after = Snapshot { secret: session.read_secret(name).await, ..(*snapshot).clone() };
    let mut found = checks::run(&after, Purpose::DryRun);
    found.retain(|finding| finding.code == codes::SECRET && finding.severity != Severity::Ok);
    for finding in &found {
        findings::show(session.ui(), finding);
    }
    let first = |what: &str| {
        Failure::new(Exit::Blocked, format!("{what}; nothing was written")).advise("This export only names the Secret. First let `prepare` make it: the same command without --export. Or let the export hold \
             the values: --inline-secrets --export-file FILE.")
    };
    if found.iter().any(Finding::blocks) {
        return Err(first(&format!("Secret {name} is not as the manifest needs it")));
    }
    // What could not be read was said; a name can be given all the same.
    let Known::Known(present) = after.secret else { return Ok(()) };
    preparation.refuse_other_encryption_secret(present.as_ref()).await?;
    let plan = preparation.plan_on(present.as_ref(), inputs)?;
    if plan.writes() {
        return Err(first(&format!("Secret {name} would have to be changed")));
    }
    secret_lines(session.ui(), snapshot, &plan);
    Ok(())
}

struct Export<'a> {
    preparation: &'a Preparation<'a>,
    options: &'a ExportOptions,
    /// The Secret, where its values are in the export.
    plan: Option<&'a SecretPlan>,
    /// The files of a CA that was made.
    authority: Vec<KeyFile>,
}

impl Export<'_> {
    fn subject(&self) -> Subject<'_> {
        let Preparation { snapshot, settings, keys, .. } = self.preparation;
        Subject { deployment: &snapshot.deployment, settings, keys }
    }

    async fn helm(&self) -> Result<(), Failure> {
        let (session, subject) = (self.preparation.session, self.subject());
        let below = below(session).await;
        let inline = self.plan.map(|plan| values(&subject, plan));
        let secrets = inline.as_ref().map_or(HelmSecrets::Existing(&subject.settings.secret_name), HelmSecrets::Inline);
        let text = helm_values(&subject, secrets, below.as_deref())
            .map_err(|error| Failure::usage(format!("{error}; nothing was written")))?;
        let mut passed = "FILE".to_owned();
        match &self.options.file {
            None => session.ui().raw_out(text.expose())?,
            Some(file) => {
                self.keep(&[(file, text.expose())])?;
                self.warn_of_values(file);
                passed = shell_word(&file.to_string_lossy());
            }
        }
        if self.plan.is_some() {
            session.ui().warning(
                "the values hold secrets: keep the file where your own values with secrets are, and out of repositories",
            );
        }
        let (release, namespace) = match subject.deployment.owner() {
            Owner::Helm(release) => (release.name, release.namespace),
            _ => ("RELEASE".to_owned(), None),
        };
        let namespace = namespace.unwrap_or_else(|| session.target.namespace.clone());
        session.ui().next(
            &Next::new("Pass it after your own values, then rehearse:")
                .command(format!("helm upgrade {release} CHART -n {namespace} -f VALUES -f {passed}"))
                .command(session.command("dry-run")),
        );
        Ok(())
    }

    fn manifests(&self) -> Result<(), Failure> {
        let (session, subject) = (self.preparation.session, self.subject());
        let (ui, dry_run) = (session.ui(), session.command("dry-run"));
        let Some(file) = &self.options.file else {
            ui.raw_out(&patch(&subject, "FILE"))?;
            ui.next(&Next::new("Once it is on its way to the cluster:").command(dry_run));
            return Ok(());
        };
        let patch = patch(&subject, &shell_word(&file.file_name().unwrap_or_default().to_string_lossy()));
        let Some(plan) = self.plan else {
            self.keep(&[(file, &patch)])?;
            let text = "Start this before the change is made; it waits for it and follows the operator:";
            ui.next(&Next::new(text).command(dry_run + " --via-owner"));
            return Ok(());
        };
        let secret_file = secret_file(file);
        let secret = secret(&subject, &values(&subject, plan));
        self.keep(&[(file, &patch), (&secret_file, secret.expose())])?;
        self.warn_of_values(&secret_file);
        ui.warning(format!(
            "{} holds the secrets in base64, which is no encryption: seal it before it goes into a repository, or keep it out and leave it out \
             with --without-secret",
            secret_file.display()
        ));
        let text =
            "The Secret has to be in the cluster before the patch is applied. Once the patch is on its way there:";
        ui.next(&Next::new(text).command(dry_run));
        Ok(())
    }

    /// Writes all files, or none: the export's with mode 0600, and those of a new CA.
    fn keep(&self, texts: &[(&Path, &str)]) -> Result<(), Failure> {
        let own = texts.iter().map(|(path, text)| NewFile {
            path: path.to_path_buf(),
            contents: text.as_bytes(),
            private: true,
        });
        let new: Vec<NewFile<'_>> = own.chain(self.authority.iter().map(KeyFile::to_write)).collect();
        write_all(&new, self.options.force)?;
        for file in &new {
            self.preparation.ui().status(format!("{} written.", file.path.display()));
        }
        self.preparation.ui().status("Nothing was written to the cluster.");
        Ok(())
    }

    /// Values that were made for this export are nowhere else.
    fn warn_of_values(&self, file: &Path) {
        let items = self.plan.iter().flat_map(|plan| &plan.items);
        let made: Vec<&str> =
            items.filter(|item| item.action == SecretAction::Generate).map(|item| item.key.as_str()).collect();
        if !made.is_empty() {
            self.preparation.ui().warning(format!(
                "{} was made for this export and is in {} alone; another export makes another one, and only one of them may ever be applied",
                made.join(" and "),
                file.display()
            ));
        }
    }
}

fn secret_file(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ending = file.extension().map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy()));
    file.with_file_name(format!("{stem}-secret{ending}"))
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
