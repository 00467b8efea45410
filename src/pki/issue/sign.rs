//! Signing a certificate with the issuer's name exactly as the issuer's certificate has it.
//!
//! Clients compare the two names byte by byte. rcgen builds names from a map of one value for each attribute, so it cannot
//! repeat the name of every CA: one with two organizational units or two domain components, as company CAs have, would lose
//! one of them. Hence rcgen writes the certificate, and the issuer's name is put in before it is signed for good.

use rcgen::{CertificateParams, DistinguishedName, Issuer, KeyIdMethod, SigningKey as _};

use crate::pki::{
    Certificate, TlsPrivateKey,
    certificate::split_at_issuer,
    der::{SEQUENCE, whole_sequence},
};

const BIT_STRING: u8 = 0x03;

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
        issuer.key_identifier_method = KeyIdMethod::PreSpecified(identifier.to_vec());
    }
    let draft = params.signed_by(key, &Issuer::from_params(&issuer, ca_key)).ok()?;

    // Certificate ::= SEQUENCE { toBeSigned SEQUENCE, algorithm SEQUENCE, signature BIT STRING }
    let mut fields = whole_sequence(draft.der())?;
    let to_be_signed = fields.element(SEQUENCE)?;
    let algorithm = fields.element(SEQUENCE)?;
    let (before, after) = split_at_issuer(to_be_signed)?;
    let to_be_signed = element(SEQUENCE, &[before, ca.subject_der(), after]);
    let signature = ca_key.sign(&to_be_signed).ok()?;
    let algorithm = element(SEQUENCE, &[algorithm]);
    // A bit string begins with the number of its unused bits.
    let signature = element(BIT_STRING, &[&[0], &signature]);
    Certificate::from_der(&element(SEQUENCE, &[&to_be_signed, &algorithm, &signature]))
}

/// One DER element around the parts.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    if let Ok(length @ 0..0x80) = u8::try_from(content.len()) {
        der.push(length);
    } else {
        let length = content.len().to_be_bytes();
        let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
        der.push(0x80 | u8::try_from(length.len()).expect("a length has at most eight bytes"));
        der.extend(length);
    }
    der.extend(content);
    der
}
