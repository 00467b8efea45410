//! Tests of the key rules against the crates that MAS loads keys with.

use std::sync::LazyLock;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::engine::general_purpose::STANDARD;
use rsa::{
    pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _},
    pkcs8::DecodePrivateKey as _,
    traits::PublicKeyParts as _,
};

use super::*;
use crate::x509::OtherFormat;
use crate::x509::test_support::openssl;

/// One generated key for all tests, in both formats.
static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate(RsaBits::Bits2048).unwrap());
static PKCS8: LazyLock<String> = LazyLock::new(|| KEY.pem.expose().to_owned());
static PKCS1: LazyLock<String> = LazyLock::new(|| {
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(&PKCS8).unwrap();
    key.to_pkcs1_pem(rsa::pkcs8::LineEnding::LF).unwrap().to_string()
});

/// MAS's loader of a signing key: the PEM rules of pem-rfc7468 0.7, then rsa 0.9 by label. For invalid PEM, MAS tries DER. Other
/// key types count as refused, because RS256 needs RSA.
fn mas_loads(bytes: &[u8]) -> Option<rsa::RsaPrivateKey> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok((label, der)) = pem_rfc7468::decode_vec(text.as_bytes())
    {
        return match label {
            "PRIVATE KEY" => rsa::RsaPrivateKey::from_pkcs8_der(&der).ok(),
            "RSA PRIVATE KEY" => rsa::RsaPrivateKey::from_pkcs1_der(&der).ok(),
            _ => None,
        };
    }
    rsa::RsaPrivateKey::from_pkcs8_der(bytes).or_else(|_| rsa::RsaPrivateKey::from_pkcs1_der(bytes)).ok()
}

fn refused(bytes: impl AsRef<[u8]>) -> KeyError {
    RsaPrivateKey::parse(bytes.as_ref()).expect_err("must be refused")
}

#[test]
fn generated_keys_have_the_size_asked_for_and_mas_loads_them() {
    for (bits, expected) in [(RsaBits::default(), 2048), (RsaBits::Bits3072, 3072), (RsaBits::Bits4096, 4096)] {
        let key = RsaPrivateKey::generate(bits).unwrap();
        assert_eq!(key.bits(), expected);
        let loaded = mas_loads(key.pem.expose().as_bytes()).expect("MAS loads it");
        assert_eq!(loaded.n().bits(), expected);
        assert_eq!(URL_SAFE_NO_PAD.encode(loaded.n().to_bytes_be()), key.modulus_base64url());
        assert_eq!(RsaPrivateKey::parse(key.pem.expose().as_bytes()).unwrap().fingerprint, key.fingerprint);
    }
}

#[test]
fn openssl_agrees_about_text_and_fingerprint() {
    let pem = PKCS8.as_bytes();
    assert_eq!(openssl(&["pkey"], pem), pem, "byte for byte what openssl writes");
    let spki = openssl(&["pkey", "-pubout", "-outform", "DER"], pem);
    assert_eq!(KEY.fingerprint, Fingerprint::of_public(&spki));
    openssl(&["pkey", "-check", "-noout"], pem);
}

#[test]
fn keys_of_openssl_are_accepted_in_both_formats() {
    let pkcs8 = openssl(&["genrsa", "2048"], b"");
    let pkcs1 = openssl(&["rsa", "-traditional"], &pkcs8);
    let a = RsaPrivateKey::parse(&pkcs8).unwrap();
    let b = RsaPrivateKey::parse(&pkcs1).unwrap();
    assert!(pkcs1.starts_with(b"-----BEGIN RSA PRIVATE KEY-----"));
    assert_eq!(a.fingerprint, b.fingerprint);
    assert_eq!(b.pem.expose().as_bytes(), pkcs1, "kept as it was given");
    assert_eq!(a.pem.expose().as_bytes(), pkcs8);
}

#[test]
fn keys_that_mas_accepts_are_accepted_unchanged() {
    for pem in [&*PKCS8, &*PKCS1] {
        let variants = [
            pem.clone(),
            pem.replace('\n', "\r\n"),
            pem.trim_end().to_owned(),
            format!("Bag Attributes\n    friendlyName: x\nKey Attributes: <No Attributes>\n{pem}"),
            format!("\n\n{pem}"),
        ];
        for variant in variants {
            assert!(mas_loads(variant.as_bytes()).is_some(), "the premise: MAS loads it");
            let key = RsaPrivateKey::parse(variant.as_bytes()).unwrap();
            assert_eq!(key.fingerprint, KEY.fingerprint);
            assert_eq!(key.pem.expose(), variant);
        }
    }
}

fn each_line(pem: &str, before: &str, after: &str) -> String {
    let lines: Vec<_> = pem.lines().map(|line| [before, line, after].concat()).collect();
    lines.join("\n") + "\n"
}

/// MAS refuses these layouts of a valid key; the error has the command that converts it.
#[test]
fn an_invalid_layout_is_refused_with_the_command_that_converts() {
    for pem in [&*PKCS8, &*PKCS1] {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let (begin, end) = (pem.lines().next().unwrap(), pem.lines().last().unwrap());
        let columns = |width: usize| {
            let lines: Vec<_> = body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            format!("{begin}\n{}\n{end}\n", lines.join("\n"))
        };
        let middle = pem.len() / 2;
        let middle = middle + pem[middle..].find('\n').unwrap();
        let cases = [
            format!("{pem}\n"),
            format!("{pem}\r\n\r\n"),
            format!("{pem} \n"),
            format!("{pem}end of key\n"),
            each_line(pem, "    ", ""),
            each_line(pem, "\t", ""),
            pem.replacen('\n', "\n  ", 3),
            format!("  {pem}"),
            each_line(pem, "", " "),
            format!("{}\n{}", &pem[..middle], &pem[middle..]),
            columns(76),
            columns(60),
            columns(10_000),
            pem.replace('\n', " "),
            pem.replace('\n', ""),
            pem.replace('\n', "\\n"),
            format!("\"{}\"", pem.replace('\n', "\\n")),
            format!("\0\n{pem}"),
            format!("{pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ];
        for spoilt in cases {
            assert!(mas_loads(spoilt.as_bytes()).is_none(), "the premise: MAS refuses it");
            let error = refused(&spoilt);
            assert_eq!(error, KeyError::Layout, "{}", spoilt.replace(&body[100..], "…"));
            assert!(error.to_string().contains("openssl pkey -in FILE -out FILE.pem"));
        }
        let not_text = [b"K\xe4se\n".as_slice(), pem.as_bytes()].concat();
        assert_eq!(refused(&not_text), KeyError::Layout);
        let swapped = if pem.contains("RSA") { pem.replace("RSA ", "") } else { pem.replace("PRIVATE", "RSA PRIVATE") };
        assert!(mas_loads(swapped.as_bytes()).is_none(), "the premise");
        assert_eq!(refused(swapped), KeyError::Damaged);
        assert_eq!(refused(format!("\u{feff}{pem}")), KeyError::OtherFormat(OtherFormat("byte-order-mark")));
        assert_eq!(refused(STANDARD.decode(&body).unwrap()), KeyError::OtherFormat(OtherFormat("private-key-der")));
    }
}

#[test]
fn old_mac_and_mixed_line_breaks_are_accepted_as_in_mas() {
    let lines: Vec<_> = PKCS8.lines().collect();
    for odd in [PKCS8.replace('\n', "\r"), format!("{}\r\n{}\n", lines[..5].join("\r\n"), lines[5..].join("\n"))] {
        assert_eq!(RsaPrivateKey::parse(odd.as_bytes()).is_ok(), mas_loads(odd.as_bytes()).is_some());
    }
}

#[test]
fn unusable_rsa_keys_have_specific_errors() {
    use KeyError as P;
    let pass = ["-passout", "pass:secret"];
    let pem = PKCS8.as_bytes();
    let der = STANDARD.decode(PKCS8.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    let ec = P::OtherKind(EC_KEY);
    let second = RsaPrivateKey::generate(RsaBits::Bits2048).unwrap();
    let mut lines: Vec<_> = PKCS8.lines().collect();
    lines.remove(7);
    let cases: Vec<(&str, Vec<u8>, P)> = vec![
        ("empty", b"".to_vec(), P::OtherFormat(OtherFormat("empty"))),
        ("white space", b" \n".to_vec(), P::OtherFormat(OtherFormat("empty"))),
        ("prose", b"the key is on the other server\n".to_vec(), P::NoKey),
        ("cut off", PKCS8.as_bytes()[..800].to_vec(), P::Layout),
        ("spoilt base64", PKCS8.replacen("MII", "M!I", 1).into_bytes(), P::Layout),
        ("a line missing", lines.join("\n").into_bytes(), P::Damaged),
        ("two keys", format!("{}{}", *PKCS8, second.pem.expose()).into_bytes(), P::SeveralKeys { count: 2 }),
        ("legacy encryption", openssl(&["rsa", "-traditional", "-aes128", pass[0], pass[1]], pem), P::Encrypted),
        ("encrypted PKCS#8", openssl(&["pkcs8", "-topk8", pass[0], pass[1]], pem), P::Encrypted),
        (
            "encrypted PKCS#8, DER",
            openssl(&["pkcs8", "-topk8", "-outform", "DER", pass[0], pass[1]], pem),
            P::OtherFormat(OtherFormat("encrypted-key-der")),
        ),
        ("public", openssl(&["pkey", "-pubout"], pem), P::OtherFormat(OtherFormat("public-key"))),
        (
            "public, DER",
            openssl(&["pkey", "-pubout", "-outform", "DER"], pem),
            P::OtherFormat(OtherFormat("public-key-der")),
        ),
        ("public, PKCS#1", openssl(&["rsa", "-RSAPublicKey_out"], pem), P::OtherFormat(OtherFormat("public-key"))),
        (
            "multi-prime",
            openssl(&["genrsa", "-primes", "3", "2048"], b""),
            P::OtherKind("an RSA key of more than two primes"),
        ),
        ("512 bits", openssl(&["genrsa", "512"], b""), P::Size { bits: 512 }),
        ("1024 bits", openssl(&["genrsa", "1024"], b""), P::Size { bits: 1024 }),
        ("2047 bits", openssl(&["genrsa", "2047"], b""), P::Size { bits: 2047 }),
        ("PSS", openssl(&["genpkey", "-algorithm", "RSA-PSS"], b""), P::OtherKind("an RSA-PSS key")),
        ("EC, SEC1", openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], b""), ec),
        ("EC, SEC1 with parameters", openssl(&["ecparam", "-name", "prime256v1", "-genkey"], b""), ec),
        ("EC, PKCS#8", openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], b""), ec),
        ("EC, DER", ec_der(), P::OtherFormat(OtherFormat("private-key-der"))),
        (
            "Ed25519",
            openssl(&["genpkey", "-algorithm", "ED25519"], b""),
            P::OtherKind("a key of another kind than RSA"),
        ),
        (
            "request",
            openssl(&["req", "-new", "-subj", "/CN=x", "-key", "/dev/stdin"], pem),
            P::OtherFormat(OtherFormat("request")),
        ),
        (
            "certificate",
            openssl(&["req", "-x509", "-new", "-subj", "/CN=x", "-key", "/dev/stdin"], pem),
            P::OtherFormat(OtherFormat("certificate")),
        ),
        (
            "OpenSSH",
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n".to_vec(),
            P::OtherFormat(OtherFormat("open-ssh-key")),
        ),
        ("another", b"-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n".to_vec(), P::NoKey),
        (
            "numbers that do not belong together",
            pem::encode("PRIVATE KEY", &with_a_bit_flipped(&der)).into_bytes(),
            P::Damaged,
        ),
    ];
    for (what, bytes, expected) in cases {
        assert_eq!(refused(&bytes), expected, "{what}");
    }
}

fn ec_der() -> Vec<u8> {
    use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    AsDer::<EcPrivateKeyRfc5915Der<'_>>::as_der(&key.private_key()).unwrap().as_ref().to_vec()
}

/// Changes the middle of the private exponent, which keeps the structure valid.
fn with_a_bit_flipped(der: &[u8]) -> Vec<u8> {
    let mut der = der.to_vec();
    der[400] ^= 1;
    der
}

#[test]
fn debug_shows_size_and_fingerprint_only() {
    let secret_line = PKCS8.lines().nth(12).unwrap();
    let error = refused(format!("{}\n", *PKCS8).as_bytes());
    for shown in [format!("{:?}", *KEY), format!("{error:?}"), format!("{error:#?}"), error.to_string()] {
        assert!(!shown.contains(secret_line), "{shown}");
    }
    assert!(format!("{:?}", *KEY).starts_with("RsaPrivateKey(2048 bits, sha256:"));
}

mod damage;
mod tls;
