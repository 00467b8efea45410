//! Unusual certificates like those of x509-limbo: their codes, and no ok where rustls or openssl refuse.

use rcgen::{CustomExtension, string::Ia5String};

use super::agreement::{openssl_accepts, rustls_accepts};
use super::*;

const SAN: [u64; 4] = [2, 5, 29, 17];

fn extension(oid: &[u64], critical: bool, content: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
    extension.set_criticality(critical);
    extension
}

/// A `subjectAltName` with exactly these DNS names.
fn names_as_they_are(names: &[&[u8]]) -> Vec<u8> {
    let all: Vec<u8> =
        names.iter().flat_map(|name| [&[0x82, u8::try_from(name.len()).unwrap()], *name].concat()).collect();
    [&[0x30, u8::try_from(all.len()).unwrap()], all.as_slice()].concat()
}

/// The codes for a changed leaf below the intermediate, and whether rustls and openssl accept it.
fn leaf_verdicts(change: impl FnOnce(&mut CertificateParams)) -> (Vec<&'static str>, bool, bool) {
    chain_verdicts(&[&leaf(Some(&MIDDLE), change), &MIDDLE])
}

fn chain_verdicts(made: &[&Made]) -> (Vec<&'static str>, bool, bool) {
    let chain = CertificateChain::of(made.iter().map(|made| made.certificate.clone()).collect());
    let codes = codes(&check_certificate(&chain, Some(&made[0].key), &host(), now()));
    let (rustls, openssl) = (rustls_accepts(&ROOT.certificate, &chain), openssl_accepts(&ROOT.certificate, &chain));
    (codes, rustls.is_ok(), openssl.is_ok())
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(name).unwrap())
}

/// Codes, and whether rustls and openssl accept.
type Verdicts = (&'static [&'static str], bool, bool);

fn assert_verdicts(what: &str, (codes, rustls, openssl): (Vec<&'static str>, bool, bool), expected: Verdicts) {
    assert_eq!((codes.as_slice(), rustls, openssl), expected, "{what}");
}

const GOOD: Verdicts = (&[], true, true);
const NOT_FOR_THE_HOST: Verdicts = (&["certificate-host-mismatch"], false, false);

#[test]
fn similar_names_do_not_match_the_host() {
    let only = |name: SanType| leaf_verdicts(|params| params.subject_alt_names = vec![name]);
    for name in [
        "auth.example.com.",
        ".example.com",
        "auth.*.com",
        "*.example.com.",
        "*",
        "auth.example.com ",
        "",
        "xn--auth.example.com",
    ] {
        assert_verdicts(name, only(dns(name)), NOT_FOR_THE_HOST);
    }
    // openssl supports wildcards within a label; browsers and rustls don't.
    assert_verdicts("a*.example.com", only(dns("a*.example.com")), (&["certificate-host-mismatch"], false, true));
    assert_verdicts("an address", only(SanType::IpAddress("192.0.2.1".parse().unwrap())), NOT_FOR_THE_HOST);
    let mail = SanType::Rfc822Name("post@auth.example.com".try_into().unwrap());
    assert_verdicts("an e-mail address", only(mail), NOT_FOR_THE_HOST);
    assert_verdicts("a URI", only(SanType::URI("https://auth.example.com".try_into().unwrap())), NOT_FOR_THE_HOST);
    for odd in ["", "_x.example.com", "auth.example.com.", "*.*.com"] {
        let both = leaf_verdicts(|params| params.subject_alt_names = vec![dns(odd), dns("auth.example.com")]);
        assert_verdicts(odd, both, GOOD);
    }
    let raw = |names: &[&[u8]]| {
        let content = names_as_they_are(names);
        leaf_verdicts(|params| {
            params.subject_alt_names = vec![];
            params.custom_extensions = vec![extension(&SAN, false, &content)];
        })
    };
    assert_verdicts("a name with NUL", raw(&[b"auth.example.com\0.evil.example"]), NOT_FOR_THE_HOST);
    assert_verdicts("letters outside ASCII", raw(&["büro.example.com".as_bytes(), b"auth.example.com"]), GOOD);
}

#[test]
fn a_host_with_letters_outside_ascii_is_named_in_punycode_on_both_sides() {
    let host = HostName::parse("auth.xn--bro-hoa.example").unwrap();
    let check = |name: &str| {
        let made = leaf(Some(&MIDDLE), |params| params.subject_alt_names = vec![dns(name)]);
        codes(&check_certificate(&chain(&[&made, &MIDDLE]), None, &host, now()))
    };
    assert_eq!(check("auth.xn--bro-hoa.example"), [""; 0]);
    assert_eq!(check("AUTH.XN--BRO-HOA.example"), [""; 0]);
    assert_eq!(check("*.xn--bro-hoa.example"), [""; 0]);
    assert_eq!(check("auth.buro.example"), ["certificate-host-mismatch"]);
}

#[test]
fn unknown_critical_extensions_are_blockers_on_every_certificate() {
    let of = |oid: &[u64], critical| {
        let extension = extension(oid, critical, &[5, 0]);
        leaf_verdicts(|params| params.custom_extensions = vec![extension])
    };
    let refused: Verdicts = (&["certificate-critical-extension"], false, false);
    assert_verdicts("unknown", of(&[1, 2, 3, 4, 5], false), GOOD);
    assert_verdicts("unknown and critical", of(&[1, 2, 3, 4, 5], true), refused);
    assert_verdicts("the poison of a precertificate", of(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 3], true), refused);
    let middle = ca("odd", Some(&ROOT), |params| {
        params.custom_extensions = vec![extension(&[1, 2, 3, 4, 5], true, &[5, 0])];
    });
    let good = leaf(Some(&middle), |_| {});
    assert_verdicts("of the intermediate", chain_verdicts(&[&good, &middle]), refused);
}

#[test]
fn a_duplicate_extension_is_never_ok() {
    let twice = vec![extension(&[1, 2, 3], false, &[5, 0]); 2];
    let verdicts = leaf_verdicts(|params| params.custom_extensions = twice);
    assert_verdicts("unknown", verdicts, (&["certificate-malformed"], true, true));
    // Clients may use either of them.
    let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    let content = names_as_they_are(&[b"auth.example.com"]);
    for known in [
        extension(&SAN, false, &content),
        extension(&[2, 5, 29, 37], false, &[0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1]),
    ] {
        let mut params = CertificateParams::new(["auth.example.com".to_owned()]).unwrap();
        params.extended_key_usages = vec![Extended::ServerAuth];
        params.custom_extensions = vec![known];
        let made = params.self_signed(key.pair()).unwrap();
        assert!(Certificate::from_der(made.der()).is_none());
    }
}

/// Another certificate for this CA's key, from another issuer.
fn cross_signed(one: &Made, issuer: &Made, change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut params = one.params.clone();
    change(&mut params);
    let signed =
        params.clone().signed_by(one.key.pair(), &Issuer::from_params(&issuer.params, issuer.key.pair())).unwrap();
    let key = TlsPrivateKey::parse(one.key.pem.expose().as_bytes()).unwrap();
    Made { certificate: Certificate::from_der(signed.der()).unwrap(), key, params }
}

/// Let's Encrypt's chain of 2021. openssl and rustls use the other path, at any place of the expired certificate.
#[test]
fn an_expired_certificate_outside_of_a_valid_path_is_a_warning() {
    let expire = |params: &mut CertificateParams| params.not_after = time(now() - days(1)).to_datetime();
    let old = ca("old root", None, expire);
    let (root, middle) = (cross_signed(&ROOT, &old, expire), cross_signed(&MIDDLE, &old, expire));
    let good = leaf(Some(&MIDDLE), |_| {});
    let said: &'static [&'static str] = &["certificate-root-expired"];
    for made in [
        vec![&good, &*MIDDLE, &root, &*ROOT],
        vec![&good, &*MIDDLE, &*ROOT, &root],
        vec![&good, &*MIDDLE, &root, &old, &*ROOT],
        vec![&good, &middle, &*MIDDLE],
        vec![&good, &*MIDDLE, &middle],
        vec![&good, &middle, &old, &*MIDDLE, &*ROOT],
    ] {
        assert_verdicts("beside", chain_verdicts(&made), (said, true, true));
    }
    // With two valid paths, their upper ends decide.
    let between = ca("between", Some(&old), expire);
    let upper = cross_signed(&MIDDLE, &between, |_| {});
    assert_verdicts(
        "two ways",
        chain_verdicts(&[&good, &upper, &between, &MIDDLE, &ROOT]),
        (&["certificate-cross-signed"], true, false),
    );
    // The file lacks the root, which rustls and openssl trust.
    assert_verdicts(
        "a root to trust",
        chain_verdicts(&[&good, &MIDDLE, &root]),
        (&["certificate-expired"], true, true),
    );
    assert_verdicts("no other way", chain_verdicts(&[&good, &middle]), (&["certificate-expired"], false, false));
    let late = leaf(Some(&MIDDLE), expire);
    assert_verdicts("the leaf", chain_verdicts(&[&late, &MIDDLE, &ROOT]), (&["certificate-expired"], false, false));
}

/// While a CA changes its root, the old and the new root sign it.
#[test]
fn both_certificates_of_a_cross_signed_ca_belong_to_the_chain() {
    let other = ca("other root", None, |_| {});
    let cross = cross_signed(&MIDDLE, &other, |_| {});
    let good = leaf(Some(&MIDDLE), |_| {});
    let said: &'static [&'static str] = &["certificate-cross-signed"];
    for (made, openssl) in [
        (vec![&good, &*MIDDLE, &cross], true),
        (vec![&good, &*MIDDLE, &*ROOT, &cross, &other], true),
        // openssl tries only the first.
        (vec![&good, &cross, &*MIDDLE], false),
        (vec![&good, &cross, &other, &*MIDDLE, &*ROOT], false),
    ] {
        assert_verdicts("cross-signed", chain_verdicts(&made), (said, true, openssl));
    }
    assert_verdicts("alone", chain_verdicts(&[&good, &cross]), (&[], false, false));
    let unrelated = ca("third", None, |_| {});
    let codes = chain_verdicts(&[&good, &MIDDLE, &cross, &unrelated]).0;
    assert_eq!(codes, ["certificate-cross-signed", "certificate-unrelated"]);
}

/// A leaf that openssl signs with these options, below a CA with those options.
fn openssl_chain(sign: &[&str], ca: &[&str]) -> (Certificate, CertificateChain) {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (key, pem) = (file("ca.key"), file("ca.pem"));
    let request = openssl(&["req", "-new", "-noenc", "-subj", "/CN=CA", "-newkey", "rsa:2048", "-keyout", &key], b"");
    let own = openssl(&[&["x509", "-req", "-days", "90", "-signkey", &key], ca].concat(), &request);
    std::fs::write(&pem, &own).unwrap();
    let extensions = "subjectAltName=DNS:auth.example.com\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=none\nsubjectKeyIdentifier=none\n";
    std::fs::write(file("leaf.ext"), extensions).unwrap();
    let request =
        openssl(&["req", "-new", "-noenc", "-subj", "/CN=server", "-newkey", "rsa:2048", "-keyout", "/dev/null"], b"");
    let extensions = file("leaf.ext");
    let mut arguments = vec!["x509", "-req", "-days", "90", "-CA", &pem, "-CAkey", &key];
    arguments.extend(sign.iter().map(|word| if *word == "EXTENSIONS" { extensions.as_str() } else { word }));
    let leaf = openssl(&arguments, &request);
    let root = CertificateChain::parse(&own).unwrap().leaf().clone();
    (root, CertificateChain::parse(&[leaf, own].concat()).unwrap())
}

#[test]
fn negative_serial_numbers_and_missing_extensions_have_codes() {
    // Later than the start of every certificate of this test, also on a slow machine.
    let at = Timestamp::now() + SignedDuration::from_hours(1);
    let of = |chain: &CertificateChain| codes(&check_certificate(chain, None, &host(), at));
    let (root, chain) = openssl_chain(&["-extfile", "EXTENSIONS", "-set_serial", "-5"], &[]);
    assert!(
        root.x509().version() != x509_parser::x509::X509Version::V3,
        "the premise: openssl makes version 1 where it is given no extensions"
    );
    // Clients trust a root of version 1, but refuse such a leaf.
    assert_eq!(of(&chain), ["certificate-malformed"]);
    let (_, chain) = openssl_chain(&["-extfile", "EXTENSIONS", "-set_serial", "5"], &[]);
    assert_eq!(of(&chain), [""; 0]);
    let (_, chain) = openssl_chain(&[], &[]);
    assert!(chain.leaf().x509().version() != x509_parser::x509::X509Version::V3, "the premise");
    assert_eq!(of(&chain), ["certificate-host-mismatch", "certificate-usage-unstated"]);
}
