//! Which files were written: the data of `tls issue` and `tls request`.

use jiff::Timestamp;
use serde::Serialize;

use crate::secrets::Fingerprint;

use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{OutputError, OutputFormat, Ui};
use crate::x509::HostName;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Holds {
    /// The host's certificate, followed by those of its issuers.
    Certificate,
    PrivateKey,
    CaCertificate,
    CaPrivateKey,
    Request,
}

impl Holds {
    fn words(self) -> &'static str {
        match self {
            Self::Certificate => "certificate and its issuers",
            Self::PrivateKey => "private key; keep it secret",
            Self::CaCertificate => "certificate of the CA, for every device",
            Self::CaPrivateKey => "private key of the CA; keep it secret and offline",
            Self::Request => "certificate signing request, for the CA",
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    pub path: String,
    pub holds: Holds,
    /// Of the certificate, or of the public key that belongs to the key or the request.
    pub fingerprint: Fingerprint,
}

/// All of them. `-o json` prints this tree.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    api_version: &'static str,
    kind: &'static str,
    host: &'a str,
    not_after: Option<Timestamp>,
    files: &'a [Written],
}

/// Prints the files; `not_after` is until when the certificate is valid.
pub fn print(
    ui: &Ui,
    format: OutputFormat,
    host: &HostName,
    not_after: Option<Timestamp>,
    files: &[Written],
) -> Result<(), OutputError> {
    if format.is_data() {
        let report = Report { api_version: "ess-mas/v1", kind: "TlsFiles", host: host.as_str(), not_after, files };
        return ui.data(format, &report);
    }
    let mut table = Table::new([Column::new("File"), Column::new("Holds"), Column::new("Fingerprint")]);
    for file in files {
        let print =
            if format == OutputFormat::Wide { format!("{:#}", file.fingerprint) } else { file.fingerprint.to_string() };
        table.row([Cell::copyable(&file.path), Cell::from(file.holds.words()), Cell::copyable(print)]);
    }
    ui.table(&table, format == OutputFormat::Wide)
}
