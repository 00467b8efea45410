//! The certificate that `prepare` puts into the Secret: given as files, or issued now.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::inputs::Given;
use crate::checks::tls::CertificateSource;
use crate::checks::{Finding, Known, Severity, codes};
use crate::cli::{PrepareArgs, TlsChoice};
use crate::commands::tls::issue::{self, Issued};
use crate::error::{Exit, Failure};
use crate::plan::{MasSettings, SecretKeys, Tls};
use crate::secrets::SecretBytes;
use crate::session::Session;
use crate::session::certificate::secret;
use crate::x509::{CertificateChain, HostName, TlsKeyType, TlsPrivateKey};

/// A certificate that was issued in this run. Its CA is not on disk before it is [kept](Self::keep).
pub struct Fresh {
    issued: Issued,
    host: HostName,
}

impl Fresh {
    /// Says what the certificate is and what its CA means: before the question whether it is to be used.
    pub fn explain(&self, session: &Session) {
        let files = issue::files(&self.issued, &self.host, ".", false);
        issue::explain(session.ui(), &self.host, &self.issued, &files, session.ui().terminal().now());
    }

    /// The files of a new CA, to be written together with what uses it: path, PEM, and whether it is a key.
    pub fn files(&self) -> Vec<(PathBuf, Cow<'_, str>, bool)> {
        issue::ca_files(&self.issued, &self.host)
    }

    /// Writes the files of a new CA into the current folder. Before the Secret: a certificate whose CA nobody has would be of
    /// no use.
    pub fn keep(&self, session: &Session) -> Result<(), Failure> {
        issue::write(&self.issued, &self.host, ".", false, false)?;
        for file in issue::files(&self.issued, &self.host, ".", false) {
            session.ui().status(format!("{} written.", file.path));
        }
        Ok(())
    }
}

/// Brings what was given into the form that every server reads. What cannot be read stays as it is, and is found by the
/// checks.
pub fn canonical((chain, key): (SecretBytes, SecretBytes)) -> (SecretBytes, SecretBytes) {
    let chain =
        CertificateChain::parse(chain.expose()).map_or(chain, |parsed| SecretBytes::from(parsed.to_pem().into_bytes()));
    let key = TlsPrivateKey::parse(key.expose()).map_or(key, |parsed| parsed.pem().to_bytes());
    (chain, key)
}

/// What weighs less at `prepare` than elsewhere, because nothing uses the certificate yet: it is told, and holds nothing up.
///
/// A Secret that is still to be made belongs to what is left to do by hand; a certificate with its weaknesses was chosen by
/// whoever gave it (`tls check` weighs them); and an issuer that all components share is not in doubt because this person may not read it.
pub fn tell_what_can_wait(session: &Session, settings: &MasSettings, found: Vec<Finding>) -> Vec<Finding> {
    let can_wait = |finding: &Finding| match finding.code {
        codes::CERTIFICATE_MISSING => true,
        codes::CLUSTER_ISSUER => finding.severity == Severity::Unknown && settings.tls == Tls::Inherit,
        code => code.starts_with("certificate-") && finding.severity == Severity::Warning,
    };
    let (later, now): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(can_wait);
    // Without the files that mode certfile needs, the Secret cannot be planned, and that is said there.
    let said = |finding: &&Finding| finding.code != codes::CERTIFICATE_MISSING || settings.tls != Tls::Certfile;
    for finding in later.iter().filter(said) {
        session.ui().warning(format!("{}: {}", finding.subject, finding.message));
        if let Some(remedy) = &finding.remedy {
            session.ui().status(format!("  {remedy}"));
        }
    }
    now
}

/// A certificate is kept in the Secret in TLS mode `certfile` only; in any other mode nobody would use the one that was given.
pub fn refuse_unused(given: &Given, source: &CertificateSource) -> Result<(), Failure> {
    if given.certificate.is_none() || matches!(source, CertificateSource::Component { .. }) {
        return Ok(());
    }
    Err(Failure::usage("--certificate and --private-key go with --tls certfile; nothing was changed"))
}

/// `--tls issue`: issues a certificate if the Secret has none yet, or if it is replaced by name. Nothing is written yet.
pub async fn issue(
    session: &Session,
    settings: &MasSettings,
    keys: &SecretKeys,
    args: &PrepareArgs,
    given: &mut Given,
    replace: &mut Vec<String>,
) -> Result<Option<Fresh>, Failure> {
    if args.tls != Some(TlsChoice::Issue) {
        return Ok(None);
    }
    let pair = [&keys.certificate, &keys.private_key];
    let present = match secret(session, &settings.secret_name).await {
        Known::Known(present) => present,
        Known::Unreadable(why) => {
            let text =
                format!("Secret {} has to be read before anything is written to it: {why}", settings.secret_name);
            return Err(Failure::new(Exit::Failed, text));
        }
    };
    let there = |key: &&String| present.as_ref().is_some_and(|(secret, _)| secret.data.contains_key(*key));
    let replaced = pair.iter().any(|key| replace.contains(key));
    if pair.iter().all(there) && !replaced {
        return Ok(None);
    }
    // A new certificate comes with a new key: both or neither.
    for key in pair.iter().filter(|key| there(key)) {
        if !replace.contains(key) {
            if !replaced {
                return Err(half(settings, keys));
            }
            replace.push((*key).clone());
        }
    }
    let host = HostName::parse(&settings.host).map_err(|error| Failure::usage(format!("--host: {error}")))?;
    let ca = given.ca.take();
    if ca.is_none() {
        refuse_old_files(&host)?;
    }
    let issued = issue::issue(&host, TlsKeyType::default(), ca, session.ui().terminal().now())?;
    let chain = SecretBytes::from(issued.certificate.chain.to_pem().as_bytes());
    given.certificate = Some((chain, issued.certificate.key.pem().to_bytes()));
    Ok(Some(Fresh { issued, host }))
}

/// The Secret has one of the two only; which one is wanted is not for this program to say.
fn half(settings: &MasSettings, keys: &SecretKeys) -> Failure {
    Failure::usage(format!(
        "Secret {} has one of {} and {} but not the other; nothing was changed. To issue both anew pass --replace {},{}",
        settings.secret_name, keys.certificate, keys.private_key, keys.certificate, keys.private_key
    ))
}

/// A CA made here before is the one that devices may know already.
fn refuse_old_files(host: &HostName) -> Result<(), Failure> {
    let (certificate, key) = (format!("{host}-ca.crt"), format!("{host}-ca.key"));
    if [&certificate, &key].iter().all(|path| Path::new(path).symlink_metadata().is_err()) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{certificate} or {key} is here already; nothing was changed. To issue from that CA pass --ca-certificate {certificate} \
         --ca-private-key {key}; for a new one, move them away first"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::CertificateAuthority;

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
