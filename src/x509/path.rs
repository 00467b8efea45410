//! The path from the server's certificate to its last known issuer.

use jiff::Timestamp;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use webpki::{ALL_VERIFICATION_ALGS, RawPublicKeyEntity};
use x509_parser::{
    asn1_rs::{Any, FromDer as _},
    certificate::X509Certificate,
    public_key::PublicKey,
};

use super::chain::{is_expired, is_self_issued};
use crate::x509::keys::bit_length;

/// The relations between a chain's certificates, as indices.
pub(super) struct Path {
    /// From the leaf upwards.
    pub(super) certificates: Vec<usize>,
    pub(super) out_of_order: bool,
    pub(super) unrelated: Vec<usize>,
    /// A cross-signed certificate of a CA on the path: same key, other issuer. Clients may use either.
    pub(super) alternative: Option<usize>,
    /// A certificate, and one with its issuer's name that did not sign it.
    pub(super) broken: Option<(usize, usize)>,
}

impl Path {
    /// Goes from the certificate at `leaf` to the last issuer in the chain. If an issuer has expired at `now`, prefers another
    /// path to a root, as clients do. A signature that can't be checked counts as valid.
    pub(super) fn of(chain: &[X509Certificate<'_>], leaf: usize, now: Timestamp) -> Self {
        let mut certificates = vec![leaf];
        let mut broken = None;
        let mut current = leaf;
        while !is_self_issued(&chain[current]) {
            let candidates: Vec<_> = issuers(chain, current, &certificates).collect();
            let Some(next) = candidates.iter().find(|index| may_have_signed(chain, **index, current)) else {
                broken = candidates.first().map(|impostor| (current, *impostor));
                break;
            };
            certificates.push(*next);
            current = *next;
        }
        let mut valid = vec![leaf];
        if certificates[1..].iter().any(|index| is_expired(&chain[*index], now))
            && climb(chain, &mut valid, now, &mut MOST_SIGNATURES.clone())
        {
            (certificates, broken) = (valid, None);
        }
        let mut unrelated: Vec<usize> = (0..chain.len()).filter(|index| !certificates.contains(index)).collect();
        let alternative = take_cross_signed(chain, &certificates, &mut unrelated);
        Self { out_of_order: !certificates.is_sorted(), certificates, unrelated, alternative, broken }
    }
}

/// Limit of signature checks for another path; a file may have any number of certificates with one name.
const MOST_SIGNATURES: u32 = 100;

/// Extends `path` with unexpired certificates up to a root, or to one whose issuer is not in the chain. Whether such a path
/// exists.
fn climb(chain: &[X509Certificate<'_>], path: &mut Vec<usize>, now: Timestamp, left: &mut u32) -> bool {
    let current = path[path.len() - 1];
    let candidates: Vec<_> = issuers(chain, current, path).collect();
    if is_self_issued(&chain[current]) || candidates.is_empty() {
        return true;
    }
    for next in candidates.into_iter().filter(|index| !is_expired(&chain[*index], now)) {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        if may_have_signed(chain, next, current) {
            path.push(next);
            if climb(chain, path, now, left) {
                return true;
            }
            path.pop();
        }
    }
    false
}

/// The certificates outside of `path` with the name of the issuer of `current`.
fn issuers(chain: &[X509Certificate<'_>], current: usize, path: &[usize]) -> impl Iterator<Item = usize> {
    let issuer = chain[current].issuer().as_raw();
    (0..chain.len()).filter(move |index| !path.contains(index) && chain[*index].subject().as_raw() == issuer)
}

fn may_have_signed(chain: &[X509Certificate<'_>], issuer: usize, certificate: usize) -> bool {
    is_signed_by(&chain[certificate], &chain[issuer]) != Some(false)
}

/// Removes cross-signed certificates and their issuers from `unrelated`, and returns the first.
fn take_cross_signed(chain: &[X509Certificate<'_>], path: &[usize], unrelated: &mut Vec<usize>) -> Option<usize> {
    let crossed = |index: &usize| {
        let one = &chain[*index];
        path[1..].iter().map(|at| &chain[*at]).any(|on_path| {
            on_path.subject().as_raw() == one.subject().as_raw()
                && on_path.public_key().raw == one.public_key().raw
                && on_path.issuer().as_raw() != one.issuer().as_raw()
        })
    };
    let mut way: Vec<usize> = unrelated.iter().copied().filter(crossed).collect();
    let first = *way.first()?;
    let leads_on = |index: &usize, way: &[usize]| {
        way.iter().any(|at| chain[*at].issuer().as_raw() == chain[*index].subject().as_raw())
    };
    while let Some(next) = unrelated.iter().find(|index| !way.contains(index) && leads_on(index, &way)) {
        way.push(*next);
    }
    unrelated.retain(|index| !way.contains(index));
    Some(first)
}

/// Whether rustls verifies `certificate`'s signature with `issuer`'s key; `None` for an unsupported algorithm or a small RSA
/// key.
///
/// x509-parser's verification lacks P-521, and rejects PSS signatures with a salt of another length than the hash, which is
/// openssl's default.
pub(super) fn is_signed_by(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Option<bool> {
    if matches!(issuer.public_key().parsed(), Ok(PublicKey::RSA(key)) if bit_length(key.modulus) < 2048) {
        return None;
    }
    let key = SubjectPublicKeyInfoDer::from(issuer.public_key().raw);
    let key = RawPublicKeyEntity::try_from(&key).ok()?;
    // Certificate ::= SEQUENCE { toBeSigned, algorithm, signature }; webpki knows algorithms by the content of the second.
    let (_, whole) = Any::from_der(certificate.as_raw()).ok()?;
    let (rest, _) = Any::from_der(whole.data).ok()?;
    let (_, algorithm) = Any::from_der(rest).ok()?;
    let mut known =
        ALL_VERIFICATION_ALGS.iter().filter(|one| one.signature_alg_id().as_ref() == algorithm.data).peekable();
    known.peek()?;
    let (signed, signature) = (certificate.tbs_certificate.as_ref(), &certificate.signature_value.data);
    Some(known.any(|one| key.verify_signature(*one, signed, signature).is_ok()))
}
