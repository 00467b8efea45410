//! Judges responses of the real MAS and Synapse (tests/recordings/http), valid and broken, for each phase.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::answers::Known;
use crate::checks::Severity;
use crate::deployment::IdentityProvider;

const ID: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";
const MODULUS: &str = "xIsWbZlg-JlbTT9jUxpcGeI6iyDTUAM9I8yPp6lsFp6fW1rMBq0gnPZnJkmtskxu-Ufe6lN8_ani18yNgOzTp0cmvVlXFbQj83mhETv_7E2jbRcVVI2SYqbS3chA_jqkyTRAQjttyuYBiZ8tU5tp0oEn0g0u02YrcMkNEkFRWEfUXABnsR91Y6p3Jaj-FsWttviC4MdAlrlpQHdejFSFhSEdG-WBKQ0IRnPfh74RNLqL2MPlhESvZlGJai9l7cTkvVG7zViqQY-EKwuR5SL7klo_jPBlHicfoSljuwtCHnUaPRNXwBn4e-z_Bz-_RiokoMi9W9eNFgvcSQ4Sv12CwQ";

/// Removes the responses to a request, so that it is sent again.
fn forget(replies: &mut Replies, probe: &Probe) {
    replies.0.retain(|(asked, _)| asked != probe);
}

/// The codes that only these checks report.
const CODES: [&str; 17] = [
    "mas-reachable",
    "mas-discovery",
    "mas-issuer",
    "mas-signing-key",
    "mas-login-page",
    "idp-at-mas",
    "idp-redirect-uri",
    "idp-offered",
    "synapse-reachable",
    "synapse-auth-metadata",
    "synapse-login",
    "synapse-asks-mas",
    "old-token",
    "new-login",
    "well-known-client",
    "outside-hosts",
    "outside-route",
];

fn recorded(when: &str, name: &str) -> Reply {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/http").join(when).join(format!("{name}.txt"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (_, reply) = text.split_once("\n\nHTTP/1.1 ").expect("an answer");
    let (head, body) = reply.split_once("\n\n").expect("a body");
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').next().unwrap().parse().unwrap();
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.to_owned())
    };
    Reply {
        status,
        location: header("location"),
        content_type: header("content-type"),
        body: body.trim_end().as_bytes().to_vec(),
        cut: false,
    }
}

fn expected(phase: EndpointPhase) -> Expected {
    Expected {
        phase,
        mas_host: Some("auth.example.com".into()),
        synapse_host: Some("matrix.example.com".into()),
        server_name: Some("example.com".into()),
        well_known: false,
        commands: Commands { verify: "kubectl ess-mas verify chat -n n".into(), kubectl: "kubectl -n n".into() },
        secret_name: "chat-mas".into(),
        modulus: Known::Known(MODULUS.into()),
        providers: vec![IdentityProvider {
            index: 0,
            idp_id: ID.into(),
            name: Some("Corp".into()),
            issuer: None,
            client_id: Some("c".into()),
        }],
        processes: 2,
        token: None,
        test_user: None,
    }
}

fn file(probe: &Probe) -> &'static str {
    match probe {
        Probe::Discovery => "mas-discovery",
        Probe::Keys => "mas-keys",
        Probe::LoginPage => "mas-login",
        Probe::Authorize(_) => "mas-authorize",
        Probe::Versions => "synapse-versions",
        Probe::AuthMetadata => "synapse-auth_metadata",
        Probe::AuthMetadataUnstable => "synapse-auth_metadata-unstable",
        Probe::LoginV3 => "synapse-login-v3",
        Probe::LoginR0 => "synapse-login-r0",
        Probe::WhoamiJunk => "synapse-whoami-junk",
        Probe::WhoamiToken => "synapse-whoami-old-token",
        other => panic!("nothing was recorded for {other:?}"),
    }
}

/// The effect of an ingress on the recordings: after the migration, logins are routed to MAS.
fn replies(when: &str, expected: &Expected) -> Replies {
    let mut replies = Replies::default();
    for probe in probes(expected) {
        let login = matches!(probe, Probe::LoginV3 | Probe::LoginR0);
        let name = if login && expected.phase == EndpointPhase::Active { "mas-compat-login-v3" } else { file(&probe) };
        // MAS has no recordings from before it was deployed.
        let when = if when == "active-mas-down" && name.starts_with("mas-") { "active" } else { when };
        replies.add(probe, Outcome::Answered(recorded(when, name)));
    }
    replies
}

fn replaced(mut replies: Replies, probe: &Probe, outcome: Outcome) -> Replies {
    let times = replies.to(probe).count().max(1);
    forget(&mut replies, probe);
    for _ in 0..times {
        replies.add(probe.clone(), outcome.clone());
    }
    replies
}

fn json_reply(body: Value) -> Outcome {
    Outcome::Answered(Reply { status: 200, body: body.to_string().into_bytes(), ..Reply::default() })
}

fn page(status: u16, html: &str) -> Outcome {
    let content_type = Some("text/html; charset=utf-8".to_owned());
    Outcome::Answered(Reply { status, content_type, body: html.as_bytes().to_vec(), ..Reply::default() })
}

/// Code and severity of every finding that is not ok.
fn wrong(expected: &Expected, replies: &Replies) -> Vec<(&'static str, Severity)> {
    let found = judge(expected, replies);
    found.iter().filter(|one| one.severity != Severity::Ok).map(|one| (one.code, one.severity)).collect()
}

#[track_caller]
fn says(expected: &Expected, replies: &Replies, code: &str, severity: Severity, words: &str) {
    let found = judge(expected, replies);
    let one = found.iter().find(|one| one.code == code && one.severity == severity);
    let one = one.unwrap_or_else(|| panic!("no {code} of {severity:?} in {found:#?}"));
    assert!(one.message.contains(words), "{:?} does not say {words:?}", one.message);
}

#[test]
fn recorded_responses_are_ok_in_their_phase() {
    let deployed = expected(EndpointPhase::Deployed);
    let found = judge(&deployed, &replies("dry-run-done", &deployed));
    assert!(found.iter().all(|one| one.severity == Severity::Ok), "{found:#?}");
    let mut seen: Vec<_> = found.iter().map(|one| one.code).collect();
    seen.dedup();
    assert_eq!(
        seen,
        [
            "mas-reachable",
            "mas-issuer",
            "mas-discovery",
            "mas-signing-key",
            "mas-login-page",
            "idp-at-mas",
            "idp-offered",
            "synapse-reachable",
            "synapse-auth-metadata",
            "synapse-login"
        ]
    );

    let before = Expected { mas_host: None, ..expected(EndpointPhase::Before) };
    assert_eq!(wrong(&before, &replies("dry-run-done", &before)), []);

    let mut active = expected(EndpointPhase::Active);
    active.token = Some(GivenToken::read("syt_YWxpY2U_abcdefghij_1x2y3z"));
    assert_eq!(wrong(&active, &replies("active", &active)), []);
    says(&active, &replies("active", &active), "old-token", Severity::Ok, "@alice:example.com, device HKOYVGWQPE");
    says(
        &active,
        &replies("active", &active),
        "synapse-auth-metadata",
        Severity::Ok,
        "identical to MAS's discovery document",
    );
}

#[test]
fn responses_of_one_phase_are_wrong_in_another() {
    let active = expected(EndpointPhase::Active);
    let mut early = replies("active", &active);
    forget(&mut early, &Probe::WhoamiJunk);
    let deployed = expected(EndpointPhase::Deployed);
    let found = wrong(&deployed, &early);
    assert!(found.contains(&("synapse-auth-metadata", Severity::Blocker)), "{found:?}");
    assert!(found.contains(&("synapse-login", Severity::Blocker)), "{found:?}");

    let late = replies("dry-run-done", &deployed);
    let found = wrong(
        &active,
        &replaced(late, &Probe::LoginR0, Outcome::Answered(recorded("dry-run-done", "synapse-login-r0"))),
    );
    assert_eq!(
        found,
        [
            ("synapse-auth-metadata", Severity::Blocker),
            ("synapse-login", Severity::Blocker),
            ("synapse-login", Severity::Blocker)
        ]
    );
}

#[test]
fn logins_routed_to_synapse_after_the_migration_are_a_blocker() {
    let active = expected(EndpointPhase::Active);
    for (probe, name) in [(Probe::LoginV3, "synapse-login-v3"), (Probe::LoginR0, "synapse-login-r0")] {
        let broken = replaced(replies("active", &active), &probe, Outcome::Answered(recorded("active", name)));
        assert_eq!(wrong(&active, &broken), [("synapse-login", Severity::Blocker)]);
        says(&active, &broken, "synapse-login", Severity::Blocker, "reaches Synapse");
    }
}

#[test]
fn one_worker_that_cannot_reach_mas_is_a_blocker() {
    let active = expected(EndpointPhase::Active);
    let mut down = replies("active", &active);
    down.add(Probe::WhoamiJunk, Outcome::Answered(recorded("active-mas-down", "synapse-whoami-junk")));
    assert_eq!(wrong(&active, &down), [("synapse-asks-mas", Severity::Blocker)]);
    says(&active, &down, "synapse-asks-mas", Severity::Blocker, "1 of 9 requests got 503");
    // Synapse answers requests with known tokens and for auth_metadata from its cache, so neither shows the problem.
    let all = replies("active-mas-down", &active);
    assert_eq!(wrong(&active, &all), [("synapse-asks-mas", Severity::Blocker)]);
}

#[test]
fn issuer_must_be_equal_byte_for_byte() {
    let deployed = expected(EndpointPhase::Deployed);
    for issuer in
        ["https://auth.example.com", "http://auth.example.com/", "http://[::]:8080/", "https://auth.example.com/x/"]
    {
        let document = json!({"issuer": issuer, "id_token_signing_alg_values_supported": ["RS256"]});
        let broken = replaced(replies("dry-run-done", &deployed), &Probe::Discovery, json_reply(document));
        assert_eq!(wrong(&deployed, &broken), [("mas-issuer", Severity::Blocker)], "{issuer}");
        says(&deployed, &broken, "mas-issuer", Severity::Blocker, issuer);
    }
    let active = expected(EndpointPhase::Active);
    let document = json!({"issuer": "https://auth.example.com"});
    let broken = replaced(replies("active", &active), &Probe::AuthMetadata, json_reply(document));
    assert_eq!(wrong(&active, &broken), [("synapse-auth-metadata", Severity::Blocker)]);
}

#[test]
fn older_synapse_with_only_the_unstable_metadata_is_ok() {
    let active = expected(EndpointPhase::Active);
    let gone = Outcome::Answered(recorded("dry-run-done", "synapse-auth_metadata"));
    let old = replaced(replies("active", &active), &Probe::AuthMetadata, gone);
    assert_eq!(wrong(&active, &old), []);
}

#[test]
fn other_missing_and_unverifiable_rsa_keys_have_separate_findings() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let other = Expected { modulus: Known::Known("AQAB".into()), ..deployed.clone() };
    assert_eq!(wrong(&other, &all), [("mas-signing-key", Severity::Blocker)]);
    let unknown = Expected { modulus: Known::Unreadable("no permission".into()), ..deployed.clone() };
    assert_eq!(wrong(&unknown, &all), [("mas-signing-key", Severity::Unknown)]);
    // Recorded from the real MAS with an EC key instead of the RSA key.
    let none = replaced(all, &Probe::Keys, json_reply(json!({"keys": [{"kty": "EC", "crv": "P-256"}]})));
    assert_eq!(wrong(&deployed, &none), [("mas-signing-key", Severity::Blocker)]);
    says(&deployed, &none, "mas-signing-key", Severity::Blocker, "no RSA key");
}

#[test]
fn responses_of_mas_about_a_provider_are_classified() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let authorize = Probe::Authorize(0);
    let said = |outcome: Outcome, severity: Severity, words: &str| {
        let broken = replaced(all.clone(), &authorize, outcome);
        assert_eq!(wrong(&deployed, &broken), [("idp-at-mas", severity)]);
        says(&deployed, &broken, "idp-at-mas", severity, words);
    };
    said(
        Outcome::Answered(recorded("dry-run-done", "mas-authorize-unknown")),
        Severity::Blocker,
        "doesn't have the identity provider",
    );
    said(
        Outcome::Answered(recorded("dry-run-done", "mas-authorize-not-a-ulid")),
        Severity::Blocker,
        "Invalid URL: invalid length",
    );
    said(page(500, "<!DOCTYPE html>"), Severity::Blocker, "can't start a login");
    said(
        page(503, "<html><title>503 Service Temporarily Unavailable</title>"),
        Severity::Unknown,
        "503 Service Temporarily",
    );
    let mut elsewhere = recorded("dry-run-done", "mas-authorize");
    let location = elsewhere.location.clone().unwrap();
    elsewhere.location = Some(location.replace("auth.example.com", "old.example.com"));
    said(Outcome::Answered(elsewhere.clone()), Severity::Blocker, "https://old.example.com/upstream/callback/");
    elsewhere.location = Some(location.replace("client_id=c&", "client_id=d&"));
    said(Outcome::Answered(elsewhere.clone()), Severity::Blocker, "\"d\", but the spec has \"c\"");
    elsewhere.location = Some("https://idp.example.com/a?request_uri=urn:x".into());
    said(Outcome::Answered(elsewhere), Severity::Unknown, "without a redirect URI to compare");
}

#[test]
fn only_an_https_url_with_a_plain_host_is_requested_at_the_provider() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let next = |location: &str| {
        let reply = Reply { status: 307, location: Some(location.into()), ..Reply::default() };
        next_at_provider(&replaced(all.clone(), &Probe::Authorize(0), Outcome::Answered(reply)), 0)
    };
    assert_eq!(next("https://idp.example.com/a?x=1#f").unwrap(), "https://idp.example.com/a?x=1");
    assert_eq!(next_at_provider(&all, 0).unwrap().host(), Some("idp.example.com"));
    for refused in [
        "http://idp.example.com/a",
        "file:///etc/passwd",
        "//idp.example.com/a",
        "/a",
        "https://u:p@idp.example.com/",
        "gopher://x/",
        "",
    ] {
        assert!(matches!(next(refused), Err(Some(_))), "{refused}");
    }
    let missing = replaced(all, &Probe::Authorize(0), page(404, ""));
    assert_eq!(next_at_provider(&missing, 0), Err(None));
}

#[test]
fn redirect_uri_is_reported_only_for_an_unambiguous_error() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let at = |outcome: Outcome| {
        let mut all = all.clone();
        all.add(Probe::AtProvider(0), outcome);
        let found = judge(&deployed, &all);
        let one = found.iter().find(|one| one.code == "idp-redirect-uri").expect("a finding").clone();
        assert_eq!(one.subject, "https://idp.example.com/a", "no state and no nonce is shown");
        one
    };
    let moved = |status: u16, location: &str| {
        Outcome::Answered(Reply { status, location: Some(location.into()), ..Reply::default() })
    };
    let form = r#"<html><title>Sign in</title><form><input type="hidden" name="redirect_uri" value="https://auth.example.com/upstream/callback/x">"#;
    let script =
        "<html><script>const errors = {redirect_uri_mismatch: 1}; if (a < b) {}</script><style>x</style><p>Log in";
    for good in [
        page(200, script),
        page(200, form),
        moved(302, "/interaction/abc"),
        moved(303, "https://idp.example.com/login?redirect_uri=https%3A%2F%2Fauth"),
        moved(302, "https://errors.example.com/login?state=error#top"),
        moved(302, &format!("https://auth.example.com/upstream/callback/{ID}?code=c&state=s")),
    ] {
        assert_eq!(at(good.clone()).severity, Severity::Ok, "{good:?}");
    }
    for (product, bad) in [
        ("Keycloak", page(400, "<html><p>Invalid parameter: redirect_uri</p>")),
        ("Entra", page(200, "<html><div>AADSTS50011: The redirect URI specified in the request does not match</div>")),
        ("Entra's script", page(200, "<html><script>$Config={\"m\":\"AADSTS50011: The redirect\"}</script>")),
        (
            "Google",
            moved(
                302,
                "https://idp.example.com/signin/oauth/error?authError=ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2g=&client_id=c",
            ),
        ),
        ("Dex", page(400, "<html><p>Unregistered redirect_uri (&#34;https://auth.example.com/&#34;).</p>")),
        (
            "oidc-provider",
            json_reply(
                json!({"error": "invalid_redirect_uri", "error_description": "redirect_uri did not match any of the client's registered redirect_uris"}),
            ),
        ),
        (
            "Hydra",
            moved(
                302,
                "https://idp.example.com/error?error=invalid_request&error_description=The+%27redirect_uri%27+parameter+does+not+match+any+of+the+OAuth+2.0+Client%27s+pre-registered+redirect+urls.",
            ),
        ),
        ("Auth0", page(403, "<html><title>Oops</title>Callback URL mismatch.")),
        ("any", page(400, "<p>bad redirect</p>")),
        ("Cognito", moved(302, "/error?error=redirect_mismatch&client_id=c")),
        ("a fragment", moved(302, "https://idp.example.com/#/oops?x=1&errorCode=42")),
        ("a fragment alone", moved(303, "https://idp.example.com/login#error=invalid_client")),
        ("Spring", moved(302, "/login?error")),
        ("no parameter", moved(302, "https://idp.example.com/oauth2/Errors/7")),
        ("a word in the path", moved(302, "https://idp.example.com/login-error.html")),
        ("a description alone", moved(302, "/login?error_description=Callback")),
        ("a shorter name", moved(302, "https://idp.example.com/oops?errCode=7")),
        ("another name", moved(307, "/oops?message=Invalid+redirect_uri")),
        ("a look-alike", moved(302, &format!("https://auth.example.com/upstream/callback/{ID}x?error=access_denied"))),
    ] {
        let one = at(bad);
        assert_eq!(one.severity, Severity::Warning, "{product}: {one:?}");
        assert!(one.remedy.unwrap().contains("https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0"));
    }
    let back = format!("https://auth.example.com/upstream/callback/{ID}?error=invalid_scope&state=secret");
    let one = at(moved(303, &back));
    assert_eq!(one.severity, Severity::Warning);
    assert!(one.message.contains("invalid_scope") && !one.message.contains("secret"), "{}", one.message);
    let one =
        at(moved(303, &format!("https://auth.example.com/upstream/callback/{ID}#error=access_denied&state=secret")));
    assert!(one.severity == Severity::Warning && one.message.contains("accepts the redirect URI, but"), "{one:?}");
    assert!(!one.message.contains("secret"), "{}", one.message);
    assert_eq!(at(page(429, "slow down")).severity, Severity::Unknown);
    assert_eq!(at(Outcome::NotReached("no address".into())).severity, Severity::Unknown);
    assert_eq!(at(Outcome::NotAsked("it leads to 169.254.169.254".into())).severity, Severity::Unknown);
}

/// The finding `new-login` in a phase with these responses to the three requests of a login.
fn new_login(phase: EndpointPhase, user: &str, asked: &[(Probe, Outcome)]) -> Finding {
    let mut given = Expected { test_user: Some(user.into()), ..expected(phase) };
    given.mas_host = given.mas_host.filter(|_| phase != EndpointPhase::Before);
    let when = if phase == EndpointPhase::Active { "active" } else { "dry-run-done" };
    let mut all = replies(when, &given);
    if phase == EndpointPhase::Active {
        let passwords =
            json!({"flows": [{"type": "m.login.sso", "oauth_aware_preferred": true}, {"type": "m.login.password"}]});
        all = replaced(all, &Probe::LoginV3, json_reply(passwords));
    }
    for (probe, outcome) in asked {
        all = replaced(all, probe, outcome.clone());
    }
    judge(&given, &all).into_iter().find(|one| one.code == "new-login").expect("a finding")
}

fn with_status(status: u16, body: Value) -> Outcome {
    Outcome::Answered(Reply { status, body: body.to_string().into_bytes(), ..Reply::default() })
}

#[test]
fn new_login_is_ok_if_user_and_device_match_and_logout_works() {
    let whose = json!({"user_id": "@test:example.com", "device_id": "D", "access_token": ""});
    let named = json!({"user_id": "@test:example.com", "device_id": "D"});
    let good = [
        (Probe::LogIn, json_reply(whose)),
        (Probe::WhoamiNew, json_reply(named)),
        (Probe::LogOut, json_reply(json!({}))),
    ];
    let with = |at: usize, outcome: Outcome| {
        let mut asked = good.clone();
        asked[at].1 = outcome;
        asked
    };
    for phase in [EndpointPhase::Active, EndpointPhase::Before] {
        for user in ["test", "@test:example.com", "Test"] {
            let one = new_login(phase, user, &good);
            assert_eq!(one.severity, Severity::Ok, "{one:?}");
            assert!(one.message.contains("@test:example.com, device D; the program logged out again"), "{one:?}");
        }
        let other = |document| new_login(phase, "test", &with(1, json_reply(document)));
        for document in [
            json!({"user_id": "@other:example.com", "device_id": "D"}),
            json!({"user_id": "@test:example.com", "device_id": "E"}),
            json!({"user_id": "@test:example.com"}),
            json!({}),
        ] {
            assert_eq!(other(document.clone()).severity, Severity::Blocker, "{document}");
        }
        assert_eq!(new_login(phase, "other", &good).severity, Severity::Blocker);
        assert_eq!(new_login(phase, "@test:old.example.com", &good).severity, Severity::Blocker);
        let unknown_token = with_status(401, json!({"errcode": "M_UNKNOWN_TOKEN"}));
        assert_eq!(new_login(phase, "test", &with(1, unknown_token)).severity, Severity::Blocker);
        let left = new_login(phase, "test", &with(2, page(502, "<html>")));
        assert!(left.severity == Severity::Unknown && left.message.contains("may still exist"), "{left:?}");
    }
    for (status, severity, words) in [
        (403, Severity::Blocker, "MAS rejects the login of test: 403 M_FORBIDDEN"),
        (400, Severity::Blocker, "instead of an access token"),
        (429, Severity::Unknown, "was rate limited"),
        (502, Severity::Blocker, "502"),
        (307, Severity::Blocker, "307"),
        (200, Severity::Blocker, "instead of an access token"),
    ] {
        let refused = with_status(status, json!({"errcode": "M_FORBIDDEN"}));
        let one = new_login(EndpointPhase::Active, "test", &[(Probe::LogIn, refused)]);
        assert!(one.severity == severity && one.message.contains(words), "{status}: {one:?}");
    }
    let silent = Outcome::Silent("no answer".into());
    assert_eq!(new_login(EndpointPhase::Active, "test", &[(Probe::LogIn, silent)]).severity, Severity::Unknown);
}

#[test]
fn no_login_is_attempted_if_harmful_or_impossible() {
    for phase in [EndpointPhase::Deployed, EndpointPhase::Migrating] {
        let one = new_login(phase, "test", &[]);
        assert!(
            one.severity == Severity::Blocker && one.message.contains("MAS is deployed but not migrated"),
            "{one:?}"
        );
    }
    let off = json_reply(json!({"flows": [{"type": "m.login.sso", "oauth_aware_preferred": true}]}));
    for (flows, words) in [
        (off, "password login is off; the host offers m.login.sso"),
        (json_reply(json!({"flows": [{"type": "m.login.password"}]})), "see synapse-login"),
        (page(404, "<html>"), "404"),
        (Outcome::Silent("x".into()), "no response: x"),
    ] {
        let one = new_login(EndpointPhase::Active, "test", &[(Probe::LoginV3, flows)]);
        assert!(one.severity == Severity::Unknown && one.message.contains(words), "{one:?}");
    }
    let delegated = json_reply(json!({"flows": [{"type": "m.login.password", "oauth_aware_preferred": true}]}));
    let early = new_login(EndpointPhase::Before, "test", &[(Probe::LoginV3, delegated)]);
    assert_eq!(early.severity, Severity::Unknown, "{early:?}");
    let active = expected(EndpointPhase::Active);
    assert!(
        judge(&active, &replies("active", &active)).iter().all(|one| one.code != "new-login"),
        "--login-file was not given"
    );
}

#[test]
fn synapses_providers_are_compared_with_the_spec() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let mut two = deployed.clone();
    two.providers.push(IdentityProvider { idp_id: "01JBCDEFGHJKMNPQRSTVWXYZ01".into(), ..IdentityProvider::default() });
    says(&two, &all, "idp-offered", Severity::Warning, "oidc-01JBCDEFGHJKMNPQRSTVWXYZ01");
    let none = Expected { providers: Vec::new(), ..deployed };
    says(&none, &all, "idp-offered", Severity::Warning, "Synapse offers oidc-01JABCDEFGHJKMNPQRSTVWXYZ0");
}

#[test]
fn unreachable_host_is_one_warning_and_has_no_other_finding() {
    let deployed = expected(EndpointPhase::Deployed);
    let mut all = Replies::default();
    for probe in probes(&deployed) {
        all.add(probe, Outcome::NotReached("its address was not found".into()));
    }
    assert_eq!(
        wrong(&deployed, &all),
        [("mas-reachable", Severity::Warning), ("synapse-reachable", Severity::Warning)]
    );
    assert_eq!(judge(&deployed, &all).len(), 2);
    let active = expected(EndpointPhase::Active);
    let one = replaced(replies("active", &active), &Probe::Keys, Outcome::Silent("no answer within 4 s".into()));
    assert_eq!(wrong(&active, &one), [("mas-signing-key", Severity::Unknown)]);
}

#[test]
fn html_and_other_unusable_responses_are_blockers() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let html = page(200, "<html><head><title>Welcome to\nnginx!</title>");
    for (probe, code) in [
        (Probe::Discovery, "mas-discovery"),
        (Probe::Keys, "mas-signing-key"),
        (Probe::Versions, "synapse-reachable"),
        (Probe::LoginV3, "synapse-login"),
    ] {
        let broken = replaced(all.clone(), &probe, html.clone());
        assert_eq!(wrong(&deployed, &broken), [(code, Severity::Blocker)], "{probe:?}");
        says(&deployed, &broken, code, Severity::Blocker, "\"Welcome to nginx!\"");
        let hostile = replaced(all.clone(), &probe, Outcome::Unusable("it sends more than 100 headers".into()));
        assert_eq!(wrong(&deployed, &hostile), [(code, Severity::Blocker)], "{probe:?}");
    }
    let odd = b"[[[[".repeat(1000);
    for body in [
        odd,
        b"[]".to_vec(),
        b"null".to_vec(),
        vec![0xff; 64],
        br#"{"issuer": 5, "keys": 7, "flows": {}, "versions": 1}"#.to_vec(),
    ] {
        for probe in probes(&deployed) {
            for status in [200, 404, 500, 999] {
                let outcome =
                    Outcome::Answered(Reply { status, body: body.clone(), cut: status == 500, ..Reply::default() });
                let _ = judge(&deployed, &replaced(all.clone(), &probe, outcome));
            }
        }
    }
}

#[test]
fn foreign_text_cannot_move_the_cursor_or_fill_the_screen() {
    let deployed = expected(EndpointPhase::Deployed);
    let nasty = format!("<title>\u{1b}[2J{}\u{202e}</title>", "x".repeat(5000));
    let broken = replaced(replies("dry-run-done", &deployed), &Probe::Discovery, page(200, &nasty));
    let found = judge(&deployed, &broken);
    let message = &found.iter().find(|one| one.code == "mas-discovery").unwrap().message;
    assert!(message.len() < 300 && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn unknown_token_or_token_of_another_user_is_a_blocker() {
    let mut active = expected(EndpointPhase::Active);
    active.token = Some(GivenToken::read("syt_Ym9i_x_1"));
    assert_eq!(wrong(&active, &replies("active", &active)), [("old-token", Severity::Blocker)]);
    says(
        &active,
        &replies("active", &active),
        "old-token",
        Severity::Blocker,
        "issued to bob, but now belongs to @alice:example.com",
    );
    // The values from before the migration are compared.
    let noted = |user: &str, device: &str| {
        Some(GivenToken { user: Some(user.into()), device: Some(device.into()), ..GivenToken::default() })
    };
    active.token = noted("@alice:example.com", "HKOYVGWQPE");
    says(&active, &replies("active", &active), "old-token", Severity::Ok, "device HKOYVGWQPE, as in the file");
    active.token = noted("@alicia:example.com", "HKOYVGWQPE");
    says(&active, &replies("active", &active), "old-token", Severity::Blocker, "belonged to @alicia:example.com; now");
    active.token = noted("@alice:example.com", "ANOTHER");
    says(&active, &replies("active", &active), "old-token", Severity::Blocker, "belonged to device ANOTHER; now");
    active.token = Some(GivenToken::default());
    active.server_name = Some("other.org".into());
    assert_eq!(wrong(&active, &replies("active", &active)), [("old-token", Severity::Blocker)]);
    active.server_name = Some("example.com".into());
    let gone = Outcome::Answered(recorded("active", "synapse-whoami-junk"));
    let broken = replaced(replies("active", &active), &Probe::WhoamiToken, gone);
    assert_eq!(wrong(&active, &broken), [("old-token", Severity::Blocker)]);
}

#[test]
fn login_page_shows_whether_mas_can_read_its_database() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let to = |status: u16, location: &str| {
        Outcome::Answered(Reply { status, location: Some(location.into()), ..Reply::default() })
    };
    let sso = replaced(all.clone(), &Probe::LoginPage, to(303, "/upstream/authorize/01JABCDEFGHJKMNPQRSTVWXYZ0"));
    assert_eq!(wrong(&deployed, &sso), []);
    let failing = replaced(all.clone(), &Probe::LoginPage, page(500, "<!DOCTYPE html>"));
    assert_eq!(wrong(&deployed, &failing), [("mas-login-page", Severity::Blocker)]);
    let elsewhere = replaced(all, &Probe::LoginPage, to(302, "https://other.example.com/"));
    assert_eq!(wrong(&deployed, &elsewhere), [("mas-login-page", Severity::Warning)]);
}

#[test]
fn well_known_document_may_omit_mas_but_must_not_be_wrong() {
    let mut active = expected(EndpointPhase::Active);
    active.well_known = true;
    let with = |document: Value| {
        let mut replies = replies("active", &expected(EndpointPhase::Active));
        replies.add(Probe::WellKnown, json_reply(document));
        wrong(&active, &replies)
    };
    let homeserver = json!({"base_url": "https://matrix.example.com/"});
    assert_eq!(with(json!({"m.homeserver": homeserver})), []);
    let right = json!({"issuer": "https://auth.example.com/", "account": "x"});
    assert_eq!(with(json!({"m.homeserver": homeserver, "org.matrix.msc2965.authentication": right})), []);
    let other = json!({"issuer": "https://old.example.com/"});
    assert_eq!(
        with(json!({"m.homeserver": homeserver, "org.matrix.msc2965.authentication": other})),
        [("well-known-client", Severity::Blocker)]
    );
    assert_eq!(with(json!({"m.homeserver": {"base_url": "https://x"}})), [("well-known-client", Severity::Warning)]);
}

#[test]
fn provider_id_is_escaped_in_the_url() {
    let mut deployed = expected(EndpointPhase::Deployed);
    deployed.providers[0].idp_id = "../../admin?x=1#y z".into();
    assert_eq!(
        Probe::Authorize(0).url(&deployed),
        "https://auth.example.com/upstream/authorize/..%2F..%2Fadmin%3Fx%3D1%23y%20z"
    );
}

#[test]
fn every_code_is_explained() {
    for code in CODES {
        assert!(crate::checks::explain::explanation(code).is_some(), "{code}");
    }
}

#[test]
fn response_of_the_ingress_is_not_mistaken_for_synapses() {
    let active = expected(EndpointPhase::Active);
    let all = replies("active", &active);
    let tries = all.to(&Probe::WhoamiJunk).count();
    assert!(tries >= 2 * active.processes, "{tries}");
    let mut some = all.clone();
    forget(&mut some, &Probe::WhoamiJunk);
    for _ in 1..tries {
        some.add(Probe::WhoamiJunk, Outcome::Answered(recorded("active", "synapse-whoami-junk")));
    }
    let mut busy = some.clone();
    busy.add(Probe::WhoamiJunk, page(503, "<html><title>503 Service Temporarily Unavailable</title>"));
    assert_eq!(wrong(&active, &busy), [("synapse-asks-mas", Severity::Warning)]);
    says(&active, &busy, "synapse-asks-mas", Severity::Warning, "(1 of 8 requests)");
    some.add(Probe::WhoamiJunk, page(429, "slow down"));
    says(&active, &some, "synapse-asks-mas", Severity::Unknown, "limits requests after 7 of 8");
    let none = replaced(all, &Probe::WhoamiJunk, page(503, "<html><title>503 Service Unavailable</title>"));
    assert_eq!(wrong(&active, &none), [("synapse-asks-mas", Severity::Blocker)]);
}

#[test]
fn endpoint_at_another_host_is_reported() {
    let deployed = expected(EndpointPhase::Deployed);
    let all = replies("dry-run-done", &deployed);
    let mut document = recorded("dry-run-done", "mas-discovery").json().unwrap();
    document["token_endpoint"] = json!("https://elsewhere.example.org/oauth2/token");
    let strange = replaced(all, &Probe::Discovery, json_reply(document));
    assert_eq!(wrong(&deployed, &strange), [("mas-discovery", Severity::Warning)]);
    says(
        &deployed,
        &strange,
        "mas-discovery",
        Severity::Warning,
        "MAS's token_endpoint is https://elsewhere.example.org/",
    );
}

#[test]
fn number_of_requests_grows_with_the_processes_up_to_a_limit() {
    let tries = |processes| Expected { processes, ..expected(EndpointPhase::Active) }.tries();
    assert_eq!([1, 2, 6, 12, 100].map(tries), [4, 8, 30, 40, 40]);
}

#[test]
fn every_row_of_the_table_is_used_and_every_placeholder_has_a_value() {
    let sources = [
        include_str!("clients.rs"),
        include_str!("expected.rs"),
        include_str!("mas.rs"),
        include_str!("new_login.rs"),
        include_str!("providers.rs"),
        include_str!("probe.rs"),
        include_str!("synapse.rs"),
    ];
    crate::checks::tests::assert_complete(&expected::TABLE, &sources);
}
