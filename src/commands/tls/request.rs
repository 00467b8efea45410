//! `tls request`: a key, and the request to a company's CA to certify it for the MAS host.

use super::files::{NewFile, path_in, write_all};
use super::host;
use super::written::{self, Holds, Written};
use crate::cli::TlsRequestArgs;
use crate::cluster::shell_word;
use crate::error::{Exit, Failure};
use crate::terminal::{Next, Ui};
use crate::x509::CertificateRequest;

pub fn exec(ui: &Ui, args: &TlsRequestArgs) -> Result<Exit, Failure> {
    let files = &args.files;
    let host = host(&files.host)?;
    let request = CertificateRequest::create(&host, files.key_type)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let path = |ending: &str| path_in(&files.out, &format!("{host}{ending}"));
    let (request_at, key_at) = (path(".csr"), path(".key"));
    write_all(
        &[
            NewFile { path: key_at.clone(), contents: request.key.pem().expose().as_bytes(), private: true },
            NewFile { path: request_at.clone(), contents: request.pem.as_bytes(), private: false },
        ],
        files.force,
    )?;
    let fingerprint = request.key.fingerprint();
    let shown = |path: &std::path::Path| path.display().to_string();
    let written = [
        Written { path: shown(&request_at), holds: Holds::Request, fingerprint },
        Written { path: shown(&key_at), holds: Holds::PrivateKey, fingerprint },
    ];
    written::print(ui, args.output.format, &host, None, &written)?;
    ui.status("");
    ui.status(format!(
        "Send {} to the CA and ask for a TLS server certificate in PEM, with its intermediates. The key stays here.",
        shown(&request_at)
    ));
    let (certificate, key) = (shell_word(&shown(&path(".crt"))), shell_word(&shown(&key_at)));
    ui.next(
        &Next::new(format!("When the certificate is here, for example as {certificate}, check it and use it:"))
            .command(format!("kubectl ess-mas tls check --host {host} --certificate {certificate} --private-key {key}"))
            .command(format!(
                "kubectl ess-mas prepare --host {host} --tls certfile --certificate {certificate} --private-key {key}"
            )),
    );
    Ok(Exit::Done)
}
