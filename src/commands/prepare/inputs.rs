//! Secret values that the person gives: from files, standard input, or a question. Never from a flag's value.

use std::fmt::Display;

use super::super::shared::key_files::read_ca;
use crate::cli::PrepareArgs;
use crate::error::Failure;
use crate::plan::{MasSettings, SecretInputs};
use crate::secrets::{EncryptionSecret, PostgresPassword, SecretBytes, saslprep_changes, without_newline};
use crate::session::Session;
use crate::session::inputs::read_file;
use crate::terminal::{Line, Ui};
use crate::x509::{CertificateAuthority, CertificateChain, RsaBits, RsaPrivateKey, TlsPrivateKey};

/// The files' contents, before anything is asked of the cluster: a wrong path changes nothing.
pub struct InputFiles {
    password: Option<SecretBytes>,
    encryption: Option<SecretBytes>,
    rsa: Option<SecretBytes>,
    /// Chain and key in the one form that every server reads.
    pub certificate: Option<(SecretBytes, SecretBytes)>,
    pub ca: Option<CertificateAuthority>,
    /// Keys of the Secret to replace with them.
    pub replace: Vec<String>,
}

impl InputFiles {
    pub fn read(args: &PrepareArgs) -> Result<Self, Failure> {
        let paths = [
            &args.database_password_file,
            &args.encryption_secret_file,
            &args.rsa_private_key_file,
            &args.certificate,
            &args.private_key,
            &args.ca_certificate,
            &args.ca_private_key,
        ];
        if paths.iter().filter(|path| path.as_deref() == Some("-")).count() > 1 {
            return Err(Failure::usage("standard input holds one value; only one flag can be -"));
        }
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

    pub fn parse(self, ui: &Ui, rsa_bits: RsaBits) -> Result<SecretInputs, Failure> {
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
            rsa_bits,
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

/// Brings what was given into the form that every server reads. What cannot be read stays as it is, and is found by the
/// checks.
fn canonical((chain, key): (SecretBytes, SecretBytes)) -> (SecretBytes, SecretBytes) {
    let chain =
        CertificateChain::parse(chain.expose()).map_or(chain, |parsed| SecretBytes::from(parsed.to_pem().into_bytes()));
    let key = TlsPrivateKey::parse(key.expose()).map_or(key, |parsed| parsed.pem().to_bytes());
    (chain, key)
}

/// Warns of a password that reaches PostgreSQL changed, from MAS or from others.
fn warn_of_changes(ui: &Ui, password: &PostgresPassword) {
    if saslprep_changes(password.value().expose()) {
        ui.warning(
            "the database password has characters that SASLprep (RFC 4013) changes: psql and PostgreSQL use the changed one, MAS sends the \
             bytes as they are and is refused. Choose a password of ASCII letters and digits",
        );
    }
    if password.has_white_space_at_an_end() {
        ui.warning(
            "the database password begins or ends with white space, which MAS removes when it reads it from a file",
        );
    }
}

pub fn ask_password(session: &Session, settings: &MasSettings) -> Result<PostgresPassword, Failure> {
    let question = format!("Password of role {} at {}:", settings.database.user, settings.database.host);
    let typed = session.ui().password(&question);
    let typed = typed.map_err(|error| Failure::unanswered(error, "--database-password-file FILE|-"))?;
    session.ui().detail(1, Line::new().text("the password was taken from the terminal"));
    let password = PostgresPassword::parse(typed.as_bytes()).map_err(|error| Failure::usage(error.to_string()))?;
    warn_of_changes(session.ui(), &password);
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{HostName, TlsKeyType};

    #[test]
    fn what_is_given_is_brought_into_one_form_and_stays_the_same_certificate() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let host = HostName::parse("auth.example.com").unwrap();
        let ca = CertificateAuthority::create(&host, TlsKeyType::P256, now).unwrap();
        let issued = ca.issue(&host, TlsKeyType::P256, now).unwrap();
        let (chain, key) = (issued.chain.to_pem(), issued.key.pem().expose().to_owned());
        let untidy = |text: &str| SecretBytes::from(format!("a note\n{}", text.replace('\n', "\r\n")).as_bytes());
        let tidy = canonical((untidy(&chain), untidy(&key)));
        assert_eq!(tidy.0.expose(), chain.as_bytes());
        assert_eq!(tidy.1.expose(), key.as_bytes());
        let noted = |text: &str| SecretBytes::from(format!("a note\n{text}\n").as_bytes());
        assert_eq!(canonical((noted(&chain), noted(&key))), tidy, "what servers can read is written anew as well");
        let broken = (SecretBytes::from(&b"x"[..]), SecretBytes::from(&b"y"[..]));
        assert_eq!(canonical(broken.clone()), broken);
    }
}
