//! Tests of keys of TLS certificates.

use super::*;

const EC: [&str; 4] = ["genpkey", "-algorithm", "EC", "-pkeyopt"];

#[test]
fn every_format_of_openssl_is_parsed_and_written_as_pkcs8() {
    let p256 = openssl(&[&EC[..], &["ec_paramgen_curve:P-256"]].concat(), b"");
    let rsa = openssl(&["genrsa", "2048"], b"");
    let keys = [
        p256.clone(),
        openssl(&["ec"], &p256),
        openssl(&["ecparam", "-name", "prime256v1", "-genkey"], b""),
        openssl(&[&EC[..], &["ec_paramgen_curve:P-384"]].concat(), b""),
        openssl(&[&EC[..], &["ec_paramgen_curve:P-521"]].concat(), b""),
        openssl(&["genpkey", "-algorithm", "ED25519"], b""),
        rsa.clone(),
        openssl(&["rsa", "-traditional"], &rsa),
    ];
    for pem in keys {
        let key = TlsPrivateKey::parse(&pem).unwrap();
        let spki = openssl(&["pkey", "-pubout", "-outform", "DER"], &pem);
        assert_eq!(key.fingerprint(), Fingerprint::of_public(&spki));
        let written = key.pem.expose().as_bytes();
        assert!(written.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(openssl(&["pkey", "-pubout", "-outform", "DER"], written), spki);
        assert_eq!(TlsPrivateKey::parse(written).unwrap().pem, key.pem);
    }
}

#[test]
fn unusable_tls_keys_have_specific_errors() {
    use KeyError as E;
    let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    let pem = key.pem.expose();
    let parse = |bytes: &[u8]| TlsPrivateKey::parse(bytes).unwrap_err();
    assert!(matches!(parse(b"\n"), E::OtherFormat(OtherFormat("empty"))));
    assert!(matches!(parse(b"hello"), E::NoKey));
    assert!(matches!(parse(&openssl(&["pkey", "-pubout"], pem.as_bytes())), E::OtherFormat(OtherFormat("public-key"))));
    assert!(matches!(parse(format!("{pem}{pem}").as_bytes()), E::SeveralKeys { count: 2 }));
    let rsa = openssl(&["genrsa", "2048"], b"");
    for arguments in [&["pkcs8", "-topk8"][..], &["rsa", "-traditional", "-aes128"]] {
        let encrypted = openssl(&[arguments, &["-passout", "pass:x"]].concat(), &rsa);
        assert!(matches!(parse(&encrypted), E::Encrypted), "{arguments:?}");
    }
    assert!(matches!(parse(&openssl(&["genrsa", "1024"], b"")), E::Unusable));
    assert!(matches!(parse(&openssl(&[&EC[..], &["ec_paramgen_curve:secp256k1"]].concat(), b"")), E::Unusable));
    assert!(matches!(parse(&pem.as_bytes()[..100]), E::Unusable), "cut off");
}

#[test]
fn layouts_that_servers_refuse_are_refused_with_a_remedy() {
    use KeyError as E;
    let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    let pem = key.pem.expose();
    let parse = |bytes: &[u8]| TlsPrivateKey::parse(bytes).unwrap_err();
    let indented: String = pem.lines().flat_map(|line| ["  ", line, "\n"]).collect();
    for spoilt in [pem.replace('\n', "\\n"), pem.replace('\n', " "), indented] {
        assert_eq!(parse(spoilt.as_bytes()), E::Layout);
    }
    let der = openssl(&["pkey", "-outform", "DER"], pem.as_bytes());
    assert_eq!(parse(&der), E::OtherFormat(OtherFormat("private-key-der")));
    let marked = ["\u{feff}", pem].concat();
    assert_eq!(parse(marked.as_bytes()), E::OtherFormat(OtherFormat("byte-order-mark")));
}

#[test]
fn debug_shows_the_fingerprint_only() {
    let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
    assert_eq!(format!("{key:?}"), format!("TlsPrivateKey({})", key.fingerprint()));
}
