//! Describes why a connection failed: the causes of an error, and what is wrong with a certificate.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// Describes what is wrong with a certificate, to complete "the certificate …"; `another_name` is the text for a certificate
/// of another host.
pub fn complaint(error: &CertificateError, another_name: &str) -> String {
    let words = match error {
        CertificateError::UnknownIssuer => "is signed by a CA that this machine doesn't trust",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet (or this machine's clock is wrong)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => another_name,
        CertificateError::BadSignature => "has a signature that doesn't match the trusted CA",
        other => return format!("is refused: {other}"),
    };
    words.to_owned()
}

/// The first error of this type among an error and its causes.
pub fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|one| one.downcast_ref())
}

/// An error and its causes, including those inside I/O errors, which `source` leaves out.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |one: &&'a (dyn Error + 'static)| {
        let one: &'a (dyn Error + 'static) = *one;
        match one.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => one.source(),
        }
    })
}

/// Makes a server's text safe for a terminal: one line, no control characters, at most `longest` characters.
pub fn one_line(text: &str, longest: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// The message of an I/O error without its number.
pub fn plain(error: &dyn Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}
