//! `prepare --export`: writes the change for the manifest owner to a file or standard output, and nothing to the cluster.
//!
//! An export that references the Secret requires a complete one, because the operator fails on missing keys. An export with
//! the values uses those in the cluster, else those given, else new ones, by the rules of `prepare`.

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
    /// Whether the export contains secret values.
    values: bool,
    file: Option<PathBuf>,
    force: bool,
}

impl ExportOptions {
    /// Reads the flags. Secret values are never printed, so they require a file.
    pub fn read(args: &ExportArgs) -> Result<Option<Self>, Failure> {
        let Some(format) = args.export else { return Ok(None) };
        let values = args.inline_secrets || (format == ExportFormat::Manifests && !args.without_secret);
        let file = args.export_file.as_deref().filter(|file| *file != "-").map(PathBuf::from);
        if values && file.is_none() {
            let without = match format {
                ExportFormat::HelmValues => "omit --inline-secrets",
                ExportFormat::Manifests => "pass --without-secret",
            };
            return Err(Failure::usage(format!(
                "this export contains secret values, which are never printed; nothing was written. Pass --export-file FILE, or {without} \
                 to export only the name of the Secret"
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
        // With Helm values the chart names the Secret that it creates.
        if options.format == ExportFormat::Manifests && preparation.secret_is_charts() {
            return Err(preparation.never_adopted());
        }
        Some(plan)
    } else {
        check_reference(preparation, options, inputs).await?;
        None
    };
    if let Some(issued) = issued {
        issued.explain(preparation.ui(), ".");
    }
    let becomes =
        if options.values { "will be in the export:" } else { "will be referenced; its values stay in the cluster" };
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

/// Checks that the referenced Secret exists and is complete.
async fn check_reference(
    preparation: &Preparation<'_>,
    options: &ExportOptions,
    inputs: &SecretInputs,
) -> Result<(), Failure> {
    let Preparation { session, snapshot, settings, .. } = preparation;
    let name = &settings.secret_name;
    if options.format == ExportFormat::HelmValues && preparation.secret_is_charts() {
        let text = format!(
            "Secret {name} is created by chart {CHART}; with existingSecret, the chart would empty it. Nothing was written"
        );
        return Err(Failure::new(Exit::Usage, text).advise(
            "Pass --inline-secrets --export-file FILE to export the values, or --secret-name NAME for another Secret.",
        ));
    }
    let after = Snapshot { secret: session.read_secret(name).await, ..(*snapshot).clone() };
    let mut found = checks::run(&after, Purpose::DryRun);
    found.retain(|finding| finding.code == codes::SECRET && finding.severity != Severity::Ok);
    for finding in &found {
        findings::show(session.ui(), finding);
    }
    let first = |what: &str| {
        Failure::new(Exit::Blocked, format!("{what}; nothing was written")).advise(
            "This export only references the Secret. First run the same command without --export. Or export the values with \
             --inline-secrets --export-file FILE.",
        )
    };
    if found.iter().any(Finding::blocks) {
        return Err(first(&format!("Secret {name} doesn't meet the manifest's requirements")));
    }
    // An unreadable Secret is reported above and can be referenced nevertheless.
    let Known::Known(present) = after.secret else { return Ok(()) };
    preparation.refuse_other_encryption_secret(present.as_ref()).await?;
    let plan = preparation.plan_on(present.as_ref(), inputs)?;
    if plan.writes() {
        return Err(first(&format!("Secret {name} must be changed first")));
    }
    secret_lines(session.ui(), snapshot, &plan);
    Ok(())
}

struct Export<'a> {
    preparation: &'a Preparation<'a>,
    options: &'a ExportOptions,
    /// The Secret, if its values are in the export.
    plan: Option<&'a SecretPlan>,
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
                "the values contain secrets: store the file as securely as your other secrets, and never commit it unencrypted",
            );
        }
        let (release, namespace) = match subject.deployment.owner() {
            Owner::Helm(release) => (release.name, release.namespace),
            _ => ("RELEASE".to_owned(), None),
        };
        let namespace = namespace.unwrap_or_else(|| session.target.namespace.clone());
        session.ui().next(
            &Next::new("Pass the file after your own values, then start the dry run:")
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
            ui.next(&Next::new("After the patch is applied or committed:").command(dry_run));
            return Ok(());
        };
        let patch = patch(&subject, &shell_word(&file.file_name().unwrap_or_default().to_string_lossy()));
        let Some(plan) = self.plan else {
            self.keep(&[(file, &patch)])?;
            let text = "To wait for the change and follow the operator, start this before you apply the patch:";
            ui.next(&Next::new(text).command(dry_run + " --via-owner"));
            return Ok(());
        };
        let secret_file = secret_file(file);
        let secret = secret(&subject, &values(&subject, plan));
        self.keep(&[(file, &patch), (&secret_file, secret.expose())])?;
        self.warn_of_values(&secret_file);
        ui.warning(format!(
            "{} contains the secrets in base64, which is not encryption: never commit it unencrypted. To export without the Secret, pass \
             --without-secret",
            secret_file.display()
        ));
        let text = "Apply the Secret before the patch. After the patch is applied or committed:";
        ui.next(&Next::new(text).command(dry_run));
        Ok(())
    }

    /// Writes all files or none: the export with mode 0600, and the files of a new CA.
    fn keep(&self, texts: &[(&Path, &str)]) -> Result<(), Failure> {
        let own = texts.iter().map(|(path, text)| NewFile {
            path: path.to_path_buf(),
            contents: text.as_bytes(),
            private: true,
        });
        let new: Vec<NewFile<'_>> = own.chain(self.authority.iter().map(KeyFile::to_write)).collect();
        write_all(&new, self.options.force)?;
        for file in &new {
            self.preparation.ui().status(format!("File {} written.", file.path.display()));
        }
        self.preparation.ui().status("Nothing was written to the cluster.");
        Ok(())
    }

    /// Warns that generated values exist only in this file.
    fn warn_of_values(&self, file: &Path) {
        let items = self.plan.iter().flat_map(|plan| &plan.items);
        let made: Vec<&str> =
            items.filter(|item| item.action == SecretAction::Generate).map(|item| item.key.as_str()).collect();
        if !made.is_empty() {
            self.preparation.ui().warning(format!(
                "{}: generated, and stored only in {}. Each export generates new values, so apply only one of them",
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

/// The values of the Secret: those of the guide, and further keys that the deployment references.
fn values(subject: &Subject<'_>, plan: &SecretPlan) -> Values {
    let mut data = plan.after().data;
    let referenced: Vec<String> =
        subject.deployment.mas().map(referenced_keys).unwrap_or_default().into_iter().map(|(_, key)| key).collect();
    data.retain(|key, _| plan.items.iter().any(|item| item.key == *key) || referenced.contains(key));
    data
}

/// The key of this chart's values in an umbrella chart; `None` if Helm's release can't be read.
async fn below(session: &Session) -> Option<String> {
    let Owner::Helm(release) = session.deployment.owner() else { return None };
    let namespace = release.namespace.as_deref().unwrap_or(&session.target.namespace);
    let mut secrets = session.cluster.helm_releases(namespace, Some(&release.name)).await.ok()?;
    let below = secrets.iter().find_map(values_below);
    secrets.iter_mut().for_each(wipe);
    below
}
