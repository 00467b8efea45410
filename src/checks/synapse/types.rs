//! The types that syn2mas expects in Synapse's configuration. It is stricter than Synapse, and one wrong type makes it
//! refuse the whole. Source: syn2mas's own reader; held against its configuration library in tests/synapse.

use crate::yaml::{Kind, Node, Resolved, Scalar};

/// What syn2mas takes for a key. A key that is absent is always fine where it is looked at here.
pub(super) enum Shape {
    Bool,
    Text,
    /// An unsigned number up to this one.
    Number(u64),
    TextList,
    /// Any mapping of texts.
    TextMap,
    /// An absolute URL.
    Url,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    Section(&'static [Field]),
    List(&'static [Field]),
}

/// A key, what it takes, and whether `null` will do.
pub(super) struct Field {
    key: &'static str,
    shape: Shape,
    nullable: bool,
}

const fn must(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, nullable: false }
}

const fn may(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, nullable: true }
}

/// Sections of which only `enabled` is read.
const SWITCH: &[Field] = &[must("enabled", Shape::Bool)];

const PROVIDER: &[Field] = &[
    may("issuer", Shape::Text),
    may("idp_id", Shape::Text),
    may("idp_name", Shape::Text),
    may("idp_brand", Shape::Text),
    must("discover", Shape::Bool),
    may("client_id", Shape::Text),
    may("client_secret", Shape::Text),
    may("client_secret_path", Shape::Text),
    may("client_auth_method", Shape::OneOf(AUTH_METHODS)),
    must("pkce_method", Shape::Text),
    may("id_token_signing_alg_values_supported", Shape::TextList),
    may("scopes", Shape::TextList),
    may("authorization_endpoint", Shape::Url),
    may("token_endpoint", Shape::Url),
    may("userinfo_endpoint", Shape::Url),
    may("jwks_uri", Shape::Url),
    must("skip_verification", Shape::Bool),
    must("backchannel_logout_enabled", Shape::Bool),
    must("user_profile_method", Shape::Text),
    must("enable_registration", Shape::Bool),
    must("additional_authorization_parameters", Shape::TextMap),
    must("forward_login_hint", Shape::Bool),
    must("user_mapping_provider", Shape::Section(MAPPING)),
];

const AUTH_METHODS: &[&str] = &[
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "sign_in_with_apple",
];

const MAPPING: &[Field] = &[must("module", Shape::Text), must("config", Shape::Section(MAPPING_CONFIG))];

const MAPPING_CONFIG: &[Field] = &[
    may("subject_template", Shape::Text),
    may("subject_claim", Shape::Text),
    may("localpart_template", Shape::Text),
    may("display_name_template", Shape::Text),
    may("email_template", Shape::Text),
    must("confirm_localpart", Shape::Bool),
];

/// Everything that syn2mas reads.
pub(super) const CONFIGURATION: &[Field] = &[
    must("database", Shape::Section(&[must("name", Shape::Text), must("args", Shape::Section(DATABASE_ARGS))])),
    must("password_config", Shape::Section(PASSWORDS)),
    may("bcrypt_rounds", Shape::Number(u32::MAX as u64)),
    must("allow_guest_access", Shape::Bool),
    must("enable_registration", Shape::Bool),
    must("enable_registration_captcha", Shape::Bool),
    may("recaptcha_public_key", Shape::Text),
    may("recaptcha_private_key", Shape::Text),
    may("enable_3pid_changes", Shape::Bool),
    may("user_consent", Shape::Section(&[])),
    must("registrations_require_3pid", Shape::TextList),
    must("registration_requires_token", Shape::Bool),
    may("registration_shared_secret", Shape::Text),
    must("login_via_existing_session", Shape::Section(SWITCH)),
    must("cas_config", Shape::Section(SWITCH)),
    must("saml2_config", Shape::Section(SWITCH)),
    must("jwt_config", Shape::Section(SWITCH)),
    may("oidc_config", Shape::Section(PROVIDER)),
    must("oidc_providers", Shape::List(PROVIDER)),
    must("server_name", Shape::Text),
    may("public_baseurl", Shape::Url),
];

const DATABASE_ARGS: &[Field] = &[
    may("user", Shape::Text),
    may("password", Shape::Text),
    may("dbname", Shape::Text),
    may("database", Shape::Text),
    may("host", Shape::Text),
    may("port", Shape::Number(u16::MAX as u64)),
];

const PASSWORDS: &[Field] =
    &[must("enabled", Shape::Bool), must("localdb_enabled", Shape::Bool), may("pepper", Shape::Text)];

/// A value that syn2mas cannot read.
pub(super) struct Mismatch {
    /// Keys joined by dots.
    pub(super) path: String,
    pub(super) line: usize,
    /// What it is, and what it should be: "is null where syn2mas takes true or false only".
    pub(super) what: String,
    /// Whether it is so in both readings of YAML. The operator is known to read YAML 1.1 and to write it anew, after which
    /// one reading is left; which one syn2mas is given is not known for every release.
    pub(super) certain: bool,
}

/// Everything that does not fit, in the order of the table.
pub(super) fn mismatches(root: &Node) -> Vec<Mismatch> {
    let mut found = Vec::new();
    section(root, CONFIGURATION, "", &mut found);
    found
}

fn section(node: &Node, fields: &[Field], prefix: &str, found: &mut Vec<Mismatch>) {
    for field in fields {
        let Some(entry) = node.entry(field.key) else { continue };
        let path = if prefix.is_empty() { field.key.to_owned() } else { format!("{prefix}.{}", field.key) };
        check(&entry.value, field, &path, entry.line, found);
    }
}

fn check(node: &Node, field: &Field, path: &str, line: usize, found: &mut Vec<Mismatch>) {
    let mut report = |what: String, certain: bool| {
        found.push(Mismatch { path: path.to_owned(), line, what, certain });
    };
    // A tag of somebody's own cannot be judged.
    if matches!(node.kind, Kind::Opaque) {
        return;
    }
    let wrong = |why: [bool; 2]| why[0] || why[1];
    let kind = kind_words(node);
    if let Some(scalar) = node.scalar() {
        let bad = readings(scalar).map(|reading| !fits(reading, scalar, field));
        if wrong(bad) {
            let certain = bad[0] && bad[1];
            let what = if certain {
                format!("is {kind} where syn2mas takes {} only", wanted(&field.shape))
            } else {
                format!(
                    "is {}, which is one thing in YAML 1.1 and another in YAML 1.2; syn2mas takes {} only",
                    kind_in_both(scalar),
                    wanted(&field.shape)
                )
            };
            report(what, certain);
        }
        return;
    }
    match (&field.shape, &node.kind) {
        (Shape::Section(fields), Kind::Map(_)) => section(node, fields, path, found),
        // Its reader takes the items one by one for the fields, so it depends on the section whether none will do.
        (Shape::Section(fields), Kind::List(items)) if items.is_empty() || fields.is_empty() => {}
        (Shape::List(fields), Kind::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let element = format!("{path}[{index}]");
                let one = Field { key: "", shape: Shape::Section(fields), nullable: false };
                check(item, &one, &element, item.line, found);
            }
        }
        (Shape::TextList, Kind::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                check(item, &must("", Shape::Text), &format!("{path}[{index}]"), item.line, found);
            }
        }
        (Shape::TextMap, Kind::Map(entries)) => {
            for entry in entries {
                let key = entry.key.as_deref().unwrap_or("?");
                check(&entry.value, &must("", Shape::Text), &format!("{path}.{key}"), entry.line, found);
            }
        }
        (shape, _) => report(format!("is {kind} where syn2mas takes {} only", wanted(shape)), true),
    }
}

fn readings(scalar: &Scalar) -> [Resolved; 2] {
    [scalar.old_reading(), scalar.new_reading()]
}

fn fits(reading: Resolved, scalar: &Scalar, field: &Field) -> bool {
    match (&field.shape, reading) {
        (_, Resolved::Null) => field.nullable,
        (Shape::Bool, Resolved::Bool(_)) | (Shape::Text, Resolved::Text) => true,
        (Shape::Number(most), Resolved::Int(value)) => u64::try_from(value).is_ok_and(|value| value <= *most),
        (Shape::OneOf(names), Resolved::Text) => names.contains(&scalar.text()),
        (Shape::Url, Resolved::Text) => is_url(scalar.text()),
        _ => false,
    }
}

/// Roughly: what lacks a scheme is what people get wrong.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    named && (!matches!(scheme, "http" | "https") || !rest.trim_start_matches('/').is_empty())
}

fn wanted(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "true or false".to_owned(),
        Shape::Text => "a text".to_owned(),
        Shape::Number(most) => format!("a number from 0 to {most}"),
        Shape::TextList => "a list of texts".to_owned(),
        Shape::TextMap => "a mapping of texts".to_owned(),
        Shape::Url => "a URL".to_owned(),
        Shape::OneOf(names) => format!("one of {}", names.join(", ")),
        Shape::Section(_) => "a mapping".to_owned(),
        Shape::List(_) => "a list of mappings".to_owned(),
    }
}

/// Never the value itself: it may be a secret.
fn kind_words(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Scalar(scalar) => word(scalar.new_reading()),
        Kind::List(_) => "a list",
        Kind::Map(_) => "a mapping",
        Kind::Opaque => "of a type of its own",
    }
}

fn word(reading: Resolved) -> &'static str {
    match reading {
        Resolved::Null => "null",
        Resolved::Bool(_) => "true or false",
        Resolved::Int(_) => "a whole number",
        Resolved::Float => "a number",
        Resolved::Text => "a text",
    }
}

/// Words such as `yes` are shown, they are no secrets; anything else is told by its kinds.
fn kind_in_both(scalar: &Scalar) -> String {
    if matches!(scalar.old_reading(), Resolved::Bool(_)) {
        return scalar.text().to_owned();
    }
    format!("{} or {}", word(scalar.old_reading()), word(scalar.new_reading()))
}
