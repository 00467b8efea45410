//! The certificate that `prepare` puts into the Secret: given as files, or issued now.

use std::path::Path;

use super::super::shared::key_files::{Issued, host};
use super::inputs::InputFiles;
use super::preparation::Preparation;
use crate::checks::tls::CertificateSource;
use crate::checks::{Finding, Known, Severity, codes};
use crate::cli::{PrepareArgs, TlsChoice};
use crate::error::Failure;
use crate::plan::Tls;
use crate::secrets::SecretBytes;
use crate::session::certificate::{is_shared_issuer_unread, secret};
use crate::x509::{HostName, TlsKeyType};

/// What weighs less at `prepare` than elsewhere, because nothing uses the certificate yet: it is told, and holds nothing up.
///
/// A Secret that is still to be made belongs to what is left to do by hand; a certificate with its weaknesses was chosen by
/// whoever gave it (`tls check` weighs them); and an issuer that all components share is not in doubt because this person may not read it.
pub fn tell_what_can_wait(preparation: &Preparation<'_>, found: Vec<Finding>) -> Vec<Finding> {
    let settings = preparation.settings;
    let can_wait = |finding: &Finding| match finding.code {
        codes::CERTIFICATE_MISSING => true,
        codes::CLUSTER_ISSUER => is_shared_issuer_unread(finding, settings),
        _ => finding.severity == Severity::Warning,
    };
    let (later, now): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(can_wait);
    // Without the files that mode certfile needs, the Secret cannot be planned, and that is said there.
    let said = |finding: &&Finding| finding.code != codes::CERTIFICATE_MISSING || settings.tls != Tls::Certfile;
    for finding in later.iter().filter(said) {
        preparation.ui().warning(format!("{}: {}", finding.subject, finding.message));
        if let Some(remedy) = &finding.remedy {
            preparation.ui().status(format!("  {remedy}"));
        }
    }
    now
}

/// A certificate is kept in the Secret in TLS mode `certfile` only; in any other mode nobody would use the one that was given.
pub fn refuse_unused(preparation: &Preparation<'_>, files: &InputFiles) -> Result<(), Failure> {
    let Preparation { snapshot, settings, keys, .. } = preparation;
    let source = CertificateSource::of(settings, &snapshot.deployment, keys);
    if files.certificate.is_none() || matches!(source, CertificateSource::Component { .. }) {
        return Ok(());
    }
    Err(Failure::usage("--certificate and --private-key go with --tls certfile; nothing was changed"))
}

/// `--tls issue`: issues a certificate if the Secret has none yet, or if it is replaced by name. Nothing is written yet.
pub async fn issue(
    preparation: &Preparation<'_>,
    args: &PrepareArgs,
    files: &mut InputFiles,
) -> Result<Option<Issued>, Failure> {
    if args.tls != Some(TlsChoice::Issue) {
        return Ok(None);
    }
    let Preparation { session, settings, keys, .. } = preparation;
    let name = &settings.secret_name;
    let pair = [&keys.certificate, &keys.private_key];
    let present = match secret(session, name).await {
        Known::Known(present) => present,
        Known::Unreadable(why) => {
            let text = format!("Secret {name} has to be read before anything is written to it: {why}");
            return Err(Failure::failed(text));
        }
    };
    let there = |key: &&String| present.as_ref().is_some_and(|(secret, _)| secret.data.contains_key(*key));
    let replaced = pair.iter().any(|key| files.replace.contains(key));
    if pair.iter().all(there) && !replaced {
        let [certificate, private_key] = pair;
        session.ui().warning(format!(
            "Secret {name} has a certificate already, which is kept; to issue a new one pass --replace {certificate},{private_key}"
        ));
        return Ok(None);
    }
    // A new certificate comes with a new key: both or neither.
    for key in pair.into_iter().filter(there) {
        if !replaced {
            let [certificate, private_key] = pair;
            return Err(Failure::usage(format!(
                "Secret {name} has one of {certificate} and {private_key} but not the other; nothing was changed. To issue both anew pass \
                 --replace {certificate},{private_key}"
            )));
        }
        if !files.replace.contains(key) {
            files.replace.push(key.clone());
        }
    }
    let host = host(&settings.host)?;
    let ca = files.ca.take();
    if ca.is_none() {
        refuse_old_files(&host)?;
    }
    let issued = Issued::new(host, TlsKeyType::default(), ca, session.ui())?;
    let chain = SecretBytes::from(issued.certificate.chain.to_pem().as_bytes());
    files.certificate = Some((chain, issued.certificate.key.pem().to_bytes()));
    Ok(Some(issued))
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
