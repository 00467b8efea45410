//! `tls check --live`: what answers at the host now.

use crate::checks::{Finding, certificate};
use crate::cli::TlsCheckArgs;
use crate::error::Failure;
use crate::net::tls::{self, ProbeError};
use crate::net::trust::Roots;
use crate::session::Context;
use crate::session::certificate::judge;
use crate::session::inputs::{read_resolve, read_roots};
use crate::x509::HostName;

pub async fn look(context: &Context, args: &TlsCheckArgs, host: &HostName) -> Result<Vec<Finding>, Failure> {
    let (port, address) = match &args.resolve {
        None => (443, None),
        Some(text) => {
            let resolve = read_resolve(text)?;
            if resolve.host != host.as_str() {
                return Err(Failure::usage(format!("--resolve is about {}, but --host is {host}", resolve.host)));
            }
            (resolve.port, Some(resolve.address))
        }
    };
    let given = args.ca_certificate.as_deref().map(read_roots).transpose()?;
    let presented = match tls::presented(host, port, address).await {
        Ok(presented) => presented,
        Err(error) => {
            let answers = matches!(error, ProbeError::NoHandshake(..));
            return Ok(vec![certificate::endpoint(host, &error.to_string(), answers)]);
        }
    };
    let subject = format!("{host} at {}", presented.address);
    let (system, roots) = (given.is_none(), given.or_else(Roots::of_system));
    let now = context.ui.terminal().now();
    Ok(judge(&subject, &presented.certificates, host, roots.as_ref(), system, now))
}
