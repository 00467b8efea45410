//! Tests of keyed fingerprints.

use proptest::prelude::*;

use super::*;

fn key() -> EncryptionSecret {
    EncryptionSecret::parse(b"6d9c1b40f2e85a7731c0de94b6a82f5513e7ca0984d26bf01f5ab3c86e9d7240").unwrap()
}

fn other_key() -> EncryptionSecret {
    EncryptionSecret::parse(b"6d9c1b40f2e85a7731c0de94b6a82f5513e7ca0984d26bf01f5ab3c86e9d7241").unwrap()
}

#[test]
fn of_public_is_plain_sha256() {
    // NIST's test vector for "abc".
    let fingerprint = Fingerprint::of_public(b"abc");
    assert_eq!(format!("{fingerprint:#}"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(fingerprint.to_string(), "sha256:ba7816bf8f01");
}

#[test]
fn fingerprints_of_guessable_values_depend_on_the_key() {
    let shown = Fingerprint::of_guessable("postgresPassword", b"hunter2", &key());
    assert!(shown.to_string().starts_with("hmac-sha256:"));
    assert_eq!(shown, Fingerprint::of_guessable("postgresPassword", b"hunter2", &key()));
    assert_ne!(shown, Fingerprint::of_guessable("postgresPassword", b"hunter2", &other_key()));
    assert_ne!(shown, Fingerprint::of_guessable("other", b"hunter2", &key()));
    let digits = |fingerprint: Fingerprint| format!("{fingerprint:#}").split_off("hmac-".len());
    assert_ne!(digits(shown), format!("{:#}", Fingerprint::of_public(b"hunter2")));
}

#[test]
fn the_encryption_secret_is_not_its_plain_sha256() {
    let secret = key();
    assert_ne!(secret.fingerprint(), Fingerprint::of_public(&*secret.bytes));
    assert_ne!(secret.fingerprint(), Fingerprint::of_public(secret.value().expose().as_bytes()));
}

#[test]
fn the_short_form_is_not_parsed() {
    let fingerprint = Fingerprint::of_public(b"abc");
    assert!(serde_json::from_value::<Fingerprint>(fingerprint.to_string().into()).is_err());
    let json = serde_json::to_string(&fingerprint).unwrap();
    assert_eq!(json.len(), 2 + 7 + 64);
    assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
}

fn digest(contents: &BTreeMap<String, Vec<u8>>, key: &EncryptionSecret) -> Fingerprint {
    contents_digest(contents.iter().map(|(name, value)| (name.as_str(), value.as_slice())), key)
}

#[test]
fn moving_a_byte_between_key_and_value_changes_the_digest() {
    let one = |name: &'static str, value: &'static str| contents_digest([(name, value.as_bytes())], &key());
    assert_ne!(one("ab", "c"), one("a", "bc"));
    assert_ne!(one("a", ""), contents_digest([], &key()));
}

#[test]
fn the_order_of_the_keys_does_not_matter() {
    let (a, b) = (("a", &b"1"[..]), ("b", &b"2"[..]));
    assert_eq!(contents_digest([a, b], &key()), contents_digest([b, a], &key()));
}

/// Stored in clusters and compared by later versions. The expected values were computed with Python's hmac and hashlib.
#[test]
fn fingerprints_of_earlier_versions_stay_the_same() {
    assert_eq!(
        format!("{:#}", key().fingerprint()),
        "sha256:22c012ad6c983528597c2ed442823649c5b555b5e92063bcd0a3925968669f29"
    );
    let password = Fingerprint::of_guessable("postgresPassword", b"hunter2", &key());
    assert_eq!(format!("{password:#}"), "hmac-sha256:ae00bd21331112675ea5a49809166bd6ca946f1805024569955d944d7b4ee9c9");
    let contents = contents_digest([("postgresPassword", &b"hunter2"[..]), ("empty", b"")], &key());
    assert_eq!(format!("{contents:#}"), "hmac-sha256:f503e992259c064bae41fa687873301a244489c7cdb5f6a798e069142c496ea5");
}

proptest! {
    #[test]
    fn contents_are_equal_exactly_when_their_digests_are(
        a in prop::collection::btree_map("[a-c]{0,2}", prop::collection::vec(0u8..3, 0..3), 0..4),
        b in prop::collection::btree_map("[a-c]{0,2}", prop::collection::vec(0u8..3, 0..3), 0..4),
    ) {
        prop_assert_eq!(a == b, digest(&a, &key()) == digest(&b, &key()));
        prop_assert_ne!(digest(&a, &key()), digest(&a, &other_key()));
    }
}
