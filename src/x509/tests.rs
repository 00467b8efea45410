//! A certificate for each problem that has only this problem, and valid chains without problems.

mod agreement;
mod edges;

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose as Extended,
    GeneralSubtree, IsCa, Issuer, KeyUsagePurpose as Usage, SanType,
};

use super::*;
use crate::x509::{CertificateAuthority, HostName, OtherFormat, TlsKeyType, TlsPrivateKey, test_support::openssl};

fn now() -> Timestamp {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn host() -> HostName {
    HostName::parse("auth.example.com").unwrap()
}

fn time(at: Timestamp) -> x509_parser::time::ASN1Time {
    x509_parser::time::ASN1Time::from_timestamp(at.as_second()).unwrap()
}

/// A certificate with its key and its parameters.
struct Made {
    certificate: Certificate,
    key: TlsPrivateKey,
    params: CertificateParams,
}

/// A valid certificate with a `change`, signed by `issuer` or self-signed.
fn make(name: &str, issuer: Option<&Made>, change: impl FnOnce(&mut CertificateParams)) -> Made {
    let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = time(now() - days(10)).to_datetime();
    params.not_after = time(now() + days(100)).to_datetime();
    change(&mut params);
    let made = match issuer {
        Some(issuer) => params.signed_by(key.pair(), &Issuer::from_params(&issuer.params, issuer.key.pair())),
        None => params.self_signed(key.pair()),
    };
    Made { certificate: Certificate::from_der(made.unwrap().der()).unwrap(), key, params }
}

fn ca(name: &str, issuer: Option<&Made>, change: impl FnOnce(&mut CertificateParams)) -> Made {
    make(name, issuer, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![Usage::KeyCertSign];
        change(params);
    })
}

fn leaf(issuer: Option<&Made>, change: impl FnOnce(&mut CertificateParams)) -> Made {
    make("server", issuer, |params| {
        params.subject_alt_names = vec![SanType::DnsName("auth.example.com".try_into().unwrap())];
        params.key_usages = vec![Usage::DigitalSignature];
        params.extended_key_usages = vec![Extended::ServerAuth];
        change(params);
    })
}

fn names(params: &mut CertificateParams, names: &[&str]) {
    params.subject_alt_names = names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
}

static ROOT: LazyLock<Made> = LazyLock::new(|| ca("root", None, |_| {}));
static MIDDLE: LazyLock<Made> = LazyLock::new(|| ca("middle", Some(&ROOT), |_| {}));

fn chain(made: &[&Made]) -> CertificateChain {
    let pem: String = made.iter().map(|made| made.certificate.to_pem()).collect();
    CertificateChain::parse(pem.as_bytes()).unwrap()
}

fn codes(problems: &[CertificateProblem]) -> Vec<&'static str> {
    problems.iter().map(|problem| problem.code).collect()
}

/// The codes for these certificates in this order, with the key of the first.
fn check(made: &[&Made]) -> Vec<&'static str> {
    codes(&check_certificate(&chain(made), Some(&made[0].key), &host(), now()))
}

/// The codes for a changed leaf below the intermediate.
fn check_leaf(change: impl FnOnce(&mut CertificateParams)) -> Vec<&'static str> {
    check(&[&leaf(Some(&MIDDLE), change), &MIDDLE])
}

#[test]
fn a_valid_chain_has_no_problem_with_or_without_its_root() {
    let good = leaf(Some(&MIDDLE), |_| {});
    assert_eq!(check(&[&good, &MIDDLE]), [""; 0]);
    assert_eq!(check(&[&good, &MIDDLE, &ROOT]), [""; 0]);
    assert_eq!(check_certificate(&chain(&[&good, &MIDDLE]), None, &host(), now()), [], "without the key");
    assert_eq!(check_leaf(|params| names(params, &["*.example.com"])), [""; 0]);
    assert_eq!(check_leaf(|params| names(params, &["matrix.example.com", "AUTH.Example.com"])), [""; 0]);
}

#[test]
fn names_that_do_not_cover_the_host_have_separate_codes() {
    assert_eq!(check_leaf(|params| names(params, &["matrix.example.com"])), ["certificate-host-mismatch"]);
    assert_eq!(check_leaf(|params| names(params, &[])), ["certificate-host-mismatch"]);
    assert_eq!(check_leaf(|params| names(params, &["example.com"])), ["certificate-host-mismatch"]);
    assert_eq!(check_leaf(|params| names(params, &["*.com"])), ["certificate-wildcard-scope"]);
    assert_eq!(check_leaf(|params| names(params, &["*.auth.example.com"])), ["certificate-wildcard-scope"]);
    let common_name = |params: &mut CertificateParams| {
        names(params, &["matrix.example.com"]);
        params.distinguished_name.push(DnType::CommonName, "auth.example.com");
    };
    assert_eq!(check_leaf(common_name), ["certificate-common-name-only"]);
    let deep = HostName::parse("a.auth.example.com").unwrap();
    let wildcard = leaf(Some(&MIDDLE), |params| names(params, &["*.example.com"]));
    let problems = check_certificate(&chain(&[&wildcard, &MIDDLE]), None, &deep, now());
    assert_eq!(codes(&problems), ["certificate-wildcard-scope"]);
    assert!(problems[0].to_string().contains("*.example.com does not cover a.auth.example.com"), "{}", problems[0]);
}

#[test]
fn dates_count_to_the_second_on_both_ends() {
    let good = leaf(Some(&MIDDLE), |_| {});
    let at = |now: Timestamp| {
        let problems = check_certificate(&chain(&[&good]), None, &host(), now);
        codes(&problems).into_iter().filter(|code| *code != "certificate-chain-incomplete").collect::<Vec<_>>()
    };
    let second = SignedDuration::from_secs(1);
    let (from, until) = (good.certificate.not_before(), good.certificate.not_after());
    assert_eq!(at(from - second), ["certificate-not-yet-valid"]);
    assert_eq!(at(from), [""; 0]);
    assert_eq!(at(until - days(30)), [""; 0]);
    assert_eq!(at(until - days(30) + second), ["certificate-expires-soon"]);
    assert_eq!(at(until), ["certificate-expires-soon"]);
    assert_eq!(at(until + second), ["certificate-expired"]);
}

#[test]
fn expired_intermediates_are_blockers_and_expired_roots_warnings() {
    let until = |at: Timestamp| move |params: &mut CertificateParams| params.not_after = time(at).to_datetime();
    let expired = until(now() - days(1));
    let middle = ca("old middle", Some(&ROOT), expired);
    let good = leaf(Some(&middle), |_| {});
    let problems = check_certificate(&chain(&[&good, &middle]), None, &host(), now());
    assert_eq!(codes(&problems), ["certificate-expired"]);
    assert!(problems[0].to_string().contains("old middle"), "{}", problems[0]);

    let root = ca("old root", None, expired);
    let problems = check_certificate(&chain(&[&leaf(Some(&root), |_| {}), &root]), None, &host(), now());
    assert_eq!(codes(&problems), ["certificate-root-expired"]);
    assert_eq!(problems[0].severity(), ProblemSeverity::Warning);
    let root = ca("root in its last second", None, until(now()));
    assert_eq!(check(&[&leaf(Some(&root), |_| {}), &root]), ["certificate-expires-soon"]);
}

#[test]
fn a_validity_that_apple_refuses_is_a_warning() {
    let until = |days_: i64| {
        move |params: &mut CertificateParams| {
            params.not_after = time(now() - days(10) + days(days_) - SignedDuration::from_secs(1)).to_datetime();
        }
    };
    assert_eq!(check_leaf(until(825)), [""; 0]);
    assert_eq!(check_leaf(until(826)), ["certificate-valid-too-long"]);
    // The last second is inclusive, so exactly 825 days between both times are one second too long.
    let second_too_long =
        |params: &mut CertificateParams| params.not_after = time(now() - days(10) + days(825)).to_datetime();
    assert_eq!(check_leaf(second_too_long), ["certificate-valid-too-long"]);
}

#[test]
fn broken_incomplete_and_unordered_chains_have_separate_codes() {
    let good = leaf(Some(&MIDDLE), |_| {});
    assert_eq!(check(&[&good]), ["certificate-chain-incomplete"]);
    assert_eq!(check(&[&good, &ROOT, &MIDDLE]), ["certificate-chain-order"]);
    assert_eq!(check(&[&good, &MIDDLE, &ca("other", None, |_| {})]), ["certificate-unrelated"]);
    assert_eq!(check(&[&good, &ca("muddle", None, |_| {})]), ["certificate-chain-incomplete", "certificate-unrelated"]);
    assert_eq!(check(&[&good, &MIDDLE, &MIDDLE]), ["certificate-unrelated"], "twice");

    // A CA renewed its certificate with another key, and the file has the old certificate.
    let renewed = ca("middle", Some(&ROOT), |_| {});
    assert_eq!(check(&[&good, &renewed]), ["certificate-chain-broken"]);
    assert_eq!(check(&[&good, &renewed, &MIDDLE, &ROOT]), ["certificate-unrelated"], "the right one is there as well");
}

#[test]
fn a_leaf_that_is_not_first_is_found_by_its_key_or_by_not_being_a_ca() {
    let good = leaf(Some(&MIDDLE), |_| {});
    let reversed = chain(&[&ROOT, &MIDDLE, &good]);
    for key in [None, Some(&good.key)] {
        let problems = check_certificate(&reversed, key, &host(), now());
        assert_eq!(codes(&problems), ["certificate-not-first"]);
        assert!(problems[0].to_string().contains("number 3"), "{}", problems[0]);
    }
}

#[test]
fn a_key_of_another_certificate_is_refused_with_both_fingerprints() {
    let good = leaf(Some(&MIDDLE), |_| {});
    let other = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    let problems = check_certificate(&chain(&[&good, &MIDDLE]), Some(&other), &host(), now());
    assert_eq!(codes(&problems), ["certificate-key-mismatch"]);
    let said = problems[0].to_string();
    assert!(
        said.contains(&other.fingerprint().to_string()) && said.contains(&good.key.fingerprint().to_string()),
        "{said}"
    );
}

#[test]
fn usages_that_are_not_a_tls_servers_are_refused() {
    assert_eq!(
        check_leaf(|params| params.extended_key_usages = vec![Extended::ClientAuth]),
        ["certificate-not-for-servers"]
    );
    assert_eq!(check_leaf(|params| params.extended_key_usages = vec![]), ["certificate-usage-unstated"]);
    assert_eq!(check_leaf(|params| params.extended_key_usages = vec![Extended::Any]), ["certificate-not-for-servers"]);
    assert_eq!(check_leaf(|params| params.key_usages = vec![Usage::KeyEncipherment]), ["certificate-key-usage"]);
    assert_eq!(check_leaf(|params| params.key_usages = vec![]), [""; 0]);
    let middle = ca("clients", Some(&ROOT), |params| params.extended_key_usages = vec![Extended::ClientAuth]);
    assert_eq!(check(&[&leaf(Some(&middle), |_| {}), &middle]), ["certificate-not-for-servers"]);
}

#[test]
fn issuers_that_must_not_issue_are_blockers() {
    let no_ca = make("no ca", Some(&ROOT), |_| {});
    assert_eq!(check(&[&leaf(Some(&no_ca), |_| {}), &no_ca]), ["certificate-issuer-not-ca"]);
    let no_sign = ca("no sign", Some(&ROOT), |params| params.key_usages = vec![Usage::DigitalSignature]);
    assert_eq!(check(&[&leaf(Some(&no_sign), |_| {}), &no_sign]), ["certificate-issuer-not-ca"]);

    let root = ca("short", None, |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let middle = ca("below", Some(&root), |_| {});
    assert_eq!(check(&[&leaf(Some(&middle), |_| {}), &middle, &root]), ["certificate-path-length"]);
    assert_eq!(check(&[&leaf(Some(&root), |_| {}), &root]), [""; 0]);
}

#[test]
fn name_constraints_hold_for_every_name_of_the_certificate() {
    let constrained = |permitted: &[&str], excluded: &[&str]| {
        let trees = |names: &[&str]| names.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect();
        ca("constrained", Some(&ROOT), |params| {
            params.name_constraints = Some(rcgen::NameConstraints {
                permitted_subtrees: trees(permitted),
                excluded_subtrees: trees(excluded),
            });
        })
    };
    let codes_for =
        |middle: &Made, host_names: &[&str]| check(&[&leaf(Some(middle), |params| names(params, host_names)), middle]);
    let middle = constrained(&["example.org", "auth.example.com"], &[]);
    assert_eq!(codes_for(&middle, &["auth.example.com"]), [""; 0]);
    assert_eq!(codes_for(&middle, &["auth.example.com", "matrix.example.com"]), ["certificate-name-constraints"]);
    let middle = constrained(&[], &["other.example.com"]);
    assert_eq!(codes_for(&middle, &["auth.example.com"]), [""; 0]);
    // rustls refuses a wildcard that covers an excluded name.
    assert_eq!(codes_for(&middle, &["*.example.com"]), ["certificate-name-constraints"]);
    assert_eq!(codes_for(&middle, &["auth.example.com", "*.com"]), ["certificate-name-constraints"]);
    let middle = constrained(&[], &["example.com"]);
    assert_eq!(codes_for(&middle, &["auth.example.com"]), ["certificate-name-constraints"]);
}

#[test]
fn the_self_signed_certificate_of_a_tutorial_gets_warnings_only() {
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-noenc",
        "-keyout",
        "/dev/null",
        "-days",
        "365",
        "-subj",
        "/CN=auth.example.com",
        "-addext",
        "subjectAltName=DNS:auth.example.com",
    ];
    let pem = openssl(&arguments, b"");
    let chain = CertificateChain::parse(&pem).unwrap();
    let problems = check_certificate(&chain, None, &host(), chain.leaf().not_before());
    assert_eq!(codes(&problems), ["certificate-self-signed", "certificate-is-ca", "certificate-usage-unstated"]);
    assert!(problems.iter().all(|problem| problem.severity() == ProblemSeverity::Warning));
}

/// Clients ignore self-signatures; those of old roots use SHA-1.
#[test]
fn a_weak_self_signature_is_ok() {
    let arguments =
        ["req", "-x509", "-sha1", "-newkey", "rsa:2048", "-noenc", "-keyout", "/dev/null", "-subj", "/CN=x"];
    let chain = CertificateChain::parse(&openssl(&arguments, b"")).unwrap();
    assert_eq!(check::weak(&chain.leaf().x509().signature_algorithm), Some("SHA-1"), "the premise");
    let problems = check_certificate(&chain, None, &host(), chain.leaf().not_before());
    assert!(!codes(&problems).contains(&"certificate-signature-weak"), "{problems:?}");
}

/// A leaf that openssl signs with its own CA, both with these options.
fn openssl_pair(ca_key: &str, leaf_key: &[&str], digest: &str) -> CertificateChain {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let ca_arguments = [
        "req",
        "-x509",
        "-newkey",
        ca_key,
        "-noenc",
        "-subj",
        "/CN=CA",
        "-keyout",
        &file("ca.key"),
        "-out",
        &file("ca.pem"),
    ];
    openssl(&ca_arguments, b"");
    let request = ["req", "-new", "-noenc", "-subj", "/CN=server", "-keyout", "/dev/null"];
    let extensions = ["-addext", "subjectAltName=DNS:auth.example.com", "-addext", "extendedKeyUsage=serverAuth"];
    let request = openssl(&[&request[..], leaf_key, &extensions[..]].concat(), b"");
    let sign = [
        "x509",
        "-req",
        "-days",
        "90",
        "-copy_extensions",
        "copy",
        digest,
        "-CA",
        &file("ca.pem"),
        "-CAkey",
        &file("ca.key"),
    ];
    let leaf = openssl(&sign, &request);
    CertificateChain::parse(&[leaf, std::fs::read(file("ca.pem")).unwrap()].concat()).unwrap()
}

#[test]
fn keys_and_signatures_that_clients_refuse_are_named() {
    let rsa = ["-newkey", "rsa:2048"];
    // Later than the start of every certificate of this test, also on a slow machine.
    let at = Timestamp::now() + SignedDuration::from_hours(1);
    let check = |chain: CertificateChain| check_certificate(&chain, None, &host(), at);
    // openssl's CA expires in 30 days.
    let codes = |problems: &[CertificateProblem]| {
        codes(problems).into_iter().filter(|code| *code != "certificate-expires-soon").collect::<Vec<_>>()
    };
    assert_eq!(codes(&check(openssl_pair("rsa:2048", &rsa, "-sha256"))), [""; 0]);
    for (digest, name) in [("-sha1", "SHA-1"), ("-md5", "MD5")] {
        let problems = check(openssl_pair("rsa:2048", &rsa, digest));
        assert_eq!(codes(&problems), ["certificate-signature-weak"]);
        assert!(problems[0].to_string().contains(name), "{}", problems[0]);
    }
    for bits in [1024, 2047] {
        let problems = check(openssl_pair("rsa:2048", &["-newkey", &format!("rsa:{bits}")], "-sha256"));
        assert_eq!(codes(&problems), ["certificate-key-weak"]);
        assert!(problems[0].to_string().contains(&format!("{bits} bits")), "{}", problems[0]);
    }
    assert_eq!(codes(&check(openssl_pair("rsa:1024", &rsa, "-sha256"))), ["certificate-key-weak"], "of the CA");
    let curve = |name: &str| {
        ["-newkey".to_owned(), "ec".to_owned(), "-pkeyopt".to_owned(), format!("ec_paramgen_curve:{name}")]
    };
    for (name, expected) in
        [("P-384", &[][..]), ("P-521", &["certificate-key-unusual"]), ("secp256k1", &["certificate-key-unusual"])]
    {
        let arguments = curve(name);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        assert_eq!(codes(&check(openssl_pair("rsa:2048", &arguments, "-sha384"))), expected, "{name}");
    }
    assert_eq!(
        codes(&check(openssl_pair("rsa:2048", &["-newkey", "ed25519"], "-sha256"))),
        ["certificate-key-unusual"]
    );
}

/// The issuer is recognised for each algorithm, and another CA with the same name is not.
#[test]
fn every_signature_algorithm_is_verified() {
    for ca_key in ["rsa:2048", "ec:P-256", "ec:P-384", "ec:P-521", "ed25519"] {
        let new_key: Vec<String> = match ca_key.strip_prefix("ec:") {
            Some(curve) => vec!["ec".into(), "-pkeyopt".into(), format!("ec_paramgen_curve:{curve}")],
            None => vec![ca_key.into()],
        };
        let new_ca = |directory: &std::path::Path| {
            let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
            let (key, pem) = (file("ca.key"), file("ca.pem"));
            let mut arguments =
                vec!["req", "-x509", "-noenc", "-subj", "/CN=CA", "-keyout", &key, "-out", &pem, "-newkey"];
            arguments.extend(new_key.iter().map(String::as_str));
            openssl(&arguments, b"");
            (key, pem)
        };
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ((key, pem), (_, other_pem)) = (new_ca(a.path()), new_ca(b.path()));
        let request = ["req", "-new", "-noenc", "-subj", "/CN=server", "-keyout", "/dev/null", "-newkey", "rsa:2048"];
        let request = openssl(&request, b"");
        let digests: &[&str] = if ca_key == "ed25519" { &["-sha256"] } else { &["-sha256", "-sha384", "-sha512"] };
        for digest in digests {
            let pss: &[&[&str]] = if ca_key == "rsa:2048" {
                &[&[], &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]]
            } else {
                &[&[]]
            };
            for options in pss {
                let sign = ["x509", "-req", digest, "-CA", &pem, "-CAkey", &key];
                let leaf = openssl(&[&sign[..], options].concat(), &request);
                let verdict = |issuer: &str| {
                    let chain =
                        CertificateChain::parse(&[leaf.clone(), std::fs::read(issuer).unwrap()].concat()).unwrap();
                    path::is_signed_by(&chain.leaf().x509(), &chain.certificates[1].x509())
                };
                assert_eq!(verdict(&pem), Some(true), "{ca_key} {digest} {options:?}");
                assert_eq!(verdict(&other_pem), Some(false), "{ca_key} {digest} {options:?}");
            }
        }
    }
}

/// openssl's default is the longest salt.
#[test]
fn a_pss_signature_with_a_long_salt_is_valid() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (key, pem) = (file("ca.key"), file("ca.pem"));
    openssl(&["req", "-x509", "-noenc", "-subj", "/CN=CA", "-newkey", "rsa:2048", "-keyout", &key, "-out", &pem], b"");
    let request =
        openssl(&["req", "-new", "-noenc", "-subj", "/CN=x", "-newkey", "ed25519", "-keyout", "/dev/null"], b"");
    let leaf =
        openssl(&["x509", "-req", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-CA", &pem, "-CAkey", &key], &request);
    let chain = CertificateChain::parse(&[leaf, std::fs::read(pem).unwrap()].concat()).unwrap();
    assert_eq!(path::is_signed_by(&chain.leaf().x509(), &chain.certificates[1].x509()), None);
}

#[test]
fn other_files_have_specific_errors() {
    use CertificateError as E;
    let good = leaf(Some(&MIDDLE), |_| {});
    let pem = good.certificate.to_pem();
    let parse = |bytes: &[u8]| CertificateChain::parse(bytes).map(|chain| chain.certificates.len());
    let indented: String = pem.lines().flat_map(|line| ["    ", line, "\n"]).collect();
    assert_eq!(parse(b" \n"), Err(E::OtherFormat(OtherFormat("empty"))));
    assert_eq!(parse(b"hello"), Err(E::NoCertificate));
    assert_eq!(parse(good.certificate.der()), Err(E::OtherFormat(OtherFormat("certificate-der"))));
    assert_eq!(parse(good.key.pem.expose().as_bytes()), Err(E::OtherFormat(OtherFormat("private-key"))));
    assert_eq!(
        parse(pem.replace("CERTIFICATE", "CERTIFICATE REQUEST").as_bytes()),
        Err(E::OtherFormat(OtherFormat("request")))
    );
    assert_eq!(parse(&pem.as_bytes()[..pem.len() / 2]), Err(E::Damaged { number: 1 }));
    assert_eq!(parse(format!("{pem}{}", pem.replacen("MII", "MIJ", 1)).as_bytes()), Err(E::Damaged { number: 2 }));
    assert_eq!(parse(pem.replace('\n', "\\n").as_bytes()), Err(E::Layout));
    assert_eq!(parse(pem.replace('\n', " ").as_bytes()), Err(E::Layout));
    assert_eq!(parse(indented.as_bytes()), Err(E::Layout));
    assert_eq!(parse(pem.replace('\n', "\r\n").as_bytes()), Ok(1));
    assert_eq!(parse(format!("subject=CN=server\n{pem}\n\nissuer=…\n{pem}").as_bytes()), Ok(2));
    assert_eq!(CertificateChain::parse(format!("# x\n{pem}\n").as_bytes()).unwrap().to_pem(), pem);
}

/// openssl executes the command in each error, and its output is parsed.
#[test]
fn other_formats_are_named_with_the_command_that_converts_them() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let good = leaf(Some(&MIDDLE), |_| {});
    let pem = chain(&[&good, &MIDDLE]).to_pem();
    std::fs::write(file("chain.pem"), &pem).unwrap();
    std::fs::write(file("key.pem"), good.key.pem.expose()).unwrap();
    let pkcs7 = |form| openssl(&["crl2pkcs7", "-nocrl", "-certfile", &file("chain.pem"), "-outform", form], b"");
    let pkcs12 = ["pkcs12", "-export", "-in", &file("chain.pem"), "-inkey", &file("key.pem"), "-passout", "pass:"];
    let utf16 = |unit: fn(u16) -> [u8; 2]| pem.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let body: String = good.certificate.to_pem().lines().filter(|line| !line.starts_with('-')).collect();
    let forms = [
        (good.certificate.der().to_vec(), OtherFormat("certificate-der")),
        (pkcs7("PEM"), OtherFormat("pkcs7")),
        (pkcs7("DER"), OtherFormat("pkcs7-der")),
        (openssl(&pkcs12, b""), OtherFormat("pkcs12")),
        ([b"\xff\xfe".as_slice(), &utf16(u16::to_le_bytes)].concat(), OtherFormat("utf16")),
        ([b"\xfe\xff".as_slice(), &utf16(u16::to_be_bytes)].concat(), OtherFormat("utf16")),
        (utf16(u16::to_le_bytes), OtherFormat("utf16-le")),
        (utf16(u16::to_be_bytes), OtherFormat("utf16-be")),
        (["\u{feff}".as_bytes(), pem.as_bytes()].concat(), OtherFormat("byte-order-mark")),
        (body.into_bytes(), OtherFormat("base64-der")),
        (openssl(&["base64"], pem.as_bytes()), OtherFormat("base64-pem")),
    ];
    for (bytes, format) in forms {
        let error = CertificateChain::parse(&bytes).unwrap_err();
        assert_eq!(error, CertificateError::OtherFormat(format));
        assert!(error.to_string().contains(&*format.words()[1]), "{error}");
        std::fs::write(file("FILE"), bytes).unwrap();
        let mut shell = std::process::Command::new("sh");
        let command =
            format.words()[1].strip_prefix("Convert it: ").unwrap().replace("pkcs12 ", "pkcs12 -passin pass: ");
        let done = shell.arg("-c").arg(&command).current_dir(&directory).output().unwrap();
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        let converted = CertificateChain::parse(&std::fs::read(file("FILE.pem")).unwrap()).unwrap();
        assert!(converted.certificates.contains(&good.certificate), "{command}");
    }
    let request = openssl(&["req", "-new", "-subj", "/CN=x", "-key", &file("key.pem"), "-outform", "DER"], b"");
    let key = |arguments: &[&str]| openssl(&[&["pkey", "-in", &file("key.pem")], arguments].concat(), b"");
    for (bytes, format) in [
        (request, OtherFormat("request-der")),
        (key(&["-outform", "DER"]), OtherFormat("private-key-der")),
        (key(&["-pubout", "-outform", "DER"]), OtherFormat("public-key-der")),
        (key(&["-pubout"]), OtherFormat("public-key")),
        (b"\n<!DOCTYPE html><html>".to_vec(), OtherFormat("html")),
        (b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec(), OtherFormat("java-key-store")),
        (b"PK\x03\x04\x14\0".to_vec(), OtherFormat("zip")),
        (b"ssh-ed25519 AAAA someone\n".to_vec(), OtherFormat("public-key")),
        (Vec::new(), OtherFormat("empty")),
    ] {
        assert_eq!(CertificateChain::parse(&bytes), Err(CertificateError::OtherFormat(format)));
        assert!(format.words().iter().all(|words| !words.is_empty()), "{format:?}");
    }
    let trusted = openssl(&["x509", "-trustout"], pem.as_bytes());
    assert_eq!(CertificateChain::parse(&trusted), Err(CertificateError::Trusted));
    let with_issuer = [trusted.as_slice(), MIDDLE.certificate.to_pem().as_bytes()].concat();
    assert_eq!(CertificateChain::parse(&with_issuer), Err(CertificateError::Trusted));
    assert_eq!(openssl(&["x509"], &trusted), good.certificate.to_pem().as_bytes());
}

#[test]
fn a_private_key_in_the_file_is_ignored_with_a_warning() {
    let good = leaf(Some(&MIDDLE), |_| {});
    let file = [good.certificate.to_pem(), good.key.pem.expose().to_owned(), MIDDLE.certificate.to_pem()].concat();
    let chain = CertificateChain::parse(file.as_bytes()).unwrap();
    assert_eq!(codes(&check_certificate(&chain, Some(&good.key), &host(), now())), ["certificate-with-private-key"]);
    assert!(!chain.to_pem().contains("PRIVATE KEY"));
    assert_eq!(TlsPrivateKey::parse(file.as_bytes()).unwrap().pem, good.key.pem);
}

#[test]
fn a_chain_from_a_server_is_parsed_as_der() {
    let good = leaf(Some(&MIDDLE), |_| {});
    let sent = [good.certificate.der(), MIDDLE.certificate.der()];
    let chain = CertificateChain::from_der(sent).unwrap();
    assert_eq!(check_certificate(&chain, None, &host(), now()), []);
    assert!(CertificateChain::from_der([]).is_none());
    assert!(CertificateChain::from_der([&b"junk"[..]]).is_none());
    let trailing = [good.certificate.der(), b"x"].concat();
    assert!(CertificateChain::from_der([trailing.as_slice()]).is_none());
}

#[test]
fn fingerprints_match_openssl() {
    let good = leaf(Some(&MIDDLE), |_| {});
    let shown = openssl(&["x509", "-noout", "-fingerprint", "-sha256"], good.certificate.to_pem().as_bytes());
    let shown = String::from_utf8(shown).unwrap();
    let digits = shown.trim().rsplit('=').next().unwrap().replace(':', "").to_lowercase();
    assert_eq!(format!("{:#}", good.certificate.fingerprint()), format!("sha256:{digits}"));
    assert_eq!(good.certificate.public_key_fingerprint(), good.key.fingerprint());
}

#[test]
fn blockers_come_first_and_every_problem_has_a_remedy() {
    let bad = leaf(Some(&MIDDLE), |params| {
        names(params, &["matrix.example.com"]);
        params.not_after = time(now() - days(1)).to_datetime();
        params.extended_key_usages = vec![];
        params.key_usages = vec![Usage::KeyEncipherment];
    });
    let problems = check_certificate(&chain(&[&bad]), None, &host(), now());
    let severities: Vec<_> = problems.iter().map(CertificateProblem::severity).collect();
    assert_eq!(problems.len(), 5, "{problems:?}");
    assert!(severities.is_sorted() && severities.contains(&ProblemSeverity::Warning));
    for problem in &problems {
        assert!(problem.to_string().ends_with('.') && problem.remedy().ends_with('.'), "{problem}");
        assert!(problem.code.starts_with("certificate-"));
    }
}

#[test]
fn every_problem_has_a_row_and_every_placeholder_a_value() {
    let source = [include_str!("check.rs"), include_str!("../checks/certificate.rs")].concat();
    let after = |sign: char| move |text: &str| text.split(sign).next().unwrap().to_owned();
    let named: Vec<String> = source.split("\"certificate-").skip(1).map(after('"')).collect();
    let others = ["missing", "unreadable", "key-unreadable", "layout", "unknown"];
    for name in named.iter().filter(|name| !others.contains(&name.as_str())) {
        assert!(problem::PROBLEMS.contains_key(&format!("certificate-{name}")), "{name}");
    }
    for (code, row) in problem::PROBLEMS.iter() {
        assert!(named.iter().any(|name| code == &format!("certificate-{name}")), "{code}");
        for placeholder in row.message.split('{').skip(1).map(after('}')) {
            assert!(source.contains(&format!("(\"{placeholder}\", ")), "{code}: {placeholder}");
        }
    }
}

#[test]
fn certificates_of_the_private_ca_have_no_problems() {
    let authority = CertificateAuthority::create(&host(), TlsKeyType::P256, now()).unwrap();
    let issued = authority.issue(&host(), TlsKeyType::P256, now()).unwrap();
    assert_eq!(check_certificate(&issued.chain, Some(&issued.key), &host(), now()), []);
}
