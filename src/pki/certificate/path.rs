//! Finding the way from the server's certificate up through the ones that came with it.

use super::{Certificate, signature::is_signed_by};

/// How the certificates of a chain hang together, as indices into it.
pub(super) struct Path {
    /// From the leaf upwards; starts with the leaf.
    pub(super) certificates: Vec<usize>,
    /// Those that belong to the path but do not stand in its order.
    pub(super) out_of_order: bool,
    /// Those that are not part of the path.
    pub(super) unrelated: Vec<usize>,
    /// A certificate and one that has its issuer's name, but did not sign it.
    pub(super) broken: Option<(usize, usize)>,
}

impl Path {
    /// Walks from the certificate at `leaf` to the last issuer that is there. A signature that cannot be checked counts as right.
    pub(super) fn of(chain: &[Certificate], leaf: usize) -> Self {
        let mut certificates = vec![leaf];
        let mut broken = None;
        loop {
            let current = certificates[certificates.len() - 1];
            if chain[current].is_self_issued() {
                break;
            }
            let candidates: Vec<_> = (0..chain.len())
                .filter(|index| !certificates.contains(index) && chain[*index].subject == chain[current].issuer)
                .collect();
            let signed = |index: &&usize| is_signed_by(&chain[current], &chain[**index]) != Some(false);
            match (candidates.iter().find(signed), candidates.first()) {
                (Some(next), _) => certificates.push(*next),
                (None, Some(impostor)) => {
                    broken = Some((current, *impostor));
                    break;
                }
                (None, None) => break,
            }
        }
        let unrelated = (0..chain.len()).filter(|index| !certificates.contains(index)).collect();
        Self { out_of_order: !certificates.is_sorted(), certificates, unrelated, broken }
    }
}
