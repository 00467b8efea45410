//! Judged on answers of the real MAS and Synapse (tests/recordings/http), healthy and broken, for each phase.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::answers::Known;
use crate::checks::Severity;
use crate::deployment::IdentityProvider;

const ID: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";
const MODULUS: &str = "xIsWbZlg-JlbTT9jUxpcGeI6iyDTUAM9I8yPp6lsFp6fW1rMBq0gnPZnJkmtskxu-Ufe6lN8_ani18yNgOzTp0cmvVlXFbQj83mhETv_7E2jbRcVVI2SYqbS3chA_jqkyTRAQjttyuYBiZ8tU5tp0oEn0g0u02YrcMkNEkFRWEfUXABnsR91Y6p3Jaj-FsWttviC4MdAlrlpQHdejFSFhSEdG-WBKQ0IRnPfh74RNLqL2MPlhESvZlGJai9l7cTkvVG7zViqQY-EKwuR5SL7klo_jPBlHicfoSljuwtCHnUaPRNXwBn4e-z_Bz-_RiokoMi9W9eNFgvcSQ4Sv12CwQ";

/// Takes what came of a question out, to ask it again.
fn forget(answers: &mut Replies, question: &Question) {
    answers.0.retain(|(asked, _)| asked != question);
}

/// Every code that only a look from outside gives.
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
    let (_, answer) = text.split_once("\n\nHTTP/1.1 ").expect("an answer");
    let (head, body) = answer.split_once("\n\n").expect("a body");
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

fn file(question: &Question) -> &'static str {
    match question {
        Question::Discovery => "mas-discovery",
        Question::Keys => "mas-keys",
        Question::LoginPage => "mas-login",
        Question::Authorize(_) => "mas-authorize",
        Question::Versions => "synapse-versions",
        Question::AuthMetadata => "synapse-auth_metadata",
        Question::AuthMetadataUnstable => "synapse-auth_metadata-unstable",
        Question::LoginV3 => "synapse-login-v3",
        Question::LoginR0 => "synapse-login-r0",
        Question::WhoamiJunk => "synapse-whoami-junk",
        Question::WhoamiToken => "synapse-whoami-old-token",
        other => panic!("nothing was recorded for {other:?}"),
    }
}

/// What an ingress makes of the recordings: after the migration logins lead to MAS.
fn answers(when: &str, expected: &Expected) -> Replies {
    let mut answers = Replies::default();
    for question in questions(expected) {
        let login = matches!(question, Question::LoginV3 | Question::LoginR0);
        let name =
            if login && expected.phase == EndpointPhase::Active { "mas-compat-login-v3" } else { file(&question) };
        // Nothing of MAS was recorded while it was down.
        let when = if when == "active-mas-down" && name.starts_with("mas-") { "active" } else { when };
        answers.add(question, Outcome::Answered(recorded(when, name)));
    }
    answers
}

fn replaced(mut answers: Replies, question: &Question, outcome: Outcome) -> Replies {
    let times = answers.to(question).count().max(1);
    forget(&mut answers, question);
    for _ in 0..times {
        answers.add(question.clone(), outcome.clone());
    }
    answers
}

fn json_answer(body: Value) -> Outcome {
    Outcome::Answered(Reply { status: 200, body: body.to_string().into_bytes(), ..Reply::default() })
}

fn page(status: u16, html: &str) -> Outcome {
    let content_type = Some("text/html; charset=utf-8".to_owned());
    Outcome::Answered(Reply { status, content_type, body: html.as_bytes().to_vec(), ..Reply::default() })
}

/// All that is not in order, as code and severity.
fn wrong(expected: &Expected, answers: &Replies) -> Vec<(&'static str, Severity)> {
    let found = judge(expected, answers);
    found.iter().filter(|one| one.severity != Severity::Ok).map(|one| (one.code, one.severity)).collect()
}

#[track_caller]
fn says(expected: &Expected, answers: &Replies, code: &str, severity: Severity, words: &str) {
    let found = judge(expected, answers);
    let one = found.iter().find(|one| one.code == code && one.severity == severity);
    let one = one.unwrap_or_else(|| panic!("no {code} of {severity:?} in {found:#?}"));
    assert!(one.message.contains(words), "{:?} does not say {words:?}", one.message);
}

#[test]
fn recorded_answers_are_ok_in_their_phase() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let found = judge(&rehearsed, &answers("dry-run-done", &rehearsed));
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
    assert_eq!(wrong(&before, &answers("dry-run-done", &before)), []);

    let mut active = expected(EndpointPhase::Active);
    active.token = Some(GivenToken::read("syt_YWxpY2U_abcdefghij_1x2y3z"));
    assert_eq!(wrong(&active, &answers("active", &active)), []);
    says(&active, &answers("active", &active), "old-token", Severity::Ok, "@alice:example.com, device HKOYVGWQPE");
    says(
        &active,
        &answers("active", &active),
        "synapse-auth-metadata",
        Severity::Ok,
        "identical to MAS's discovery document",
    );
}

#[test]
fn the_answers_of_one_phase_are_wrong_in_another() {
    let active = expected(EndpointPhase::Active);
    let mut early = answers("active", &active);
    forget(&mut early, &Question::WhoamiJunk);
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let found = wrong(&rehearsed, &early);
    assert!(found.contains(&("synapse-auth-metadata", Severity::Blocker)), "{found:?}");
    assert!(found.contains(&("synapse-login", Severity::Blocker)), "{found:?}");

    let late = answers("dry-run-done", &rehearsed);
    let found = wrong(
        &active,
        &replaced(late, &Question::LoginR0, Outcome::Answered(recorded("dry-run-done", "synapse-login-r0"))),
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
    for (question, name) in [(Question::LoginV3, "synapse-login-v3"), (Question::LoginR0, "synapse-login-r0")] {
        let broken = replaced(answers("active", &active), &question, Outcome::Answered(recorded("active", name)));
        assert_eq!(wrong(&active, &broken), [("synapse-login", Severity::Blocker)]);
        says(&active, &broken, "synapse-login", Severity::Blocker, "reaches Synapse");
    }
}

#[test]
fn one_worker_that_cannot_reach_mas_is_a_blocker() {
    let active = expected(EndpointPhase::Active);
    let mut down = answers("active", &active);
    down.add(Question::WhoamiJunk, Outcome::Answered(recorded("active-mas-down", "synapse-whoami-junk")));
    assert_eq!(wrong(&active, &down), [("synapse-asks-mas", Severity::Blocker)]);
    says(&active, &down, "synapse-asks-mas", Severity::Blocker, "1 of 9 requests got 503");
    // A token that was seen before is answered from Synapse's cache, and so is auth_metadata: neither hides it.
    let all = answers("active-mas-down", &active);
    assert_eq!(wrong(&active, &all), [("synapse-asks-mas", Severity::Blocker)]);
}

#[test]
fn the_issuer_has_to_be_equal_byte_for_byte() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    for issuer in
        ["https://auth.example.com", "http://auth.example.com/", "http://[::]:8080/", "https://auth.example.com/x/"]
    {
        let document = json!({"issuer": issuer, "id_token_signing_alg_values_supported": ["RS256"]});
        let broken = replaced(answers("dry-run-done", &rehearsed), &Question::Discovery, json_answer(document));
        assert_eq!(wrong(&rehearsed, &broken), [("mas-issuer", Severity::Blocker)], "{issuer}");
        says(&rehearsed, &broken, "mas-issuer", Severity::Blocker, issuer);
    }
    let active = expected(EndpointPhase::Active);
    let document = json!({"issuer": "https://auth.example.com"});
    let broken = replaced(answers("active", &active), &Question::AuthMetadata, json_answer(document));
    assert_eq!(wrong(&active, &broken), [("synapse-auth-metadata", Severity::Blocker)]);
}

#[test]
fn an_older_synapse_that_knows_the_unstable_name_only_is_in_order() {
    let active = expected(EndpointPhase::Active);
    let gone = Outcome::Answered(recorded("dry-run-done", "synapse-auth_metadata"));
    let old = replaced(answers("active", &active), &Question::AuthMetadata, gone);
    assert_eq!(wrong(&active, &old), []);
}

#[test]
fn another_key_or_none_or_a_secret_that_cannot_be_read() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let other = Expected { modulus: Known::Known("AQAB".into()), ..rehearsed.clone() };
    assert_eq!(wrong(&other, &all), [("mas-signing-key", Severity::Blocker)]);
    let unknown = Expected { modulus: Known::Unreadable("no permission".into()), ..rehearsed.clone() };
    assert_eq!(wrong(&unknown, &all), [("mas-signing-key", Severity::Unknown)]);
    // Seen with the real MAS and an EC key in the place of the RSA key.
    let none = replaced(all, &Question::Keys, json_answer(json!({"keys": [{"kty": "EC", "crv": "P-256"}]})));
    assert_eq!(wrong(&rehearsed, &none), [("mas-signing-key", Severity::Blocker)]);
    says(&rehearsed, &none, "mas-signing-key", Severity::Blocker, "no RSA key");
}

#[test]
fn answers_of_mas_about_a_provider_are_classified() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let authorize = Question::Authorize(0);
    let said = |outcome: Outcome, severity: Severity, words: &str| {
        let broken = replaced(all.clone(), &authorize, outcome);
        assert_eq!(wrong(&rehearsed, &broken), [("idp-at-mas", severity)]);
        says(&rehearsed, &broken, "idp-at-mas", severity, words);
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
fn only_a_plain_address_is_asked_at_the_provider() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let next = |location: &str| {
        let answer = Reply { status: 307, location: Some(location.into()), ..Reply::default() };
        next_at_provider(&replaced(all.clone(), &Question::Authorize(0), Outcome::Answered(answer)), 0)
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
    let missing = replaced(all, &Question::Authorize(0), page(404, ""));
    assert_eq!(next_at_provider(&missing, 0), Err(None));
}

#[test]
fn redirect_uri_is_reported_only_on_a_certain_error() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let at = |outcome: Outcome| {
        let mut all = all.clone();
        all.add(Question::AtProvider(0), outcome);
        let found = judge(&rehearsed, &all);
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
            json_answer(
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

/// What `new-login` says in a phase where the three requests of a login are answered so.
fn new_login(phase: EndpointPhase, user: &str, asked: &[(Question, Outcome)]) -> Finding {
    let mut given = Expected { test_user: Some(user.into()), ..expected(phase) };
    given.mas_host = given.mas_host.filter(|_| phase != EndpointPhase::Before);
    let when = if phase == EndpointPhase::Active { "active" } else { "dry-run-done" };
    let mut all = answers(when, &given);
    if phase == EndpointPhase::Active {
        let passwords =
            json!({"flows": [{"type": "m.login.sso", "oauth_aware_preferred": true}, {"type": "m.login.password"}]});
        all = replaced(all, &Question::LoginV3, json_answer(passwords));
    }
    for (question, outcome) in asked {
        all = replaced(all, question, outcome.clone());
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
        (Question::LogIn, json_answer(whose)),
        (Question::WhoamiNew, json_answer(named)),
        (Question::LogOut, json_answer(json!({}))),
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
        let other = |document| new_login(phase, "test", &with(1, json_answer(document)));
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
        let one = new_login(EndpointPhase::Active, "test", &[(Question::LogIn, refused)]);
        assert!(one.severity == severity && one.message.contains(words), "{status}: {one:?}");
    }
    let silent = Outcome::Silent("no answer".into());
    assert_eq!(new_login(EndpointPhase::Active, "test", &[(Question::LogIn, silent)]).severity, Severity::Unknown);
}

#[test]
fn no_login_is_tried_if_harmful_or_impossible() {
    for phase in [EndpointPhase::Rehearsed, EndpointPhase::Migrating] {
        let one = new_login(phase, "test", &[]);
        assert!(
            one.severity == Severity::Blocker && one.message.contains("MAS is deployed but not migrated"),
            "{one:?}"
        );
    }
    let off = json_answer(json!({"flows": [{"type": "m.login.sso", "oauth_aware_preferred": true}]}));
    for (flows, words) in [
        (off, "password login is off; the host offers m.login.sso"),
        (json_answer(json!({"flows": [{"type": "m.login.password"}]})), "see synapse-login"),
        (page(404, "<html>"), "404"),
        (Outcome::Silent("x".into()), "no answer: x"),
    ] {
        let one = new_login(EndpointPhase::Active, "test", &[(Question::LoginV3, flows)]);
        assert!(one.severity == Severity::Unknown && one.message.contains(words), "{one:?}");
    }
    let delegated = json_answer(json!({"flows": [{"type": "m.login.password", "oauth_aware_preferred": true}]}));
    let early = new_login(EndpointPhase::Before, "test", &[(Question::LoginV3, delegated)]);
    assert_eq!(early.severity, Severity::Unknown, "{early:?}");
    let active = expected(EndpointPhase::Active);
    assert!(
        judge(&active, &answers("active", &active)).iter().all(|one| one.code != "new-login"),
        "--login-file was not given"
    );
}

#[test]
fn synapses_providers_are_compared_with_the_spec() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let mut two = rehearsed.clone();
    two.providers.push(IdentityProvider { idp_id: "01JBCDEFGHJKMNPQRSTVWXYZ01".into(), ..IdentityProvider::default() });
    says(&two, &all, "idp-offered", Severity::Warning, "oidc-01JBCDEFGHJKMNPQRSTVWXYZ01");
    let none = Expected { providers: Vec::new(), ..rehearsed };
    says(&none, &all, "idp-offered", Severity::Warning, "Synapse offers oidc-01JABCDEFGHJKMNPQRSTVWXYZ0");
}

#[test]
fn a_host_that_cannot_be_reached_is_one_warning_and_nothing_else_is_guessed() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let mut all = Replies::default();
    for question in questions(&rehearsed) {
        all.add(question, Outcome::NotReached("its address was not found".into()));
    }
    assert_eq!(
        wrong(&rehearsed, &all),
        [("mas-reachable", Severity::Warning), ("synapse-reachable", Severity::Warning)]
    );
    assert_eq!(judge(&rehearsed, &all).len(), 2);
    let active = expected(EndpointPhase::Active);
    let one = replaced(answers("active", &active), &Question::Keys, Outcome::Silent("no answer within 4 s".into()));
    assert_eq!(wrong(&active, &one), [("mas-signing-key", Severity::Unknown)]);
}

#[test]
fn html_where_json_belongs_and_other_answers_that_are_none() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let html = page(200, "<html><head><title>Welcome to\nnginx!</title>");
    for (question, code) in [
        (Question::Discovery, "mas-discovery"),
        (Question::Keys, "mas-signing-key"),
        (Question::Versions, "synapse-reachable"),
        (Question::LoginV3, "synapse-login"),
    ] {
        let broken = replaced(all.clone(), &question, html.clone());
        assert_eq!(wrong(&rehearsed, &broken), [(code, Severity::Blocker)], "{question:?}");
        says(&rehearsed, &broken, code, Severity::Blocker, "\"Welcome to nginx!\"");
        let hostile = replaced(all.clone(), &question, Outcome::Unusable("it sends more than 100 headers".into()));
        assert_eq!(wrong(&rehearsed, &hostile), [(code, Severity::Blocker)], "{question:?}");
    }
    let odd = b"[[[[".repeat(1000);
    for body in [
        odd,
        b"[]".to_vec(),
        b"null".to_vec(),
        vec![0xff; 64],
        br#"{"issuer": 5, "keys": 7, "flows": {}, "versions": 1}"#.to_vec(),
    ] {
        for question in questions(&rehearsed) {
            for status in [200, 404, 500, 999] {
                let outcome =
                    Outcome::Answered(Reply { status, body: body.clone(), cut: status == 500, ..Reply::default() });
                let _ = judge(&rehearsed, &replaced(all.clone(), &question, outcome));
            }
        }
    }
}

#[test]
fn what_others_send_cannot_move_the_cursor_or_fill_the_screen() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let nasty = format!("<title>\u{1b}[2J{}\u{202e}</title>", "x".repeat(5000));
    let broken = replaced(answers("dry-run-done", &rehearsed), &Question::Discovery, page(200, &nasty));
    let found = judge(&rehearsed, &broken);
    let message = &found.iter().find(|one| one.code == "mas-discovery").unwrap().message;
    assert!(message.len() < 300 && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn unknown_token_or_token_of_another_user_is_a_blocker() {
    let mut active = expected(EndpointPhase::Active);
    active.token = Some(GivenToken::read("syt_Ym9i_x_1"));
    assert_eq!(wrong(&active, &answers("active", &active)), [("old-token", Severity::Blocker)]);
    says(
        &active,
        &answers("active", &active),
        "old-token",
        Severity::Blocker,
        "issued to bob, but now belongs to @alice:example.com",
    );
    // What was written down before the migration is compared.
    let noted = |user: &str, device: &str| {
        Some(GivenToken { user: Some(user.into()), device: Some(device.into()), ..GivenToken::default() })
    };
    active.token = noted("@alice:example.com", "HKOYVGWQPE");
    says(&active, &answers("active", &active), "old-token", Severity::Ok, "device HKOYVGWQPE, as in the file");
    active.token = noted("@alicia:example.com", "HKOYVGWQPE");
    says(
        &active,
        &answers("active", &active),
        "old-token",
        Severity::Blocker,
        "belonged to @alicia:example.com before",
    );
    active.token = noted("@alice:example.com", "ANOTHER");
    says(&active, &answers("active", &active), "old-token", Severity::Blocker, "belonged to device ANOTHER before");
    active.token = Some(GivenToken::default());
    active.server_name = Some("other.org".into());
    assert_eq!(wrong(&active, &answers("active", &active)), [("old-token", Severity::Blocker)]);
    active.server_name = Some("example.com".into());
    let gone = Outcome::Answered(recorded("active", "synapse-whoami-junk"));
    let broken = replaced(answers("active", &active), &Question::WhoamiToken, gone);
    assert_eq!(wrong(&active, &broken), [("old-token", Severity::Blocker)]);
}

#[test]
fn the_login_page_tells_whether_mas_can_read_its_database() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let to = |status: u16, location: &str| {
        Outcome::Answered(Reply { status, location: Some(location.into()), ..Reply::default() })
    };
    let sso = replaced(all.clone(), &Question::LoginPage, to(303, "/upstream/authorize/01JABCDEFGHJKMNPQRSTVWXYZ0"));
    assert_eq!(wrong(&rehearsed, &sso), []);
    let failing = replaced(all.clone(), &Question::LoginPage, page(500, "<!DOCTYPE html>"));
    assert_eq!(wrong(&rehearsed, &failing), [("mas-login-page", Severity::Blocker)]);
    let elsewhere = replaced(all, &Question::LoginPage, to(302, "https://other.example.com/"));
    assert_eq!(wrong(&rehearsed, &elsewhere), [("mas-login-page", Severity::Warning)]);
}

#[test]
fn the_well_known_document_may_say_nothing_of_mas_but_nothing_wrong() {
    let mut active = expected(EndpointPhase::Active);
    active.well_known = true;
    let with = |document: Value| {
        let mut answers = answers("active", &expected(EndpointPhase::Active));
        answers.add(Question::WellKnown, json_answer(document));
        wrong(&active, &answers)
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
fn an_id_cannot_leave_its_place_in_the_address() {
    let mut rehearsed = expected(EndpointPhase::Rehearsed);
    rehearsed.providers[0].idp_id = "../../admin?x=1#y z".into();
    assert_eq!(
        Question::Authorize(0).url(&rehearsed),
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
fn answer_of_the_ingress_is_not_taken_for_synapses() {
    let active = expected(EndpointPhase::Active);
    let all = answers("active", &active);
    let tries = all.to(&Question::WhoamiJunk).count();
    assert!(tries >= 2 * active.processes, "{tries}");
    let mut some = all.clone();
    forget(&mut some, &Question::WhoamiJunk);
    for _ in 1..tries {
        some.add(Question::WhoamiJunk, Outcome::Answered(recorded("active", "synapse-whoami-junk")));
    }
    let mut busy = some.clone();
    busy.add(Question::WhoamiJunk, page(503, "<html><title>503 Service Temporarily Unavailable</title>"));
    assert_eq!(wrong(&active, &busy), [("synapse-asks-mas", Severity::Warning)]);
    says(&active, &busy, "synapse-asks-mas", Severity::Warning, "(1 of 8 requests)");
    some.add(Question::WhoamiJunk, page(429, "slow down"));
    says(&active, &some, "synapse-asks-mas", Severity::Unknown, "limits requests after 7 of 8");
    let none = replaced(all, &Question::WhoamiJunk, page(503, "<html><title>503 Service Unavailable</title>"));
    assert_eq!(wrong(&active, &none), [("synapse-asks-mas", Severity::Blocker)]);
}

#[test]
fn endpoint_at_another_host_is_reported() {
    let rehearsed = expected(EndpointPhase::Rehearsed);
    let all = answers("dry-run-done", &rehearsed);
    let mut document = recorded("dry-run-done", "mas-discovery").json().unwrap();
    document["token_endpoint"] = json!("https://elsewhere.example.org/oauth2/token");
    let strange = replaced(all, &Question::Discovery, json_answer(document));
    assert_eq!(wrong(&rehearsed, &strange), [("mas-discovery", Severity::Warning)]);
    says(
        &rehearsed,
        &strange,
        "mas-discovery",
        Severity::Warning,
        "MAS's token_endpoint is https://elsewhere.example.org/",
    );
}

#[test]
fn the_more_processes_the_more_tries_and_never_a_flood() {
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
        include_str!("question.rs"),
        include_str!("synapse.rs"),
    ];
    crate::checks::tests::assert_complete(&expected::TABLE, &sources);
}
