//! Signing a certificate with the issuer's name exactly as the issuer's certificate has it.
//!
//! Clients compare the two names byte by byte. rcgen builds names from a map of one value for each attribute, so it cannot
//! repeat the name of every CA: one with two organizational units or two domain components, as company CAs have, would lose
//! one of them. Hence rcgen writes the certificate, and the issuer's name is put in before it is signed for good.

use rcgen::{CertificateParams, DistinguishedName, Issuer, KeyIdMethod, SigningKey as _};
use x509_parser::asn1_rs::{Any, BitString, FromDer as _, Sequence, ToDer as _};

use crate::x509::certificate::Certificate;
use crate::x509::tls_key::TlsPrivateKey;

/// A certificate for `key` as `params` describe it, signed by `ca`; `None` where something on the way is not supported.
pub(super) fn sign(
    params: &CertificateParams,
    key: &TlsPrivateKey,
    ca: &Certificate,
    ca_key: &TlsPrivateKey,
) -> Option<Certificate> {
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = DistinguishedName::new();
    if let Some(identifier) = ca.key_identifier() {
        issuer.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    }
    let draft = params.signed_by(key.pair(), &Issuer::from_params(&issuer, ca_key.pair())).ok()?;

    // Certificate ::= SEQUENCE { toBeSigned SEQUENCE { version, serial number, algorithm, issuer, … }, algorithm, signature }
    let (_, draft) = Any::from_der(draft.der()).ok()?;
    let (rest, to_be_signed) = Any::from_der(draft.data).ok()?;
    let (signature, _) = Any::from_der(rest).ok()?;
    let algorithm = &rest[..rest.len() - signature.len()];
    let mut after = to_be_signed.data;
    for _ in 0..3 {
        after = Any::from_der(after).ok()?.0;
    }
    let before = &to_be_signed.data[..to_be_signed.data.len() - after.len()];
    let (after, _) = Any::from_der(after).ok()?;

    let to_be_signed = sequence(&[before, ca.x509().subject().as_raw(), after])?;
    let signature = BitString::new(0, &ca_key.pair().sign(&to_be_signed).ok()?).to_der_vec().ok()?;
    Certificate::from_der(&sequence(&[&to_be_signed, algorithm, &signature])?)
}

fn sequence(parts: &[&[u8]]) -> Option<Vec<u8>> {
    Sequence::new(parts.concat().into()).to_der_vec().ok()
}
