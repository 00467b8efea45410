//! `dry-run`, `activate` and `abort`: map the flags to the shared flow, in which they differ by [`Step`], and inspect the dumps
//! of `activate --backup-file` before the cluster is accessed.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use jiff::Timestamp;

use crate::checks::backup::recognise::{Dump, DumpFormat, recognise};
use crate::checks::backup::{self, BackupFile};
use crate::cli::{AbortArgs, ActivateArgs, DryRunArgs, FollowArgs, WriteArgs};
use crate::connection_failure::plain;
use crate::error::{Exit, Failure};
use crate::migration::{self, Request, Step};
use crate::session::{Context, Session};

/// Bytes to read at the end of a file, which contain the end marker of a complete SQL dump.
const TAIL: u64 = 4096;

fn request(context: &Context, step: Step, write: &WriteArgs, follow: &FollowArgs, yes: bool) -> Request {
    Request {
        step,
        is_script: yes || !context.ui.terminal.can_ask(),
        preview: write.preview,
        accept: write.accept.clone(),
        wait: follow.wait,
        timeout: follow.timeout,
        yes,
        via_owner: false,
        confirm: None,
        backup: None,
        findings: Vec::new(),
    }
}

pub async fn dry_run(context: &Context, args: &DryRunArgs) -> Result<Exit, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = request(context, Step::DryRun, &args.write, &args.follow, args.yes);
    let request = Request { via_owner: args.via_owner, ..request };
    migration::take(&mut session, &request, args.output.format).await
}

pub async fn activate(context: &Context, args: &ActivateArgs) -> Result<Exit, Failure> {
    let dumps = args.backup_file.iter().map(|name| inspect(name)).collect::<Result<Vec<_>, _>>()?;
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let request = Request {
        // `--yes` doesn't answer its questions.
        is_script: args.confirm.is_some() || !context.ui.terminal.can_ask(),
        via_owner: args.via_owner,
        confirm: args.confirm.clone(),
        backup: args.backup.clone(),
        findings: backup::check(&dumps, session.now()),
        ..request(context, Step::Activate, &args.write, &args.follow, args.yes)
    };
    migration::take(&mut session, &request, args.output.format).await
}

pub async fn abort(context: &Context, args: &AbortArgs) -> Result<Exit, Failure> {
    let mut session = Session::open(context, args.name.as_deref()).await?;
    let step = if args.remove { Step::Remove } else { Step::Abort };
    let request = request(context, step, &args.write, &args.follow, args.yes);
    migration::take(&mut session, &request, args.output.format).await
}

/// Inspects a dump. A path that doesn't exist, or is neither a file nor a directory, is wrong usage.
fn inspect(name: &str) -> Result<BackupFile, Failure> {
    let path = Path::new(name);
    let usage =
        |error| Failure::usage(format!("--backup-file: can't read {name}: {}; nothing was changed", plain(&error)));
    let about = fs::metadata(path).map_err(usage)?;
    if !about.is_file() && !about.is_dir() {
        // Reading a pipe would consume its content.
        return Err(Failure::usage(format!(
            "--backup-file: {name} is neither a file nor a directory; nothing was changed"
        )));
    }
    let written = |about: &fs::Metadata| about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    if about.is_dir() {
        return Ok(folder(name, path, written(&about)));
    }
    let mut file = File::open(path).map_err(usage)?;
    let dump = in_file(&mut file, about.len()).map_err(|error| error.to_string());
    Ok(BackupFile { name: name.to_owned(), written: written(&about), dump })
}

fn in_file(file: &mut File, length: u64) -> io::Result<Dump> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    file.take(TAIL).read_to_end(&mut tail)?;
    file.seek(SeekFrom::Start(0))?;
    recognise(file, Some(&tail))
}

/// Inspects a dump in directory format, or a server's data directory.
fn folder(name: &str, path: &Path, written: Option<Timestamp>) -> BackupFile {
    let dump = match File::open(path.join("toc.dat")) {
        // Has the format of the table of contents in a tar archive.
        Ok(mut file) => recognise(&mut file, None).map(|dump| match dump.kind {
            DumpFormat::Archive => dump,
            _ => Dump::only(DumpFormat::None("its toc.dat is not a table of contents of pg_dump".to_owned())),
        }),
        Err(_) if ["PG_VERSION", "base.tar", "base.tar.gz"].iter().any(|file| path.join(file).exists()) => {
            Ok(Dump::only(DumpFormat::Sealed))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Dump::only(DumpFormat::None("it is a directory without toc.dat, which pg_dump writes last".to_owned())))
        }
        Err(error) => Err(error),
    };
    BackupFile { name: name.to_owned(), written, dump: dump.map_err(|error| error.to_string()) }
}
