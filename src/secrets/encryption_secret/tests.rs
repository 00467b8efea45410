//! Tests of the encryption secret.

mod keyed;

use proptest::prelude::*;

use super::*;

const GOOD: &str = "6d9c1b40f2e85a7731c0de94b6a82f5513e7ca0984d26bf01f5ab3c86e9d7240";

fn error(value: impl AsRef<[u8]>) -> EncryptionSecretError {
    EncryptionSecret::parse(value.as_ref()).unwrap_err()
}

fn hex_of(bytes: &[u8; 32]) -> String {
    EncryptionSecret::from_bytes(Zeroizing::new(*bytes)).value().expose().to_owned()
}

#[test]
fn generates_sixty_four_lower_case_digits_that_differ_each_time() {
    let a = EncryptionSecret::generate().unwrap();
    let b = EncryptionSecret::generate().unwrap();
    assert_eq!(a.value().expose().len(), 64);
    assert!(a.value().expose().bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    assert_ne!(a, b);
    assert_ne!(a.fingerprint(), b.fingerprint());
    assert_eq!(EncryptionSecret::parse(a.value().expose().as_bytes()).unwrap(), a);
}

#[test]
fn upper_and_mixed_case_are_the_same_secret_kept_as_written() {
    let lower = EncryptionSecret::parse(GOOD.as_bytes()).unwrap();
    let upper = EncryptionSecret::parse(GOOD.to_uppercase().as_bytes()).unwrap();
    assert_eq!(lower, upper);
    assert_eq!(lower.fingerprint(), upper.fingerprint());
    assert_eq!(upper.value().expose(), GOOD.to_uppercase());
}

#[test]
fn debug_output_contains_only_the_fingerprint() {
    let shown = format!("{:?}", EncryptionSecret::parse(GOOD.as_bytes()).unwrap());
    assert!(shown.contains("sha256:") && !shown.contains("6d9c"), "{shown}");
}

#[test]
fn each_invalid_format_has_its_own_error() {
    use EncryptionSecretError as E;
    let raw = decode_hex(GOOD.as_bytes()).unwrap();
    for spoilt in [
        format!("{GOOD}\n"),
        format!("{GOOD}\r\n"),
        format!(" {GOOD}"),
        format!("{GOOD}\n\n"),
        format!("{}\n{}\n", &GOOD[..32], &GOOD[32..]),
    ] {
        assert_eq!(error(spoilt), E::WhiteSpace);
    }
    assert_eq!(error(STANDARD.encode(GOOD)), E::OtherEncoding);
    assert_eq!(error(format!("{}\n", STANDARD.encode(format!("{GOOD}\n")))), E::OtherEncoding);
    assert_eq!(error(STANDARD.encode(raw)), E::OtherEncoding);
    assert_eq!(error(raw), E::OtherEncoding);
    assert_eq!(error(format!("0x{GOOD}")), E::NotHex { position: 2, length: 66 });
    assert_eq!(error(format!("\"{GOOD}\"")), E::NotHex { position: 1, length: 66 });
    assert_eq!(error(""), E::Empty);
    assert_eq!(error(" \n"), E::Empty);
    assert_eq!(error(&GOOD[..32]), E::Length { digits: 32 });
    assert_eq!(error(&GOOD[..63]), E::Length { digits: 63 });
    assert_eq!(error(format!("{GOOD}00")), E::Length { digits: 66 });
    assert_eq!(
        error(format!("0x{}", &GOOD[2..])),
        E::NotHex { position: 2, length: 64 },
        "64 characters with the prefix"
    );
    assert_eq!(error(GOOD.replacen('1', "g", 1)), E::NotHex { position: 5, length: 64 });
    assert_eq!(error([0xff, 0xfe]), E::NotHex { position: 1, length: 2 });
}

#[test]
fn a_base64_digit_string_of_the_right_kind_is_not_mistaken_for_hex() {
    // 88 hex digits have the length of base64, but are not base64.
    assert_eq!(error("a".repeat(88)), EncryptionSecretError::Length { digits: 88 });
}

#[test]
fn obviously_non_random_values_are_refused_with_the_reason() {
    let mut padded = [0u8; 32];
    padded[31] = 1;
    let mut half = decode_hex(GOOD.as_bytes()).unwrap();
    half[..16].fill(0);
    let mut counting = [0u8; 32];
    let mut steps = [0u8; 32];
    for (index, byte) in (0u8..).zip(0..32) {
        counting[byte] = index;
        steps[byte] = index.wrapping_mul(0x11).wrapping_add(7);
    }
    let cases = [
        ("00".repeat(32), "repeated"),
        ("ff".repeat(32), "repeated"),
        ("deadbeef".repeat(8), "repeated"),
        ("0123456789abcdef".repeat(4), "repeated"),
        (format!("{}{}", &GOOD[..32], &GOOD[..32]), "repeated"),
        (hex_of(&counting), "equal steps"),
        (hex_of(&steps), "equal steps"),
        (hex_of(&padded), "twelve different"),
        ("0011223344556677".to_owned() + &"0011220033440055".repeat(3), "twelve different"),
        (hex_of(&half), "in a row"),
        (hex_of(b"correct horse battery staple 123"), "it is text"),
        (hex_of(b"6d9c1b40f2e85a7731c0de94b6a82f55"), "it is text"),
    ];
    for (value, weakness) in cases {
        let EncryptionSecretError::Weak(said) = error(&value) else { panic!("{value}") };
        assert!(said.contains(weakness), "{value}: {said}");
        let in_use = EncryptionSecret::parse_in_use(value.as_bytes()).unwrap();
        assert_eq!(in_use.weakness(), Some(said), "MAS may already use it");
    }
}

#[test]
fn no_random_value_is_refused() {
    for _ in 0..100_000 {
        let secret = EncryptionSecret::generate().unwrap();
        assert_eq!(secret.weakness(), None, "{}", secret.value().expose());
    }
}

proptest! {
    #[test]
    fn exactly_sixty_four_hex_digits_are_accepted(value in "[0-9a-fA-Fx \n]{60,68}|[0-9a-fA-F]{62,66}|.{0,70}") {
        let well_formed = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        prop_assert_eq!(EncryptionSecret::parse_in_use(value.as_bytes()).is_ok(), well_formed);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_no_message_repeats_them(value in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Err(error) = EncryptionSecret::parse(&value) {
            let message = error.to_string();
            if let Ok(text) = std::str::from_utf8(&value) && text.trim().len() > 8 {
                prop_assert!(!message.contains(text.trim()));
            }
            prop_assert!(message.ends_with(|c: char| !c.is_whitespace()));
        }
    }
}
