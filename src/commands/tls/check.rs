//! `tls check`: is this certificate, with its key and chain, good for the MAS host? Changes nothing.

use super::host;
use super::live;
use crate::checks::certificate::{self, Stored};
use crate::checks::{Finding, Known};
use crate::cli::TlsCheckArgs;
use crate::cluster::Cluster;
use crate::commands::check::conclude;
use crate::error::{Exit, Failure};
use crate::plan::SecretContents;
use crate::secrets::SecretBytes;
use crate::session::Context;
use crate::session::inputs::read_file;
use crate::terminal::Next;
use crate::x509::HostName;

pub async fn exec(context: &Context, args: &TlsCheckArgs) -> Result<Exit, Failure> {
    let host = host(&args.host)?;
    let findings = if let Some(certificate) = &args.certificate {
        of_files(context, certificate, args.private_key.as_deref(), &host)?
    } else if let Some(secret) = &args.secret {
        of_secret(context, secret, &host).await?
    } else {
        live::look(context, args, &host).await?
    };
    let code = conclude(&context.ui, args.output.format, None, &findings)?;
    if code == Exit::Done && args.certificate.is_some() && args.private_key.is_none() {
        context
            .ui
            .next(&Next::new("Whether its private key fits was not looked at; pass --private-key FILE for that."));
    }
    Ok(code)
}

fn of_files(
    context: &Context,
    certificate: &str,
    private_key: Option<&str>,
    host: &HostName,
) -> Result<Vec<Finding>, Failure> {
    if certificate == "-" && private_key == Some("-") {
        return Err(Failure::usage("standard input holds one file; only one flag can be -"));
    }
    let chain = read_file("--certificate", certificate)?;
    let key = private_key.map(|path| read_file("--private-key", path)).transpose()?;
    let now = context.ui.terminal().now();
    let subject = if certificate == "-" { "standard input" } else { certificate };
    Ok(certificate::certificate(subject, chain.expose(), key.as_ref().map(SecretBytes::expose), host, now))
}

/// A Secret with the keys of `kubernetes.io/tls`, or with those of TLS mode `certfile`.
async fn of_secret(context: &Context, name: &str, host: &HostName) -> Result<Vec<Finding>, Failure> {
    let cluster = Cluster::connect(&context.flags).await?;
    let namespace = cluster.namespace();
    let subject = format!("Secret {name} in {namespace}");
    let found = cluster.find_secret(namespace, name).await?;
    let now = context.ui.terminal().now();
    let Some(contents) = found.map(SecretContents::read) else {
        return Ok(vec![certificate::missing(&subject, "it does not exist")]);
    };
    let stored = Stored::find(&contents);
    Ok(certificate::stored(&subject, Known::Known(Some(&contents)), &stored, host, now))
}
