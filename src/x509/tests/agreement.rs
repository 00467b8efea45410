//! rustls and openssl accept every chain without problems, and each chain that they refuse has a problem.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::*;
use crate::x509::test_support::try_openssl;

/// Independent properties of a generated chain.
#[derive(Debug, Clone)]
struct Spec {
    names: Vec<&'static str>,
    leaf_extended: Option<Extended>,
    leaf_usage: Option<Usage>,
    leaf_is_ca: bool,
    /// Start and end of the validity in days from now, of the leaf and of the intermediate.
    times: [(i64, i64); 2],
    middle_is_ca: Option<BasicConstraints>,
    middle_usage: Option<Usage>,
    middle_extended: Option<Extended>,
    permitted: Option<&'static str>,
    excluded: Option<&'static str>,
    root_length: Option<u8>,
    order: &'static [usize],
}

fn spec() -> impl Strategy<Value = Spec> {
    let name = prop::sample::select(vec![
        "auth.example.com",
        "*.example.com",
        "matrix.example.com",
        "*.auth.example.com",
        "*.com",
    ]);
    let names = prop_oneof![4 => Just(vec!["auth.example.com"]), 2 => prop::collection::vec(name, 0..3)];
    let extended = || {
        prop_oneof![
            6 => Just(Some(Extended::ServerAuth)),
            1 => Just(Some(Extended::ClientAuth)),
            1 => Just(Some(Extended::Any)),
            3 => Just(None),
        ]
    };
    let times = || prop_oneof![8 => Just((-10, 100)), 1 => Just((1, 100)), 1 => Just((-10, -1)), 1 => Just((-10, 5))];
    let basic = prop_oneof![
        6 => Just(Some(BasicConstraints::Unconstrained)),
        2 => Just(Some(BasicConstraints::Constrained(0))),
        1 => Just(None),
    ];
    let leaf_usage =
        prop_oneof![6 => Just(Some(Usage::DigitalSignature)), 1 => Just(Some(Usage::KeyEncipherment)), 2 => Just(None)];
    let middle_usage =
        prop_oneof![6 => Just(Some(Usage::KeyCertSign)), 1 => Just(Some(Usage::DigitalSignature)), 2 => Just(None)];
    let tree = || prop_oneof![4 => Just(None), 1 => prop::sample::select(vec!["example.com", "auth.example.com", "example.org"]).prop_map(Some)];
    let orders: Vec<&[usize]> = vec![&[0, 1], &[0, 1, 2], &[0], &[0, 2, 1], &[1, 0], &[2, 1, 0], &[0, 2]];
    let order = prop_oneof![3 => Just(&[0usize, 1][..]), 2 => prop::sample::select(orders)];
    let root_length = prop_oneof![4 => Just(None), 1 => Just(Some(1)), 1 => Just(Some(0))];
    let leaf = (names, extended(), leaf_usage, prop::bool::weighted(0.1));
    let middle = (basic, middle_usage, extended(), tree(), tree());
    (leaf, middle, [times(), times()], root_length, order).prop_map(|(leaf, middle, times, root_length, order)| Spec {
        names: leaf.0,
        leaf_extended: leaf.1,
        leaf_usage: leaf.2,
        leaf_is_ca: leaf.3,
        times,
        middle_is_ca: middle.0,
        middle_usage: middle.1,
        middle_extended: middle.2,
        permitted: middle.3,
        excluded: middle.4,
        root_length,
        order,
    })
}

/// The root, and the chain that a server sends.
fn build(spec: &Spec) -> (Certificate, CertificateChain) {
    let within = |params: &mut CertificateParams, (from, until): (i64, i64)| {
        params.not_before = time(now() + days(from)).to_datetime();
        params.not_after = time(now() + days(until)).to_datetime();
    };
    let tree = |name: Option<&str>| name.map(|name| GeneralSubtree::DnsName(name.to_owned())).into_iter().collect();
    // The constraints of a root outside of the chain are unknown.
    let length = spec.root_length.filter(|_| spec.order.contains(&2));
    let root = ca("root", None, |params| {
        params.is_ca = IsCa::Ca(length.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
    });
    let middle = make("middle", Some(&root), |params| {
        within(params, spec.times[1]);
        params.is_ca = spec.middle_is_ca.map_or(IsCa::ExplicitNoCa, IsCa::Ca);
        params.key_usages = spec.middle_usage.into_iter().collect();
        params.extended_key_usages = spec.middle_extended.clone().into_iter().collect();
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: tree(spec.permitted),
            excluded_subtrees: tree(spec.excluded),
        });
    });
    let leaf = leaf(Some(&middle), |params| {
        within(params, spec.times[0]);
        names(params, &spec.names);
        params.is_ca = if spec.leaf_is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::NoCa };
        params.key_usages = spec.leaf_usage.into_iter().collect();
        params.extended_key_usages = spec.leaf_extended.clone().into_iter().collect();
    });
    let all = [&leaf.certificate, &middle.certificate, &root.certificate];
    let chain = CertificateChain::of(spec.order.iter().map(|index| all[*index].clone()).collect());
    (root.certificate, chain)
}

/// Whether rustls accepts the chain if it trusts the root.
pub(super) fn rustls_accepts(root: &Certificate, chain: &CertificateChain) -> Result<(), String> {
    let der = |certificate: &Certificate| CertificateDer::from(certificate.der().to_vec());
    let mut roots = RootCertStore::empty();
    roots.add(der(root)).unwrap();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider())).build().unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(now().as_second().try_into().unwrap()));
    let name = ServerName::try_from("auth.example.com").unwrap();
    let others: Vec<_> = chain.certificates[1..].iter().map(der).collect();
    let verdict = verifier.verify_server_cert(&der(chain.leaf()), &others, &name, &[], at);
    verdict.map(|_| ()).map_err(|error| error.to_string())
}

/// Whether openssl accepts the chain if it trusts the root.
pub(super) fn openssl_accepts(root: &Certificate, chain: &CertificateChain) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (root, others) = (file("root.pem", root.to_pem()), file("chain.pem", chain.to_pem()));
    let at = now().as_second().to_string();
    let flags = ["verify", "-attime", &at, "-purpose", "sslserver", "-verify_hostname", "auth.example.com"];
    let output = try_openssl(&[&flags[..], &["-CAfile", &root, "-untrusted", &others, &others]].concat(), b"");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Warnings about chains that some clients refuse, or accept only with further certificates.
const SAID_WITH_A_WARNING: [&str; 2] = ["certificate-is-ca", "certificate-chain-incomplete"];

fn compare(spec: &Spec, accepts: impl Fn(&Certificate, &CertificateChain) -> Result<(), String>) {
    let (root, chain) = build(spec);
    let problems = check_certificate(&chain, None, &host(), now());
    let refuses = |problem: &CertificateProblem| {
        problem.severity() == ProblemSeverity::Blocker || SAID_WITH_A_WARNING.contains(&problem.code)
    };
    let verdict = accepts(&root, &chain);
    assert!(problems.iter().any(refuses) || verdict.is_ok(), "called good, but {verdict:?}: {spec:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn rustls_accepts_chains_without_blockers(spec in spec()) {
        compare(&spec, rustls_accepts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn openssl_accepts_chains_without_blockers(spec in spec()) {
        compare(&spec, openssl_accepts);
    }
}

proptest! {
    #[test]
    fn damaged_files_cause_neither_a_panic_nor_another_certificate(
        at in 0usize..2000, byte in any::<u8>(), cut in 0usize..2000, der in any::<bool>(),
    ) {
        let whole = chain(&[&MIDDLE, &ROOT]);
        let mut bytes = if der { MIDDLE.certificate.der().to_vec() } else { whole.to_pem().into_bytes() };
        if let Some(spoilt) = bytes.get_mut(at) {
            *spoilt ^= byte;
        }
        bytes.truncate(cut.max(100));
        if der {
            let _ = CertificateChain::from_der([bytes.as_slice()]).map(|chain| check_certificate(&chain, None, &host(), now()));
        } else if let Ok(chain) = CertificateChain::parse(&bytes) {
            let _ = check_certificate(&chain, None, &host(), now());
            prop_assert!(chain.certificates.len() <= 2);
            let again = CertificateChain::parse(chain.to_pem().as_bytes());
            prop_assert_eq!(again, Ok(chain));
        }
    }
}
