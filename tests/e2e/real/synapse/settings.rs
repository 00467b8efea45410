//! Settings of Synapse with values of all kinds.

/// Values that Python and YAML treat as true, false, empty, or something else.
const ODD: &[&str] = &[
    "true",
    "false",
    "True",
    "FALSE",
    "yes",
    "no",
    "Yes",
    "NO",
    "on",
    "off",
    "Off",
    "oFF",
    "y",
    "n",
    "null",
    "~",
    "",
    "0",
    "1",
    "-0",
    "+0",
    "00",
    "0_0",
    "0x0",
    "0x1",
    "0b0",
    "0b1",
    "0o0",
    "1:30",
    "0:0",
    "0.0",
    ".0",
    "-0.0",
    "1.5",
    ".inf",
    "\"\"",
    "''",
    "\"true\"",
    "\"false\"",
    "\"no\"",
    "\"0\"",
    "'yes'",
    "!!str no",
    "!!bool yes",
    "!!int \"0\"",
    "2020-01-01",
    "[]",
    "[a]",
    "{}",
    "{a: b}",
    "text",
    "only_for_reauth",
    "1_000",
    "1e3",
    "08",
    "010",
    "~~",
    "!!str ''",
];

const DURATIONS: &[&str] = &[
    "0s", "0m", "00h", "5m", "24h", "1d", "2w", "1y", "\"5m\"", "\"0\"", "\"0d\"", "3600000", "-5", "1 d", "+1h",
    "\"1_0s\"", "0x10", "010", "1:30", "5 m",
];

/// A key with its values, one text each.
fn each<'a>(key: &'a str, values: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
    values.iter().map(move |value| format!("{key}: {value}\n"))
}

/// `enabled` of a section, with the section's other settings.
fn switch(section: &str, rest: &str) -> Vec<String> {
    let mut all: Vec<String> = ODD.iter().map(|value| format!("{section}:\n  enabled: {value}\n{rest}")).collect();
    all.push(format!("{section}:\n{rest}"));
    all.push(format!("{section}:\n"));
    all.push(format!("{section}: {{}}\n"));
    all.push(format!("{section}: null\n"));
    all
}

const PROVIDER: &str = "issuer: https://idp.example.com/\n  client_id: c\n  client_secret: s\n";

/// Every rule separately, with every value.
pub fn single() -> Vec<String> {
    let mut all = Vec::new();
    for key in ["enable_registration", "disable_registration"] {
        all.extend(each(key, ODD).map(|text| format!("enable_registration_without_verification: true\n{text}")));
    }
    for key in ["enable_registration_captcha", "enable_3pid_changes", "allow_guest_access", "user_consent"] {
        all.extend(each(key, ODD));
    }
    for key in ["session_lifetime", "refresh_token_lifetime", "nonrefreshable_access_token_lifetime"] {
        all.extend(each(key, DURATIONS));
        all.extend(each(key, ODD));
    }
    all.push("user_consent:\n  version: 1\n  template_dir: '@FOLDER@'\n".to_owned());
    all.extend(switch("password_config", ""));
    all.extend(switch("password_config", "  pepper: x\n  localdb_enabled: false\n"));
    all.extend(switch("login_via_existing_session", ""));
    all.extend(switch("saml2_config", "  sp_config: {metadata: {}}\n"));
    all.extend(switch("saml2_config", "  user_mapping_provider: {}\n"));
    all.extend(switch("cas_config", "  server_url: https://cas.example.com\n"));
    all.extend(switch("jwt_config", "  secret: s\n  algorithm: HS256\n"));
    all.extend(switch("oidc_config", &format!("  {PROVIDER}")));
    all.extend(switch(
        "ldap_config",
        "  uri: ldap://ldap.example.com\n  base: dc=example\n  attributes: {uid: u, mail: m, name: n}\n",
    ));
    let provider = format!("  idp_id: a\n  idp_name: A\n  {PROVIDER}");
    all.push(format!("oidc_providers:\n- {}", provider.trim_start()));
    all.extend(each("oidc_providers", &["[]", "null", "", "{}"]));
    let ldap = "module: ldap_auth_provider.LdapAuthProvider\n  config: {enabled: true, uri: ldap://x, base: b, attributes: {uid: u, mail: m, name: n}}\n";
    all.push(format!("password_providers:\n- {ldap}"));
    all.push(format!("modules:\n- {}", ldap.replace("LdapAuthProvider\n", "LdapAuthProviderModule\n")));
    all.extend(each("password_providers", &["[]", "null"]));
    all.extend(each("modules", &["[]", "null"]));
    all.extend(accepted().into_iter().map(str::to_owned));
    all
}

/// Unrelated settings, and some that look related.
fn accepted() -> Vec<&'static str> {
    vec![
        "max_upload_size: 100M\n",
        "refreshable_access_token_lifetime: 10m\n",
        "sso: {client_whitelist: ['https://x.example.com/']}\n",
        "ui_auth: {session_timeout: 15s}\n",
        "registration_shared_secret: s\n",
        "registrations_require_3pid: [email]\n",
        "registration_requires_token: true\n",
        "enable_set_displayname: false\n",
        "password_config: {policy: {enabled: true, minimum_length: 12}}\n",
        "bcrypt_rounds: 14\n",
        "email: {smtp_host: mail.example.com, notif_from: x@example.com}\n",
        "experimental_features: {msc4069_profile_inhibit_propagation: true}\n",
        "limit_remote_rooms: {enabled: true}\n",
        "allowed_local_3pids: [{medium: email, pattern: '.*'}]\n",
        "rc_login: {address: {per_second: 1, burst_count: 5}}\n",
        "auto_join_rooms: ['#a:example.com']\n",
        "matrix_authentication_service: {enabled: false}\n",
        "<<: {enable_3pid_changes: false}\n",
        "account_validity: {}\n",
        "templates: {}\n",
        "base: &b {enabled: false}\npassword_config: *b\n",
    ]
}

/// Combinations from a generator with a fixed seed.
pub fn mixed(number: usize) -> Vec<String> {
    let all = single();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    (0..number).map(|_| (0..2 + next(3)).map(|_| all[next(all.len())].as_str()).collect()).collect()
}
