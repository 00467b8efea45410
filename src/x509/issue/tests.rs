//! Issued certificates, checked by rustls, openssl and this program.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};

use super::*;
use crate::x509::{
    RsaBits,
    test_support::{openssl, try_openssl},
};

const HOST: &str = "auth.example.com";

fn host(name: &str) -> HostName {
    HostName::parse(name).unwrap()
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// Serves `connections` TLS connections on 127.0.0.1 with the certificate, and returns the port.
fn serve(issued: &IssuedCertificate, connections: usize) -> (u16, JoinHandle<()>) {
    let chain = issued.chain.certificates.iter().map(|c| CertificateDer::from(c.der().to_vec())).collect();
    let key = PrivateKeyDer::from_pem_slice(issued.key.pem.expose().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream.unwrap());
            // A client that refuses the certificate closes the connection; the test checks the client's result.
            let _ = tls.write_all(b"served").and_then(|()| tls.flush());
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    (port, server)
}

/// Connects with a rustls client that trusts only `root`.
fn connect(port: u16, root: &Certificate, name: &str) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.der().to_vec())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tls = StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut text = String::new();
    tls.read_to_string(&mut text).map(|_| text).map_err(|error| error.to_string())
}

#[test]
fn a_rustls_client_accepts_the_issued_chain_for_its_host_only() {
    for key_type in [TlsKeyType::P256, TlsKeyType::Rsa(RsaBits::Bits2048)] {
        let ca = CertificateAuthority::create(&host(HOST), key_type, now()).unwrap();
        let issued = ca.issue(&host(HOST), key_type, now()).unwrap();
        let other_ca = CertificateAuthority::create(&host(HOST), key_type, now()).unwrap();
        let (port, server) = serve(&issued, 3);
        assert_eq!(connect(port, ca.certificate(), HOST), Ok("served".to_owned()));
        let refused = connect(port, ca.certificate(), "matrix.example.com").unwrap_err();
        assert!(refused.contains("not valid for name"), "{refused}");
        let refused = connect(port, other_ca.certificate(), HOST).unwrap_err();
        assert!(refused.contains("invalid peer certificate"), "{refused}");
        server.join().unwrap();
    }
}

#[test]
fn an_openssl_client_accepts_the_issued_chain_for_its_host_only() {
    let directory = tempfile::tempdir().unwrap();
    let ca_file = directory.path().join("ca.pem");
    let ca = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    fs::write(&ca_file, ca.certificate().to_pem()).unwrap();
    let issued = ca.issue(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let (port, server) = serve(&issued, 2);
    let client = |name: &str| {
        let at = format!("127.0.0.1:{port}");
        let ca_file = ca_file.to_str().unwrap();
        let flags = ["s_client", "-connect", &at, "-CAfile", ca_file, "-verify_return_error", "-x509_strict"];
        try_openssl(&[&flags[..], &["-servername", name, "-verify_hostname", name]].concat(), b"")
    };
    let accepted = client(HOST);
    let said = String::from_utf8_lossy(&accepted.stdout).into_owned();
    assert!(accepted.status.success() && said.contains("Verify return code: 0 (ok)"), "{said}");
    assert!(!client("matrix.example.com").status.success());
    server.join().unwrap();
}

/// The strictest `openssl verify`, with the leaf and its intermediates in one file.
fn openssl_verifies(root: &str, chain: &CertificateChain, name: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let (root_file, chain_file) = (directory.path().join("root.pem"), directory.path().join("chain.pem"));
    fs::write(&root_file, root).unwrap();
    fs::write(&chain_file, chain.to_pem()).unwrap();
    let (root_file, chain_file) = (root_file.to_str().unwrap(), chain_file.to_str().unwrap());
    let flags = ["verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslserver", "-verify_hostname", name];
    let files = ["-CAfile", root_file, "-untrusted", chain_file, chain_file];
    let output = try_openssl(&[&flags[..], &files[..]].concat(), b"");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn openssl_verifies_issued_certificates_strictly() {
    let ca = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let issued = ca.issue(&host(HOST), TlsKeyType::Rsa(RsaBits::Bits2048), now()).unwrap();
    assert_eq!(openssl_verifies(&ca.certificate().to_pem(), &issued.chain, HOST), Ok(()));
    assert!(openssl_verifies(&ca.certificate().to_pem(), &issued.chain, "example.com").is_err());

    let text = |certificate: &Certificate| {
        String::from_utf8(openssl(&["x509", "-noout", "-text"], certificate.to_pem().as_bytes())).unwrap()
    };
    let leaf = text(issued.chain.leaf());
    for expected in [
        "DNS:auth.example.com\n",
        "CA:FALSE",
        "TLS Web Server Authentication\n",
        "Digital Signature, Key Encipherment\n",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "Subject: CN = auth.example.com",
    ] {
        assert!(leaf.contains(expected), "{expected}: {leaf}");
    }
    let root = text(ca.certificate());
    for expected in [
        "CA:TRUE, pathlen:0",
        "Certificate Sign, CRL Sign",
        "Permitted:\n                  DNS:auth.example.com",
        "IP:0.0.0.0/0.0.0.0",
    ] {
        assert!(root.contains(expected), "{expected}: {root}");
    }
}

#[test]
fn validity_is_within_the_limits_of_clients_and_of_the_ca() {
    let at: Timestamp = "2026-11-23T02:00:00.987Z".parse().unwrap();
    let ca = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, at).unwrap();
    let leaf = ca.issue(&host(HOST), TlsKeyType::P256, at).unwrap().chain.leaf().clone();
    assert_eq!(leaf.not_before().to_string(), "2026-11-23T01:00:00Z");
    assert_eq!(leaf.not_after().as_second() - leaf.not_before().as_second() + 1, 397 * 86_400);

    let late = ca.certificate().not_after() - SignedDuration::from_hours(24 * 100);
    let leaf = ca.issue(&host(HOST), TlsKeyType::P256, late).unwrap().chain.leaf().clone();
    assert_eq!(leaf.not_after(), ca.certificate().not_after(), "never longer than the CA");

    let first = ca.certificate().not_before();
    let leaf = ca.issue(&host(HOST), TlsKeyType::P256, first).unwrap().chain.leaf().clone();
    assert_eq!(leaf.not_before(), first, "never before the CA");

    let too_late = ca.certificate().not_after() + SignedDuration::from_secs(1);
    assert!(matches!(ca.issue(&host(HOST), TlsKeyType::P256, too_late), Err(IssueError::NotValidNow { .. })));
    let too_early = ca.certificate().not_before() - SignedDuration::from_secs(1);
    assert!(matches!(ca.issue(&host(HOST), TlsKeyType::P256, too_early), Err(IssueError::NotValidNow { .. })));
}

#[test]
fn the_private_ca_issues_for_its_host_and_subdomains_only() {
    let ca = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    assert!(ca.issue(&host("a.auth.example.com"), TlsKeyType::P256, now()).is_ok());
    for other in ["example.com", "matrix.example.com", "xauth.example.com"] {
        let error = ca.issue(&host(other), TlsKeyType::P256, now()).unwrap_err();
        let IssueError::Unusable(problem) = &error else { panic!("{error}") };
        assert_eq!(problem.code, "certificate-name-constraints");
        assert!(problem.to_string().contains(&format!(" for {other}: ")), "{problem}");
    }
}

/// rustls and openssl refuse a certificate that this program refuses to issue.
#[test]
fn clients_enforce_the_name_constraint_of_the_private_ca() {
    let other = "matrix.example.com";
    let ca = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    let mut params = params(now() - SKEW, last_second(now(), 30)).unwrap();
    describe(&mut params, &host(other), &key).unwrap();
    let leaf = sign(&params, &key, &ca).unwrap();
    let forged = IssuedCertificate { chain: CertificateChain::of(vec![leaf, ca.certificate().clone()]), key };
    let refused = openssl_verifies(&ca.certificate().to_pem(), &forged.chain, other).unwrap_err();
    assert!(refused.contains("permitted subtree violation"), "{refused}");
    let (port, server) = serve(&forged, 1);
    let refused = connect(port, ca.certificate(), other).unwrap_err();
    assert!(refused.contains("NameConstraintViolation"), "{refused}");
    server.join().unwrap();
}

#[test]
fn two_private_cas_for_one_host_have_different_names_and_serials() {
    let a = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let b = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    assert_ne!(a.certificate().subject(), b.certificate().subject());
    assert_ne!(a.certificate().public_key_fingerprint(), b.certificate().public_key_fingerprint());
    let first = a.issue(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let second = a.issue(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let serial = |issued: &IssuedCertificate| openssl(&["x509", "-noout", "-serial"], issued.chain.to_pem().as_bytes());
    assert_ne!(serial(&first), serial(&second));
}

#[test]
fn a_host_too_long_for_a_common_name_is_in_the_alternative_name() {
    let long = format!("{}.{}.example.com", "a".repeat(50), "b".repeat(50));
    let ca = CertificateAuthority::create(&host(&long), TlsKeyType::P256, now()).unwrap();
    let issued = ca.issue(&host(&long), TlsKeyType::P256, now()).unwrap();
    assert_eq!(issued.chain.leaf().dns_names(), std::slice::from_ref(&long));
    assert_eq!(issued.chain.leaf().subject(), "");
    assert_eq!(openssl_verifies(&ca.certificate().to_pem(), &issued.chain, &long), Ok(()));
}

/// A CA of openssl with these `extensions` in its certificate.
fn openssl_ca(subject: &str, new_key: &[&str], extensions: &[&str]) -> (CertificateChain, TlsPrivateKey) {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("key.pem");
    let key = openssl(new_key, b"");
    fs::write(&key_file, &key).unwrap();
    let mut arguments =
        vec!["req", "-x509", "-new", "-utf8", "-subj", subject, "-days", "1000", "-key", key_file.to_str().unwrap()];
    for extension in extensions {
        arguments.extend(["-addext", extension]);
    }
    let certificate = openssl(&arguments, b"");
    (CertificateChain::parse(&certificate).unwrap(), TlsPrivateKey::parse(&key).unwrap())
}

const EC_KEY: &[&str] = &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
const CA: &[&str] = &["keyUsage=critical,keyCertSign,cRLSign"];

/// rcgen's names have one value for each attribute, so clients couldn't chain a leaf to a CA with two values of one.
#[test]
fn a_company_ca_with_repeated_name_parts_is_named_exactly() {
    let subject = "/DC=com/DC=example/O=Bücher & Söhne/OU=IT/OU=Security+CN=Company CA";
    for new_key in [EC_KEY, &["genrsa", "3072"], &["genpkey", "-algorithm", "ED25519"]] {
        let (chain, key) = openssl_ca(subject, new_key, CA);
        let root = chain.to_pem();
        let ca = CertificateAuthority::of(&chain, key).unwrap();
        let issued = ca.issue(&host(HOST), TlsKeyType::P256, now()).unwrap();
        assert_eq!(issued.chain.leaf().issuer(), ca.certificate().subject());
        assert_eq!(openssl_verifies(&root, &issued.chain, HOST), Ok(()));
        let (port, server) = serve(&issued, 1);
        assert_eq!(connect(port, ca.certificate(), HOST), Ok("served".to_owned()));
        server.join().unwrap();
    }
}

#[test]
fn the_authority_key_identifier_matches_the_ca() {
    let (chain, key) = openssl_ca("/CN=CA", EC_KEY, CA);
    let issued = CertificateAuthority::of(&chain, key).unwrap().issue(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let extension = |name: &str, certificate: &Certificate| {
        let text = openssl(&["x509", "-noout", "-ext", name], certificate.to_pem().as_bytes());
        String::from_utf8(text).unwrap().lines().nth(1).unwrap().trim().trim_start_matches("keyid:").to_owned()
    };
    let subject = extension("subjectKeyIdentifier", chain.leaf());
    assert_eq!(subject.len(), 59, "the premise: openssl's SHA-1 identifier, which is not rcgen's");
    assert_eq!(extension("authorityKeyIdentifier", issued.chain.leaf()), subject);
}

#[test]
fn a_ca_that_cannot_issue_is_refused() {
    let (chain, _) = openssl_ca("/CN=CA", EC_KEY, CA);
    let stranger = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    assert!(matches!(CertificateAuthority::of(&chain, stranger), Err(IssueError::KeyMismatch { .. })));

    let ca = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let issued = ca.issue(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let IssuedCertificate { chain, key } = issued;
    assert!(matches!(CertificateAuthority::of(&chain, key), Err(IssueError::NotACa { .. })));

    let refused = |extensions: &[&str]| {
        let (chain, key) = openssl_ca("/CN=CA", EC_KEY, extensions);
        match CertificateAuthority::of(&chain, key).unwrap().issue(&host(HOST), TlsKeyType::P256, now()) {
            Err(IssueError::Unusable(problem)) => problem.code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&["keyUsage=critical,digitalSignature"]), "certificate-issuer-not-ca");
    assert_eq!(refused(&[CA[0], "nameConstraints=critical,permitted;DNS:example.org"]), "certificate-name-constraints");
    assert_eq!(refused(&[CA[0], "nameConstraints=critical,excluded;DNS:example.com"]), "certificate-name-constraints");
    assert_eq!(refused(&[CA[0], "extendedKeyUsage=clientAuth"]), "certificate-not-for-servers");
}

#[test]
fn openssl_accepts_the_request_and_a_ca_can_sign_it() {
    for key_type in [TlsKeyType::P256, TlsKeyType::Rsa(RsaBits::Bits3072)] {
        let (request, request_key) = request_certificate(&host(HOST), key_type).unwrap();
        let text = openssl(&["req", "-verify", "-noout", "-text"], request.as_bytes());
        let text = String::from_utf8(text).unwrap();
        for expected in [
            "Subject: CN = auth.example.com",
            "DNS:auth.example.com",
            "TLS Web Server Authentication",
            "Digital Signature",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("CA:"), "{text}");

        // Like a company CA, openssl signs and copies the extensions.
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let (chain, key) = openssl_ca("/CN=CA", EC_KEY, CA);
        fs::write(file("ca.pem"), chain.to_pem()).unwrap();
        fs::write(file("ca.key"), key.pem.expose()).unwrap();
        let sign = [
            "x509",
            "-req",
            "-days",
            "90",
            "-copy_extensions",
            "copy",
            "-CA",
            &file("ca.pem"),
            "-CAkey",
            &file("ca.key"),
        ];
        let certificate = openssl(&sign, request.as_bytes());
        let both = [certificate, chain.to_pem().into_bytes()].concat();
        let chain = CertificateChain::parse(&both).unwrap();
        assert_eq!(check_certificate(&chain, Some(&request_key), &host(HOST), now()), []);
    }
}

#[test]
fn an_issued_chain_parses_from_its_files() {
    let ca = CertificateAuthority::create(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let issued = ca.issue(&host(HOST), TlsKeyType::P256, now()).unwrap();
    let chain = CertificateChain::parse(issued.chain.to_pem().as_bytes()).unwrap();
    let key = TlsPrivateKey::parse(issued.key.pem.expose().as_bytes()).unwrap();
    assert_eq!(key.pem, issued.key.pem);
    assert_eq!(check_certificate(&chain, Some(&key), &host(HOST), now()), []);
    assert_eq!(chain.leaf().public_key_fingerprint(), key.fingerprint());
    let ca_chain = CertificateChain::parse(ca.certificate().to_pem().as_bytes()).unwrap();
    let ca_key = TlsPrivateKey::parse(ca.key.pem.expose().as_bytes()).unwrap();
    assert!(CertificateAuthority::of(&ca_chain, ca_key).unwrap().issue(&host(HOST), TlsKeyType::P256, now()).is_ok());
}
