//! Secret values from files, standard input or a prompt; never from the value of a flag.

use std::fmt::Display;

use super::super::shared::key_files::read_ca;
use crate::cli::PrepareArgs;
use crate::error::Failure;
use crate::plan::{MasSettings, SecretInputs};
use crate::secrets::{EncryptionSecret, PostgresPassword, SecretBytes, saslprep_changes, without_newline};
use crate::session::Session;
use crate::session::inputs::{one_from_stdin, read_file};
use crate::terminal::Ui;
use crate::x509::{CertificateAuthority, CertificateChain, RsaPrivateKey, TlsPrivateKey};

/// The contents of the files, read before the cluster is accessed.
pub struct InputFiles {
    password: Option<SecretBytes>,
    encryption: Option<SecretBytes>,
    rsa: Option<SecretBytes>,
    /// Chain and key, normalized.
    pub certificate: Option<(SecretBytes, SecretBytes)>,
    pub ca: Option<CertificateAuthority>,
    /// `--replace`.
    pub replace: Vec<String>,
}

impl InputFiles {
    pub fn read(args: &PrepareArgs) -> Result<Self, Failure> {
        one_from_stdin(&[
            &args.database_password_file,
            &args.encryption_secret_file,
            &args.rsa_private_key_file,
            &args.certificate,
            &args.private_key,
            &args.ca_certificate,
            &args.ca_private_key,
        ])?;
        let read = |flag: &str, path: &Option<String>| path.as_deref().map(|path| read_file(flag, path)).transpose();
        let certificate = read("--certificate", &args.certificate)?;
        let private_key = read("--private-key", &args.private_key)?;
        Ok(Self {
            password: read("--database-password-file", &args.database_password_file)?,
            encryption: read("--encryption-secret-file", &args.encryption_secret_file)?,
            rsa: read("--rsa-private-key-file", &args.rsa_private_key_file)?,
            certificate: certificate.zip(private_key).map(canonical),
            ca: read_ca(args.ca_certificate.as_deref(), args.ca_private_key.as_deref())?,
            replace: args.replace.clone(),
        })
    }

    pub fn parse(self, ui: &Ui) -> Result<SecretInputs, Failure> {
        let encryption_secret = self.encryption.map(|value| {
            let digits = without_newline(value.expose());
            if digits.len() < value.len() {
                ui.status("Removed the trailing newline from the encryption secret file's content.");
            }
            EncryptionSecret::parse(digits).map_err(|error| refused("--encryption-secret-file", &error))
        });
        let rsa_private_key = self.rsa.map(|value| {
            RsaPrivateKey::parse(value.expose()).map_err(|error| refused("--rsa-private-key-file", &error))
        });
        let postgres_password = self.password.map(|value| PostgresPassword::parse(value.expose())).transpose();
        let postgres_password = postgres_password.map_err(|error| refused("--database-password-file", &error))?;
        if let Some(password) = &postgres_password {
            if password.removed_newline {
                ui.status("Removed the trailing newline from the password file's content.");
            }
            warn_of_changes(ui, password);
        }
        Ok(SecretInputs {
            encryption_secret: encryption_secret.transpose()?,
            rsa_private_key: rsa_private_key.transpose()?,
            postgres_password,
            certificate: self.certificate,
            issued: false,
            replace: self.replace.into_iter().collect(),
        })
    }
}

fn refused(flag: &str, problem: &dyn Display) -> Failure {
    Failure::usage(format!("{flag}: {problem} Nothing was changed."))
}

/// Normalizes the PEM files so that every server can parse them. Leaves unparseable files to the checks.
fn canonical((chain, key): (SecretBytes, SecretBytes)) -> (SecretBytes, SecretBytes) {
    let chain =
        CertificateChain::parse(chain.expose()).map_or(chain, |parsed| SecretBytes::from(parsed.to_pem().into_bytes()));
    let key = TlsPrivateKey::parse(key.expose()).map_or(key, |parsed| parsed.pem.to_bytes());
    (chain, key)
}

/// Warns about a password that clients transform differently.
fn warn_of_changes(ui: &Ui, password: &PostgresPassword) {
    if saslprep_changes(password.value().expose()) {
        ui.warning(
            "the database password contains characters that SASLprep (RFC 4013) changes: PostgreSQL stores the changed password, but MAS \
             sends the original and can't log in. Use ASCII letters and digits",
        );
    }
    if password.has_white_space_at_an_end() {
        ui.warning(
            "the database password begins or ends with white space, which MAS removes if it reads the password from a file",
        );
    }
}

pub fn ask_password(session: &Session, settings: &MasSettings) -> Result<PostgresPassword, Failure> {
    let question = format!("Password of role {} at {}:", settings.database.user, settings.database.host);
    let typed = session.ui().password(&question);
    let typed = typed.map_err(|error| Failure::unanswered(error, "--database-password-file FILE|-"))?;
    let password = PostgresPassword::parse(typed.as_bytes()).map_err(|error| Failure::usage(error.to_string()))?;
    warn_of_changes(session.ui(), &password);
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{HostName, TlsKeyType};

    #[test]
    fn certificate_files_are_normalized_and_keep_their_certificate() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let host = HostName::parse("auth.example.com").unwrap();
        let ca = CertificateAuthority::create(&host, TlsKeyType::P256, now).unwrap();
        let issued = ca.issue(&host, TlsKeyType::P256, now).unwrap();
        let (chain, key) = (issued.chain.to_pem(), issued.key.pem.expose().to_owned());
        let untidy = |text: &str| SecretBytes::from(format!("a note\n{}", text.replace('\n', "\r\n")).as_bytes());
        let tidy = canonical((untidy(&chain), untidy(&key)));
        assert_eq!(tidy.0.expose(), chain.as_bytes());
        assert_eq!(tidy.1.expose(), key.as_bytes());
        let noted = |text: &str| SecretBytes::from(format!("a note\n{text}\n").as_bytes());
        assert_eq!(canonical((noted(&chain), noted(&key))), tidy, "valid PEM is normalized too");
        let broken = (SecretBytes::from(&b"x"[..]), SecretBytes::from(&b"y"[..]));
        assert_eq!(canonical(broken.clone()), broken);
    }
}
