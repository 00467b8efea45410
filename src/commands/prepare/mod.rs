//! `prepare`: settles MAS's settings and makes the secrets that are missing. Never touches the ElementDeployment.

use std::cell::RefCell;

mod certificate;
mod chart;
mod encryption;
mod export;
mod inputs;
mod interview;
mod rehearse;
mod settings;
mod show;
mod todo;

use k8s_openapi::api::core::v1::Secret;

use super::status::provider_table;
use crate::checks::tls::{CertificateSource, Offered};
use crate::checks::{self, Known, Purpose, RehearsalStanding, Snapshot, codes};
use crate::cli::PrepareArgs;
use crate::cluster::{Write, WriteOutcome, resource};
use crate::error::{Exit, Failure};
use crate::migration::Confirmed;
use crate::plan::{
    MasSettings, SecretContents, SecretContext, SecretInputs, SecretKeys, SecretPlan, SecretPlanError, Tls,
};
use crate::secrets::wipe;
use crate::session::certificate::look;
use crate::session::findings;
use crate::session::interrupt::Standing;
use crate::session::reading::Extent;
use crate::session::status::providers as provider_parts;
use crate::session::{Context, Session};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Line, Next, Style};

use show::{secret_lines, show};

pub async fn exec(context: &Context, args: &PrepareArgs) -> Result<Exit, Failure> {
    let wanted = export::Wanted::read(&args.export)?;
    let mut given = inputs::read(args)?;
    let session = Session::open(context, args.name.as_deref()).await?;
    let mut snapshot = session.gather(Extent::Look).await;
    if snapshot.deployment.mas_active() == Some(true) {
        session.ui().status("The migration is done already; there is nothing to prepare.");
        return Ok(Exit::Done);
    }
    let settings = settings::resolve(&session, &snapshot, args)?;
    snapshot.settings = Some(settings.clone());
    let mut replace = args.replace.clone();
    let keys = snapshot.secret_keys();
    certificate::refuse_unused(&given, &CertificateSource::of(&settings, &snapshot.deployment, &keys))?;
    let fresh = certificate::issue(&session, &settings, &keys, args, &mut given, &mut replace).await?;
    let mut found = checks::run(&snapshot, Purpose::Prepare);
    let offered = Offered { pair: given.certificate.as_ref(), replace: &replace };
    let looked = look(&session, &snapshot, &settings, offered).await;
    found.extend(certificate::tell_what_can_wait(&session, &settings, looked));
    if wanted.is_some() {
        // An export writes nothing, so it needs no right to.
        found.retain(|finding| finding.code != codes::PERMISSIONS);
    }
    found.sort_by_key(|finding| finding.severity);
    findings::name_commands(&session, &mut found);
    findings::tell(session.ui(), &session.place(), &found);
    let script = args.yes || !session.ui().terminal().can_ask();
    // What writes nothing to the cluster asks nobody to accept anything.
    findings::judge(&found, &args.write.accept, script && !args.write.preview && wanted.is_none())?;
    let mut inputs = inputs::merge(given, &session, args, &replace)?;
    if let Some(wanted) = wanted {
        return export::export(&session, &snapshot, &settings, &wanted, &mut inputs, fresh.as_ref()).await;
    }
    let present = present(&session, &settings).await?;
    let plan = plan_secret(&session, &snapshot, &settings, present.as_ref(), &mut inputs).await?;
    chart::may_write(&session, &snapshot, &plan)?;
    if let Some(fresh) = &fresh {
        fresh.explain(&session);
    }
    show(&session, &snapshot, &settings, show::will_be(&plan), Some(&plan));
    let unchanged = !plan.writes() && recorded(&snapshot) == Some(&settings);
    if !unchanged {
        rehearse::rehearse(&session, &snapshot, &settings, &plan).await?;
    }
    if args.write.preview {
        session.ui().status("This is a preview; nothing was written.");
        return Ok(Exit::Done);
    }
    if !unchanged {
        let question =
            format!("Write Secret {} and the record? The deployment itself is not touched.", settings.secret_name);
        if Confirmed::by_yes(&session, args.yes, &question)?.is_none() {
            session.ui().status("Nothing was changed.");
            return Ok(Exit::Done);
        }
        if context.interrupt.raised() {
            return Err(Failure::told(Exit::Interrupted));
        }
        context.interrupt.stands(Standing::Writing);
        if let Some(fresh) = &fresh {
            fresh.keep(&session)?;
        }
        write(&session, &snapshot, &settings, plan, &inputs).await?;
        if context.interrupt.raised() {
            session.ui().next(
                &Next::new("It was all written. To see what is left to do by hand:")
                    .command(session.command("prepare")),
            );
            return Err(Failure::told(Exit::Interrupted));
        }
        context.interrupt.stands(Standing::Ending { done: "everything was written already" });
    }
    report(&session, &snapshot, &settings, !unchanged)?;
    Ok(Exit::Done)
}

fn recorded(snapshot: &Snapshot) -> Option<&MasSettings> {
    snapshot.recorded()?.settings.as_ref()
}

/// Reads the Secret of the chosen name.
async fn present(session: &Session, settings: &MasSettings) -> Result<Option<SecretContents>, Failure> {
    match session.read_secret(&settings.secret_name).await {
        Known::Known(present) => Ok(present),
        Known::Unreadable(why) => Err(Failure::new(
            Exit::Failed,
            format!("Secret {} has to be read before anything is written to it: {why}", settings.secret_name),
        )
        .next(Next::new("Nothing was changed. Once that is mended, run the command again."))),
    }
}

/// Asks for what only a person knows, and plans the Secret.
async fn plan_secret(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    present: Option<&SecretContents>,
    inputs: &mut SecretInputs,
) -> Result<SecretPlan, Failure> {
    let keys = snapshot.secret_keys();
    encryption::stays(session, settings, present, &keys).await?;
    let context = secret_context(snapshot, settings, &keys, present, inputs);
    if inputs.postgres_password.is_none() && context.needs_password(&inputs.replace) {
        inputs.postgres_password = Some(inputs::ask_password(session, settings)?);
    }
    context.plan(inputs).map_err(|error| secret_failure(&error))
}

fn secret_context<'a>(
    snapshot: &Snapshot,
    settings: &'a MasSettings,
    keys: &'a SecretKeys,
    present: Option<&'a SecretContents>,
    inputs: &SecretInputs,
) -> SecretContext<'a> {
    SecretContext {
        name: &settings.secret_name,
        present,
        keys,
        certfile: settings.tls == Tls::Certfile || inputs.certificate.is_some(),
        deployed: snapshot.deployment.mas().is_some(),
    }
}

fn secret_failure(error: &SecretPlanError) -> Failure {
    let failure = |code| Failure::new(code, format!("{error}; nothing was changed"));
    match error {
        SecretPlanError::NoPassword => failure(Exit::Usage).next(Next::new("Give it in a file, or on standard input: --database-password-file FILE|-")),
        SecretPlanError::NoCertificate => failure(Exit::Usage).next(Next::new("Pass --certificate FILE and --private-key FILE, or choose another --tls mode.")),
        SecretPlanError::EncryptionSecretIsFixed(_) | SecretPlanError::NoSuchKey(..) => failure(Exit::Usage),
        SecretPlanError::NothingToReplaceWith(_) => failure(Exit::Usage).next(Next::new("Pass the file that holds it.")),
        SecretPlanError::Unusable { key, .. } => failure(Exit::Failed).next(Next::new(format!(
            "Mend the value in the Secret, or replace it by name: --replace {key} (not the encryption secret, once MAS has run with it)."
        ))),
        SecretPlanError::Immutable(_) => failure(Exit::Failed).next(Next::new("Use another Secret: --secret-name NAME.")),
        SecretPlanError::Generate(_) => failure(Exit::Failed),
    }
}

/// Writes the Secret, then the record. The Secret first: a record without it would promise too much.
async fn write(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    plan: SecretPlan,
    inputs: &SecretInputs,
) -> Result<(), Failure> {
    if plan.writes() {
        write_secret(session, snapshot, settings, plan, inputs).await?;
    }
    let by = session.who().await;
    let now = session.ui().terminal().now();
    // Somebody may have prepared it as well since the record was read. What they settled is not replaced unseen.
    let (before, others) = (recorded(snapshot), RefCell::new(None));
    session
        .change_record(|record| {
            let theirs = record.settings.as_ref().filter(|theirs| Some(*theirs) != before);
            *others.borrow_mut() =
                theirs.map(|theirs| (theirs == settings, record.history.last().map(|last| last.words(now))));
            if theirs.is_some_and(|theirs| theirs != settings) {
                return;
            }
            record.settings = Some(settings.clone());
            record.chart.clone_from(&snapshot.chart);
            record.note(
                now,
                by.as_deref(),
                format!("prepare: MAS at {}, Secret {}", settings.host, settings.secret_name),
            );
        })
        .await?;
    if let Some((same, last)) = others.into_inner() {
        let last = last.unwrap_or_else(|| "somebody prepared it".to_owned());
        if !same {
            return Err(Failure::new(
                Exit::Failed,
                format!("somebody else settled other values at the same time, and theirs are in the record ({last})"),
            )
            .next(Next::new("See what is there now, then decide again:").command(session.command("prepare"))));
        }
        session.ui().status(format!("Somebody else settled the same values at the same time ({last})."));
    }
    let name = crate::record::record_name(&session.target.name);
    session.ui().status(format!("The settings are kept in ConfigMap {name}."));
    Ok(())
}

fn secret_request(session: &Session, plan: &SecretPlan) -> Write {
    let namespace = &session.target.namespace;
    let body = plan.body(namespace);
    match body["metadata"]["resourceVersion"].as_str().map(str::to_owned) {
        Some(version) => Write::patch(resource::<Secret>(), namespace, &plan.name, &version, body),
        None => Write::create(resource::<Secret>(), namespace, &plan.name, body),
    }
}

/// ` (field manager kubectl, 2026-11-23T02:00:09Z)`, as far as the API server tells.
fn last_written(object: &serde_json::Value) -> String {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let latest = entries.max_by_key(|entry| entry["time"].as_str().unwrap_or_default());
    let parts = latest.and_then(|latest| Some((latest["manager"].as_str()?, latest["time"].as_str()?)));
    parts.map_or_else(String::new, |(manager, time)| format!(" (field manager {manager}, {time})"))
}

async fn write_secret(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    plan: SecretPlan,
    inputs: &SecretInputs,
) -> Result<(), Failure> {
    let mut plan = plan;
    // Somebody else may make or change the Secret at the same moment. What they made is kept, so plan again.
    for _ in 0..3 {
        let write = secret_request(session, &plan);
        let body = write.body();
        let ours = |found: &serde_json::Value| {
            body["data"].as_object().into_iter().flatten().all(|(key, value)| found["data"][key] == *value)
        };
        match session.cluster.write(&write, ours).await {
            WriteOutcome::Applied(mut written) => {
                wipe(&mut written.object);
                let verb = if plan.creates() { "created" } else { "completed" };
                session.ui().status(format!("Secret {} {verb}.", plan.name));
                return Ok(());
            }
            WriteOutcome::Conflict { error, now } => {
                session.ui().status(format!(
                    "Secret {} was written by somebody else just now{}; looking at it again.",
                    plan.name,
                    now.as_ref().map_or_else(String::new, last_written)
                ));
                let Known::Known(present) = session.read_secret(&plan.name).await else { return Err(error.into()) };
                let keys = snapshot.secret_keys();
                plan = secret_context(snapshot, settings, &keys, present.as_ref(), inputs)
                    .plan(inputs)
                    .map_err(|error| secret_failure(&error))?;
                secret_lines(session.ui(), snapshot, &plan);
                if !plan.writes() {
                    return Ok(());
                }
            }
            WriteOutcome::NotApplied(error) => {
                return Err(Failure::from(error).next(Next::new(format!("Secret {} was not written.", plan.name))));
            }
            WriteOutcome::Unknown(error) => {
                return Err(Failure::from(error).next(Next::new(format!(
                    "Whether Secret {} was written could not be found out. Run the command again: what is there is kept.",
                    plan.name
                ))));
            }
        }
    }
    Err(Failure::new(Exit::Failed, format!("Secret {} is being changed by somebody else again and again", plan.name)))
}

/// What is left to do by hand, on stdout: a person keeps it.
fn report(session: &Session, snapshot: &Snapshot, settings: &MasSettings, changed: bool) -> Result<(), Failure> {
    let ui = session.ui();
    let providers = provider_parts(snapshot);
    if !providers.is_empty() {
        ui.page("Redirect URIs to register at the identity providers; leave the present ones in place until the migration is done:")?;
        ui.print("")?;
        provider_table(ui, &providers, false)?;
        ui.print("")?;
    }
    let mut table = Table::new([Column::new("To do by hand"), Column::new("How").prose()]);
    for (what, how) in todo::list(snapshot, settings, !providers.is_empty()) {
        table.row([Cell::from(what), Cell::from(how)]);
    }
    ui.table(&table, false)?;
    ui.print("")?;
    ui.print("SQL for the database, to be run as a superuser of the server:")?;
    for line in todo::sql(settings) {
        ui.print(Line::new().text("  ").styled(Style::Code, line))?;
    }
    ui.print("")?;
    ui.page("Backup, right before `activate`, one command right after the other. Until then MAS's database holds no users, so the two dumps fit together; what is written in Synapse after its dump is lost where the dump has to be used:")?;
    for line in todo::backup_commands(snapshot, settings) {
        ui.print(Line::new().text("  ").styled(Style::Code, line))?;
    }
    let rehearsed = changed && checks::standing(snapshot) == RehearsalStanding::Passed;
    let then = if rehearsed {
        "The dry run that has passed was of what was there before; it has to pass again:"
    } else {
        "Then:"
    };
    ui.next(&Next::new(then).command(session.command("dry-run")));
    Ok(())
}
