//! Secret values that the person gives: from files, standard input, or a question. Never from a flag's value.

use std::fmt::Display;

use super::super::tls::issue::read_ca;
use super::certificate::canonical;
use crate::cli::PrepareArgs;
use crate::error::Failure;
use crate::plan::{MasSettings, SecretInputs};
use crate::secrets::{EncryptionSecret, PostgresPassword, SecretBytes, without_newline};
use crate::session::Session;
use crate::session::inputs::read_file;
use crate::terminal::Line;
use crate::x509::{CertificateAuthority, RsaPrivateKey};

/// The files' contents, before anything is asked of the cluster: a wrong path changes nothing.
pub struct Given {
    password: Option<SecretBytes>,
    encryption: Option<SecretBytes>,
    rsa: Option<SecretBytes>,
    /// Chain and key in the one form that every server reads.
    pub certificate: Option<(SecretBytes, SecretBytes)>,
    pub ca: Option<CertificateAuthority>,
}

pub fn read(args: &PrepareArgs) -> Result<Given, Failure> {
    let stdin = [
        &args.database_password_file,
        &args.encryption_secret_file,
        &args.rsa_private_key_file,
        &args.certificate,
        &args.private_key,
        &args.ca_certificate,
        &args.ca_private_key,
    ];
    if stdin.iter().filter(|path| path.as_deref() == Some("-")).count() > 1 {
        return Err(Failure::usage("standard input holds one value; only one flag can be -"));
    }
    let optional = |flag: &str, path: &Option<String>| path.as_deref().map(|path| read_file(flag, path)).transpose();
    let certificate = optional("--certificate", &args.certificate)?;
    let private_key = optional("--private-key", &args.private_key)?;
    Ok(Given {
        password: optional("--database-password-file", &args.database_password_file)?,
        encryption: optional("--encryption-secret-file", &args.encryption_secret_file)?,
        rsa: optional("--rsa-private-key-file", &args.rsa_private_key_file)?,
        certificate: certificate.zip(private_key).map(canonical),
        ca: read_ca(args.ca_certificate.as_deref(), args.ca_private_key.as_deref())?,
    })
}

pub fn merge(given: Given, session: &Session, args: &PrepareArgs, replace: &[String]) -> Result<SecretInputs, Failure> {
    let refused = |flag: &str, problem: &dyn Display| Failure::usage(format!("{flag}: {problem} Nothing was changed."));
    let encryption = given.encryption.map(|value| {
        let digits = without_newline(value.expose());
        if digits.len() < value.len() {
            session.ui().status("Removed the trailing newline from the encryption secret file's content.");
        }
        EncryptionSecret::parse(digits).map_err(|error| refused("--encryption-secret-file", &error))
    });
    let encryption_secret = encryption.transpose()?;
    let rsa = given
        .rsa
        .map(|value| RsaPrivateKey::parse(value.expose()).map_err(|error| refused("--rsa-private-key-file", &error)));
    let rsa_private_key = rsa.transpose()?;
    let postgres_password = given.password.map(|value| password(session, value.expose())).transpose()?;
    Ok(SecretInputs {
        encryption_secret,
        rsa_private_key,
        rsa_bits: args.rsa_bits,
        postgres_password,
        certificate: given.certificate,
        replace: replace.iter().cloned().collect(),
    })
}

fn password(session: &Session, value: &[u8]) -> Result<PostgresPassword, Failure> {
    let password = PostgresPassword::parse(value)
        .map_err(|error| Failure::usage(format!("--database-password-file: {error} Nothing was changed.")))?;
    if password.removed_newline {
        session.ui().status("Removed the trailing newline from the password file's content.");
    }
    warn_of_white_space(session, &password);
    Ok(password)
}

fn warn_of_white_space(session: &Session, password: &PostgresPassword) {
    if password.has_white_space_at_an_end() {
        session.ui().warning(
            "the database password begins or ends with white space, which MAS removes when it reads it from a file",
        );
    }
}

/// Asks for the password of MAS's role.
pub fn ask_password(session: &Session, settings: &MasSettings) -> Result<PostgresPassword, Failure> {
    let question = format!("Password of role {} at {}:", settings.database.user, settings.database.host);
    let typed = session
        .ui()
        .password(&question)
        .map_err(|error| Failure::unanswered(error, "--database-password-file FILE|-"))?;
    session.ui().detail(1, Line::new().text("the password was taken from the terminal"));
    let password = PostgresPassword::parse(typed.as_bytes()).map_err(|error| Failure::usage(error.to_string()))?;
    warn_of_white_space(session, &password);
    Ok(password)
}
