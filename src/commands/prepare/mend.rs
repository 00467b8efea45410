//! Values that are spoilt in a harmless way: on a terminal the mended form is offered, a script is told how to mend the file.

use super::super::exit::{Failure, INTERRUPTED};
use super::super::session::Session;
use crate::cli::PrepareArgs;
use crate::pki::{EncryptionSecret, RsaPrivateKey};
use crate::terminal::prompt::PromptError;

/// `--encryption-secret-file`.
pub fn encryption_secret(session: &Session, args: &PrepareArgs, value: &[u8]) -> Result<EncryptionSecret, Failure> {
    const FLAG: &str = "--encryption-secret-file";
    let error = match EncryptionSecret::parse(value) {
        Ok(secret) => return Ok(secret),
        Err(error) => error,
    };
    // What came out of the mending has to be as good as what needs none.
    let mended = error.mended().and_then(|mended| EncryptionSecret::parse(mended.expose_hex().as_bytes()).ok());
    let Some(mended) = mended else { return Err(refused(FLAG, &error)) };
    let print = mended.fingerprint().to_string();
    agreed(session, args, FLAG, &error, &print)?.then_some(mended).ok_or_else(|| refused(FLAG, &error))
}

/// `--rsa-private-key-file`.
pub fn rsa_private_key(session: &Session, args: &PrepareArgs, value: &[u8]) -> Result<RsaPrivateKey, Failure> {
    const FLAG: &str = "--rsa-private-key-file";
    let error = match RsaPrivateKey::parse(value) {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    let Some(mended) = error.mended() else { return Err(refused(FLAG, &error)) };
    let print = mended.fingerprint().to_string();
    let yes = agreed(session, args, FLAG, &error, &print)?;
    if yes { Ok(mended.clone()) } else { Err(refused(FLAG, &error)) }
}

fn refused(flag: &str, problem: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{flag}: {problem} Nothing was changed."))
}

/// Whether a person wants the mended form; nobody else is asked.
fn agreed(
    session: &Session,
    args: &PrepareArgs,
    flag: &str,
    problem: &dyn std::fmt::Display,
    print: &str,
) -> Result<bool, Failure> {
    let ui = session.ui();
    if args.yes || !ui.terminal().can_ask() {
        return Ok(false);
    }
    ui.warning(format!("{flag}: {problem}"));
    match ui.confirm(&format!("Use the mended form ({print})? The file stays as it is.")) {
        Ok(yes) => Ok(yes),
        Err(PromptError::Interrupted) => Err(Failure::new(INTERRUPTED, "interrupted; nothing was changed")),
        Err(_) => Ok(false),
    }
}
