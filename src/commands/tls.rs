//! `tls`: certificates for the MAS host, as files. Writes nothing to the cluster.

use jiff::Timestamp;
use serde_json::json;

use super::shared::key_files::{FileKind, Issued, KeyFile, host, read_ca};
use super::shared::new_files::{NewFile, path_in, write_all};
use super::shared::output::conclude;
use crate::checks::certificate::{self, Stored};
use crate::checks::{Finding, Known};
use crate::cli::{TlsCheckArgs, TlsFileArgs, TlsIssueArgs, TlsRequestArgs};
use crate::cluster::{Cluster, shell_word};
use crate::connection_failure::plain;
use crate::error::{Exit, Failure};
use crate::net::tls::{self, Presented, ProbeError};
use crate::plan::SecretContents;
use crate::secrets::SecretBytes;
use crate::session::certificate::Trusted;
use crate::session::inputs::{one_from_stdin, read_file, read_resolve, read_roots, roots_or_system};
use crate::session::reading::Extent;
use crate::session::{Context, Document, Session};
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Next, OutputFormat, Ui};
use crate::x509::{CertificateChain, HostName, request_certificate};

/// `tls issue`: a certificate for the MAS host, from a new private CA or a given CA.
pub fn issue(ui: &Ui, args: &TlsIssueArgs, host: HostName) -> Result<Exit, Failure> {
    let ca = read_ca(args.ca_certificate.as_deref(), args.ca_private_key.as_deref())?;
    let issued = Issued::new(host.clone(), args.files.key_type, ca, ui)?;
    let files = issued.files(&args.files.out);
    let not_after = issued.certificate.chain.leaf().not_after();
    write(ui, &args.files, args.output.format, &host, Some(not_after), &files)?;
    issued.explain(ui, &args.files.out);
    ui.next(&Next::new("To use it:").command(prepare(&host, &files[0].path, &files[1].path)));
    Ok(Exit::Done)
}

/// `tls request`: a key and a certificate signing request for the MAS host.
pub fn request(ui: &Ui, args: &TlsRequestArgs, host: &HostName) -> Result<Exit, Failure> {
    let out = &args.files.out;
    let (request, key) =
        request_certificate(host, args.files.key_type).map_err(|error| Failure::failed(error.to_string()))?;
    let fingerprint = key.fingerprint();
    let file = |ending: &str, holds, pem: &str| KeyFile::new(out, &format!("{host}{ending}"), holds, fingerprint, pem);
    let files = [file(".csr", FileKind::Request, &request), file(".key", FileKind::PrivateKey, key.pem.expose())];
    write(ui, &args.files, args.output.format, host, None, &files)?;
    let [request, key] = files.map(|file| file.path);
    ui.status("");
    ui.status(format!(
        "Send {request} to the CA. Request a TLS server certificate in PEM with its intermediates. Keep the private key here."
    ));
    let certificate = path_in(out, &format!("{host}.crt")).display().to_string();
    let (word, key_word) = (shell_word(&certificate), shell_word(&key));
    ui.next(
        &Next::new(format!("Save the certificate, for example as {word}. Then check it and use it:"))
            .command(format!("kubectl ess-mas tls check --host {host} --certificate {word} --private-key {key_word}"))
            .command(prepare(host, &certificate, &key)),
    );
    Ok(Exit::Done)
}

/// The host from the flag, else from the deployment or the record.
pub async fn host_of(context: &Context, given: Option<&str>) -> Result<HostName, Failure> {
    if let Some(given) = given {
        return host(given);
    }
    let unknown = |why: &str| Failure::usage(format!("pass --host FQDN: {why}"));
    let session = Session::open(context, None).await;
    let session = session.map_err(|failure| unknown(&failure.message().unwrap_or_default()))?;
    let snapshot = session.gather(Extent::Status).await;
    let place = session.place();
    let Some(settings) = snapshot.settings else {
        return Err(unknown(&format!("{place} has no MAS host, and `kubectl ess-mas prepare` has not stored one")));
    };
    context.ui.status(format!("Using host {}, as configured for {place}.", settings.host));
    host(&settings.host)
}

fn prepare(host: &HostName, certificate: &str, key: &str) -> String {
    let (certificate, key) = (shell_word(certificate), shell_word(key));
    format!("kubectl ess-mas prepare --host {host} --tls certfile --certificate {certificate} --private-key {key}")
}

/// Writes the files, and prints a table of them; `not_after` is the certificate's expiry.
fn write(
    ui: &Ui,
    args: &TlsFileArgs,
    format: OutputFormat,
    host: &HostName,
    not_after: Option<Timestamp>,
    files: &[KeyFile],
) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.out)
        .map_err(|error| Failure::failed(format!("--out: can't create folder {}: {}", args.out, plain(&error))))?;
    let new: Vec<NewFile<'_>> = files.iter().map(KeyFile::to_write).collect();
    write_all(&new, args.force)?;
    if format.is_data() {
        let contents = json!({"host": host.as_str(), "notAfter": not_after, "files": files});
        return Ok(ui.data(format, &Document::new("TlsFiles", contents))?);
    }
    let wide = format == OutputFormat::Wide;
    let mut table = Table::new([Column::new("File"), Column::prose("Holds"), Column::new("Fingerprint")]);
    for file in files {
        let print = if wide { format!("{:#}", file.fingerprint) } else { file.fingerprint.to_string() };
        table.row([Cell::copyable(&file.path), Cell::from(file.holds.words()), Cell::copyable(print)]);
    }
    Ok(ui.table(&table, wide)?)
}

/// `tls check`: findings about a certificate, its key and its chain for the MAS host.
pub async fn check(context: &Context, args: &TlsCheckArgs) -> Result<Exit, Failure> {
    let host = host_of(context, args.host.as_deref()).await?;
    let now = context.ui.terminal.now();
    let given = args.ca_certificate.as_deref().map(read_roots).transpose()?;
    let system = given.is_none();
    let trusted = async |given| Trusted { roots: roots_or_system(given).await, system };
    let findings = if let Some(certificate) = &args.certificate {
        one_from_stdin(&[&args.certificate, &args.private_key])?;
        let chain = read_file("--certificate", certificate)?;
        let key = args.private_key.as_deref().map(|path| read_file("--private-key", path)).transpose()?;
        let subject = if certificate == "-" { "standard input" } else { certificate };
        trusted(given).await.judge(subject, CertificateChain::parse(chain.expose()).ok(), &host, now, |wanted| {
            certificate::certificate(subject, chain.expose(), key.as_ref().map(SecretBytes::expose), wanted)
        })
    } else if let Some(secret) = &args.secret {
        let cluster = Cluster::connect(&context.flags).await?;
        let namespace = &cluster.namespace;
        let subject = format!("Secret {secret} in {namespace}");
        let contents = cluster.find_secret(namespace, secret).await?.map(SecretContents::read);
        let keys = contents.as_ref().map_or_else(Stored::kubernetes, Stored::find);
        let chain = contents.as_ref().and_then(|contents| contents.data.get(&keys.certificate));
        let chain = chain.and_then(|chain| CertificateChain::parse(chain.expose()).ok());
        trusted(given).await.judge(&subject, chain, &host, now, |wanted| {
            certificate::stored(&subject, Known::Known(contents.as_ref()), &keys, wanted)
        })
    } else {
        match presented(args, &host).await? {
            Ok(presented) => {
                let subject = format!("{host} at {}", presented.address);
                trusted(given).await.judge_presented(&subject, &presented.certificates, &host, now)
            }
            Err(error) => {
                // If it doesn't answer, it may answer other clients.
                let answers = matches!(error, ProbeError::NoHandshake(..));
                let name = if answers { "no-tls-endpoint" } else { "no-endpoint" };
                vec![Finding::of(name, host.as_str(), &[("what", &error.to_string())])]
            }
        }
    };
    let code = conclude(&context.ui, args.output.format, None, &findings)?;
    if code == Exit::Done && args.certificate.is_some() && args.private_key.is_none() {
        let hint = "The private key was not checked. To check it, pass --private-key FILE.";
        context.ui.next(&Next::new(hint));
    }
    Ok(code)
}

/// `--live`: the certificates that the host serves.
async fn presented(args: &TlsCheckArgs, host: &HostName) -> Result<Result<Presented, ProbeError>, Failure> {
    let resolve = read_resolve(&args.resolve)?.into_iter().next();
    if let Some(other) = resolve.as_ref().filter(|resolve| resolve.host != host.as_str()) {
        return Err(Failure::usage(format!("--resolve names host {}, but --host is {host}", other.host)));
    }
    let (port, address) = resolve.map_or((443, None), |resolve| (resolve.port, Some(resolve.address)));
    Ok(tls::presented(host, port, address).await)
}
