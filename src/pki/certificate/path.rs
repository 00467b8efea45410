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
    /// Another certificate of a CA on the path, for the same key, from another issuer: clients may take either way.
    pub(super) alternative: Option<usize>,
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
        let mut unrelated: Vec<usize> = (0..chain.len()).filter(|index| !certificates.contains(index)).collect();
        let alternative = take_other_way(chain, &certificates, &mut unrelated);
        Self { out_of_order: !certificates.is_sorted(), certificates, unrelated, alternative, broken }
    }
}

/// Takes cross-signed certificates, and their issuers, out of those that are not related, and gives back the first.
fn take_other_way(chain: &[Certificate], path: &[usize], unrelated: &mut Vec<usize>) -> Option<usize> {
    let crossed = |index: &usize| {
        let one = &chain[*index];
        path[1..]
            .iter()
            .map(|at| &chain[*at])
            .any(|on_path| on_path.subject == one.subject && on_path.key == one.key && on_path.issuer != one.issuer)
    };
    let first = *unrelated.iter().find(|index| crossed(index))?;
    let mut way: Vec<usize> = unrelated.iter().copied().filter(|index| crossed(index)).collect();
    while let Some(next) = unrelated
        .iter()
        .find(|index| !way.contains(index) && way.iter().any(|at| chain[*at].issuer == chain[**index].subject))
    {
        way.push(*next);
    }
    unrelated.retain(|index| !way.contains(index));
    Some(first)
}
