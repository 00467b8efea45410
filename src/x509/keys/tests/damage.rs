//! Damaged key files: MAS's loader loads every accepted file as the same key.

use proptest::prelude::*;

use super::*;

/// Damage from an editor, copy and paste, or a template.
#[derive(Debug, Clone)]
enum Damage {
    Insert(usize, &'static str),
    Delete(usize, usize),
    Flip(usize, u8),
    Replace(&'static str, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let snippets = [
        "\n",
        "\r",
        "\r\n",
        " ",
        "\t",
        "\\n",
        "x",
        "-",
        ":",
        "=",
        "A",
        "\0",
        "é",
        "-----BEGIN ",
        "-----END PRIVATE KEY-----",
    ];
    let replaced = [
        ("\n", "\r\n"),
        ("\n", "\r"),
        ("\n", " "),
        ("\n", "\n\n"),
        ("\n", "\n "),
        ("RSA ", ""),
        ("-----", "----"),
        ("KEY", "key"),
    ];
    prop_oneof![
        (0usize..2000, prop::sample::select(snippets.to_vec())).prop_map(|(at, text)| Damage::Insert(at, text)),
        (0usize..2000, 1usize..70).prop_map(|(at, length)| Damage::Delete(at, length)),
        (0usize..2000, any::<u8>()).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        prop::sample::select(replaced.to_vec()).prop_map(|(from, to)| Damage::Replace(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    match *damage {
        Damage::Insert(at, text) => {
            // Half of the insertions are at the ends, as from editors.
            let at = if at % 4 == 0 {
                0
            } else if at % 4 == 1 {
                bytes.len()
            } else {
                at.min(bytes.len())
            };
            bytes.splice(at..at, text.bytes());
        }
        Damage::Delete(at, length) => {
            let start = at.min(bytes.len());
            let end = (start + length).min(bytes.len());
            bytes.drain(start..end);
        }
        Damage::Flip(at, mask) => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= mask;
            }
        }
        Damage::Replace(from, to) => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                *bytes = text.replace(from, to).into_bytes();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The Secret gets no key that MAS refuses.
    #[test]
    fn mas_loads_every_accepted_key_as_the_same_key(pkcs1 in any::<bool>(), damages in prop::collection::vec(damage(), 0..3)) {
        let mut bytes = if pkcs1 { PKCS1.clone() } else { PKCS8.clone() }.into_bytes();
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        let loaded = mas_loads(&bytes);
        if let Ok(key) = RsaPrivateKey::parse(&bytes) {
            let loaded = loaded.expect("MAS refuses what was accepted");
            prop_assert_eq!(URL_SAFE_NO_PAD.encode(loaded.n().to_bytes_be()), key.modulus_base64url());
            prop_assert_eq!(key.pem.expose().as_bytes(), &bytes[..]);
        }
    }
}

/// Valid PEM with a changed byte in its DER.
fn with_changed_der(pem: &str, label: &str, at: usize, mask: u8) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(base64).unwrap();
    let at = at % der.len();
    der[at] ^= mask;
    pem::encode(label, &der).into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Half of the changes are in the first sixty bytes, the structure; the rest are in the numbers.
    #[test]
    fn changed_numbers_and_structures_are_accepted_only_if_mas_loads_them(
        pkcs1 in any::<bool>(), right_label in prop::bool::weighted(0.9), at in prop_oneof![0usize..60, 0usize..1300], mask in any::<u8>(),
    ) {
        let (pem, label) = if pkcs1 { (&*PKCS1, "RSA PRIVATE KEY") } else { (&*PKCS8, "PRIVATE KEY") };
        let label = if right_label { label } else { "PRIVATE KEY" };
        let bytes = with_changed_der(pem, label, at, mask);
        if let Ok(key) = RsaPrivateKey::parse(&bytes) {
            let loaded = mas_loads(&bytes).expect("MAS refuses what was accepted");
            prop_assert_eq!(URL_SAFE_NO_PAD.encode(loaded.n().to_bytes_be()), key.modulus_base64url());
        }
    }

    #[test]
    fn arbitrary_text_around_begin_and_end_never_panics(text in "(-----(BEGIN|END) (RSA )?(PRIVATE|PUBLIC) KEY-----|[A-Za-z0-9+/=é:\\\\ \n\r-]{0,70}){0,8}") {
        prop_assert!(RsaPrivateKey::parse(text.as_bytes()).is_err());
        prop_assert!(crate::x509::TlsPrivateKey::parse(text.as_bytes()).is_err());
        prop_assert!(crate::x509::CertificateChain::parse(text.as_bytes()).is_err());
    }
}
