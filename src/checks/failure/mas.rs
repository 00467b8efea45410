//! MAS's and syn2mas's own configuration and secrets. From MAS's `crates/config`, `crates/keystore` and
//! `crates/syn2mas/src/synapse_reader/config`.

use super::{Course, Rule, Told, Weight};

const BEFORE: &str = "Nothing was migrated by this try: this comes before anything is copied.";
const ADDITIONAL: &str = "spec.components.synapse.config.additional";

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "encryption-secret-form",
        weight: Weight::Decisive,
        phrases: &["must contain hex characters encoding exactly 32 bytes"],
        tell: |message, _| {
            let seen = if message.says("Odd number of digits") {
                " Most likely it ends in a line feed, as `openssl rand -hex 32 > file` makes it."
            } else if message.says("Invalid character") {
                " There is a character in it that is no hexadecimal digit."
            } else if message.says("Invalid string length") {
                " It has another length."
            } else {
                ""
            };
            Some(
                Told::new(
                    Course::Mend,
                    format!("MAS's encryption secret is not exactly 64 hexadecimal digits.{seen}"),
                    "Before the first activation: take the key encryptionSecret out of MAS's Secret and run `prepare`, which makes \
                     a good one. Afterwards keep its digits and remove only what does not belong there.",
                )
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "signing-key-unreadable",
        weight: Weight::Decisive,
        phrases: &["could not import keys from config", "Unsupported format"],
        tell: |message, _| {
            // The second phrase is an everyday one; it counts as an error of its own, or beside a key.
            let named =
                message.says("could not import keys") || message.says("private key") || message.says("signing key");
            let alone = stands_alone(&message.plain, "unsupported format");
            (named || alone).then(|| {
                Told::new(
                    Course::Mend,
                    "MAS cannot read its signing key. It wants PEM exactly as openssl writes it: no blank line or text after the \
                     END line, no indentation, lines of 64 characters.",
                    "Take rsaPrivateKey out of MAS's Secret and run `prepare`, which makes a good one, or write it anew with \
                     `openssl pkey -in FILE`. MAS may be given another signing key at any time.",
                )
            })
        },
    },
    Rule {
        code: "synapse-configuration-unreadable",
        weight: Weight::Decisive,
        phrases: &["Failed to load Synapse configuration"],
        tell: |message, _| {
            let hint = if message.says("password_config") || message.says("only_for_reauth") {
                " password_config.enabled must be true or false; `only_for_reauth` is none of them here."
            } else {
                ""
            };
            Some(
                Told::new(
                    Course::Change,
                    format!("MAS's tool reads Synapse's configuration more strictly than Synapse, and a value has another type than it expects.{hint}"),
                    format!(
                        "The message names the setting. Correct it in {ADDITIONAL}: true and false without quotation marks, no \
                         `yes`, `on` or empty sections."
                    ),
                )
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "synapse-not-on-postgres",
        weight: Weight::Decisive,
        phrases: &["syn2mas does not support the"],
        tell: |message, at| {
            (!message.until(at, "database driver").is_empty()).then(|| {
                Told::new(
                    Course::Change,
                    "Synapse does not use PostgreSQL, and accounts can be migrated from PostgreSQL only.",
                    "Move Synapse's database to PostgreSQL first (Synapse's synapse_port_db).",
                )
                .proves(BEFORE)
            })
        },
    },
    Rule {
        code: "synapse-database-named-twice",
        weight: Weight::Decisive,
        phrases: &["Only one of `database` and `dbname` may be specified"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Change,
                    "Synapse's database settings have both `database` and `dbname`.",
                    format!("Take `database` out of database.args in {ADDITIONAL}."),
                )
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "mas-configuration-invalid",
        weight: Weight::Decisive,
        phrases: &["failed to load MAS config", "failed to load MAS password config"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Support,
                    "MAS does not accept its own configuration, which the operator writes from the deployment's spec.",
                    "The message names the setting. If it is about an upstream provider's id, that provider's idpId is no ULID: do \
                     not rename it, ask the vendor's support. Otherwise look into what was added to MAS's configuration by hand.",
                )
                .proves(BEFORE),
            )
        },
    },
];

/// Whether these words are all that an error says: nothing before them but a label, nothing after them on their line.
fn stands_alone(text: &str, words: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].trim_end_matches([' ', '\t']).chars().next_back();
        let after = text[at + words.len()..].trim_start_matches([' ', '\t']).chars().next();
        let begins = before.is_none_or(|c| "\n:\"'".contains(c));
        begins && after.is_none_or(|c| "\r\n\"'".contains(c))
    })
}
