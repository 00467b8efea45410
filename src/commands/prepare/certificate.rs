//! The certificate that `prepare` writes to the Secret: given as files, or issued.

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

/// Reports findings that need no acceptance in `prepare`, because nothing uses the certificate yet, and returns the others.
///
/// These are a Secret that doesn't exist yet, warnings about the given certificate, and a shared issuer that can't be read.
pub fn report_deferrable(preparation: &Preparation<'_>, found: Vec<Finding>) -> Vec<Finding> {
    let settings = preparation.settings;
    let can_wait = |finding: &Finding| match finding.code {
        codes::CERTIFICATE_MISSING => true,
        codes::CLUSTER_ISSUER => is_shared_issuer_unread(finding, settings),
        _ => finding.severity == Severity::Warning,
    };
    let (later, now): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(can_wait);
    // In mode certfile, the plan of the Secret reports missing files.
    let said = |finding: &&Finding| finding.code != codes::CERTIFICATE_MISSING || settings.tls != Tls::Certfile;
    for finding in later.iter().filter(said) {
        preparation.ui().warning(format!("{}: {}", finding.subject, finding.message));
        if let Some(remedy) = &finding.remedy {
            preparation.ui().status(format!("  {remedy}"));
        }
    }
    now
}

/// Refuses a given certificate in TLS modes that don't use it.
pub fn refuse_unused(preparation: &Preparation<'_>, files: &InputFiles) -> Result<(), Failure> {
    let Preparation { snapshot, settings, keys, .. } = preparation;
    let source = CertificateSource::of(settings, &snapshot.deployment, keys);
    if files.certificate.is_none() || matches!(source, CertificateSource::Component { .. }) {
        return Ok(());
    }
    Err(Failure::usage("--certificate and --private-key require --tls certfile; nothing was changed"))
}

/// `--tls issue`: issues a certificate if the Secret has none or `--replace` names it. Writes nothing.
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
            return Err(Failure::failed(format!("Secret {name} can't be read: {why}; nothing was changed")));
        }
    };
    let (there, missing): (Vec<_>, Vec<_>) =
        pair.into_iter().partition(|key| present.as_ref().is_some_and(|(secret, _)| secret.data.contains_key(*key)));
    let replace = format!("--replace {},{}", keys.certificate, keys.private_key);
    match (pair.iter().any(|key| files.replace.contains(key)), &there[..], &missing[..]) {
        // A new certificate has a new key: replace both or neither.
        (true, ..) => {
            let more = there.into_iter().filter(|key| !files.replace.contains(key)).cloned().collect::<Vec<_>>();
            files.replace.extend(more);
        }
        (false, [], _) => {}
        (false, _, []) => {
            session.ui().warning(format!(
                "Secret {name} already has a certificate, which is kept; to issue a new one, pass {replace}"
            ));
            return Ok(None);
        }
        (false, ..) => {
            return Err(Failure::usage(format!(
                "Secret {name} has only one of {} and {}; nothing was changed. To issue both, pass {replace}",
                keys.certificate, keys.private_key
            )));
        }
    }
    let host = host(&settings.host)?;
    let ca = files.ca.take();
    if ca.is_none() {
        refuse_old_files(&host)?;
    }
    let issued = Issued::new(host, TlsKeyType::default(), ca, session.ui())?;
    let chain = SecretBytes::from(issued.certificate.chain.to_pem().as_bytes());
    files.certificate = Some((chain, issued.certificate.key.pem.to_bytes()));
    Ok(Some(issued))
}

/// Refuses to create a second CA: devices may already trust the existing one.
fn refuse_old_files(host: &HostName) -> Result<(), Failure> {
    let (certificate, key) = (format!("{host}-ca.crt"), format!("{host}-ca.key"));
    if [&certificate, &key].iter().all(|path| Path::new(path).symlink_metadata().is_err()) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{certificate} or {key} already exists; nothing was changed. To use this CA, pass --ca-certificate {certificate} \
         --ca-private-key {key}; for a new CA, move the files first"
    )))
}
