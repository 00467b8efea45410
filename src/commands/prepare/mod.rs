//! `prepare`: configures MAS and creates its Secret. Never modifies the ElementDeployment.

mod answers;
mod certificate;
mod export;
mod inputs;
mod page;
mod preparation;
mod settings;
mod write;

use super::shared::key_files::{Issued, KeyFile};
use super::shared::new_files::write_all;
use crate::checks::tls::Offered;
use crate::checks::{self, Finding, Purpose, codes};
use crate::cli::PrepareArgs;
use crate::error::{Exit, Failure};
use crate::migration::{Confirmed, NOTHING_CHANGED};
use crate::plan::SecretInputs;
use crate::session::certificate::check as check_certificate;
use crate::session::findings;
use crate::session::interrupt::InterruptState;
use crate::session::reading::Extent;
use crate::session::{Context, Session};
use crate::terminal::Next;

use inputs::InputFiles;
use preparation::Preparation;

pub async fn exec(context: &Context, args: &PrepareArgs) -> Result<Exit, Failure> {
    let exported = export::ExportOptions::read(&args.export)?;
    let mut files = InputFiles::read(args)?;
    let session = Session::open(context, args.name.as_deref()).await?;
    let mut snapshot = session.gather(Extent::Check).await;
    if snapshot.deployment.mas_active() == Some(true) {
        session.ui().status("The migration is already complete; nothing to prepare.");
        let mut lost: Vec<Finding> = checks::encryption_secret_lost(&snapshot).into_iter().collect();
        session.complete_findings(&mut lost);
        for finding in &lost {
            findings::show(session.ui(), finding);
        }
        findings::judge(&lost, &[], false)?;
        return Ok(Exit::Done);
    }
    let settings = settings::resolve(&session, &snapshot, args)?;
    let read = snapshot.secret_name();
    snapshot.settings = Some(settings.clone());
    if snapshot.secret_name() != read {
        snapshot.secret = session.mas_secret(&snapshot).await;
    }
    let keys = snapshot.secret_keys();
    let preparation = Preparation { session: &session, snapshot: &snapshot, settings: &settings, keys: &keys };
    certificate::refuse_unused(&preparation, &files)?;
    let issued = certificate::issue(&preparation, args, &mut files).await?;
    let found = find(&preparation, &files, exported.is_some()).await;
    findings::tell(session.ui(), &session.place(), &found);
    let script = args.yes || !session.ui().terminal.can_ask();
    // Warnings need no acceptance if nothing is written to the cluster.
    let script = script && !args.write.preview && exported.is_none();
    findings::judge(&found, &args.write.accept, script)?;
    let mut inputs = SecretInputs { issued: issued.is_some(), ..files.parse(session.ui())? };
    if let Some(exported) = exported {
        return export::export(&preparation, &exported, &mut inputs, issued.as_ref()).await;
    }
    let plan = preparation.plan_secret(&mut inputs).await?;
    preparation.may_write(&plan)?;
    findings::judge(&preparation.show_concerns(&plan), &args.write.accept, script)?;
    if let Some(issued) = &issued {
        issued.explain(session.ui(), ".");
    }
    let becomes = match (plan.creates(), plan.writes()) {
        (true, _) => "will be created:",
        (false, true) => "will be updated:",
        (false, false) => "is unchanged:",
    };
    preparation.show(becomes, Some(&plan));
    let unchanged = !plan.writes() && preparation.recorded() == Some(&settings);
    if !unchanged {
        preparation.server_dry_run(&plan).await?;
    }
    if args.write.preview {
        session.ui().status("Preview only; nothing was written.");
        return Ok(Exit::Done);
    }
    if !unchanged {
        let question =
            format!("Write Secret {} and the record? The ElementDeployment is not modified.", settings.secret_name);
        Confirmed::by_yes(&session, args.yes, &question, NOTHING_CHANGED)?;
        if context.interrupt.raised() {
            return Err(Failure::told(Exit::Interrupted));
        }
        context.interrupt.begin_write();
        if let Some(issued) = &issued {
            keep_ca(&session, issued)?;
        }
        preparation.write(plan, &inputs).await?;
        if context.interrupt.raised() {
            let next = Next::new("The Secret and the record are written. To list the remaining tasks:");
            session.ui().next(&next.command(session.command("prepare")));
            return Err(Failure::told(Exit::Interrupted));
        }
        context.interrupt.set(InterruptState::Ending { done: "the Secret and the record are written" });
    }
    let ca = issued.map(|issued| issued.ca_files(".")).unwrap_or_default();
    preparation.show_remaining_tasks(!unchanged, ca.first().map(|file| file.path.as_str()))?;
    Ok(Exit::Done)
}

async fn find(preparation: &Preparation<'_>, files: &InputFiles, exports: bool) -> Vec<Finding> {
    let Preparation { session, snapshot, settings, .. } = preparation;
    let mut found = checks::run(snapshot, Purpose::Prepare);
    let offered = Offered { pair: files.certificate.as_ref(), replace: &files.replace };
    let checked = check_certificate(session, snapshot, settings, offered).await;
    found.extend(certificate::report_deferrable(preparation, checked));
    if exports {
        // An export needs no write permissions.
        found.retain(|finding| finding.code != codes::PERMISSIONS);
    }
    found.sort_by_key(|finding| finding.severity);
    session.complete_findings(&mut found);
    found
}

/// Writes the files of a new CA into the current directory. Called before the Secret is written: a certificate without its CA
/// is useless.
fn keep_ca(session: &Session, issued: &Issued) -> Result<(), Failure> {
    let files = issued.ca_files(".");
    write_all(&files.iter().map(KeyFile::to_write).collect::<Vec<_>>(), false)?;
    for file in files {
        session.ui().status(format!("File {} written.", file.path));
    }
    Ok(())
}
