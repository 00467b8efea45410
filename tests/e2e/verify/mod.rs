//! `verify` as a process, with recordings of the real MAS and Synapse, and with invalid responses.

#[cfg(unix)]
mod hostile;
mod new_login;
mod through_cluster;

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::endpoints::{HOSTS, IDP, MAS, SYNAPSE, fill, pairs, recorded, scene, verify, web, wrong};

#[tokio::test]
async fn recorded_responses_are_ok_in_every_phase() {
    let scene = scene().await;
    let web = Web::start(&HOSTS).await.unwrap();
    fill(&web, &scene, "dry-run-done").await;
    let before = verify(&scene, &web, "", 0).await;
    before.says("MAS is not deployed yet");
    assert_eq!(wrong(&before), []);
    assert!(web.visits().iter().all(|visit| visit.host == SYNAPSE), "{:?}", web.visits());

    scene.dry_run().await;
    fill(&web, &scene, "dry-run-done").await;
    let deployed = verify(&scene, &web, "", 0).await;
    assert_eq!(wrong(&deployed), []);
    deployed.says("Never complete a login to MAS before the migration");
    let keys =
        deployed.json()["findings"].as_array().unwrap().iter().find(|one| one["code"] == "mas-signing-key").cloned();
    assert_eq!(keys.unwrap()["subject"], "https://auth.example.com/oauth2/keys.json");

    let _ = scene.activate().await.expect(0);
    fill(&web, &scene, "active").await;
    let active = verify(&scene, &web, "", 0).await;
    assert_eq!(wrong(&active), []);
    // Each request has its own connection, so that other processes can respond.
    let junk: Vec<_> = web.visits().into_iter().filter(|one| one.path.ends_with("/whoami")).collect();
    assert!(junk.len() >= 6, "{} tries", junk.len());
    let mut tokens: Vec<_> = junk.iter().map(|one| one.header("authorization").unwrap().to_owned()).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), junk.len(), "a token that was seen before is answered from a cache");
}

#[tokio::test]
async fn broken_endpoints_are_found_and_set_the_exit_code() {
    let scene = scene().await;
    scene.dry_run().await;
    let web = web(&scene, "dry-run-done").await;
    // Problems: another issuer, an unknown provider, and logins that are already routed to MAS.
    web.answer(
        MAS,
        "/.well-known/openid-configuration",
        Reply::json(200, &json!({"issuer": "http://[::]:8080/", "id_token_signing_alg_values_supported": ["RS256"]})),
    );
    web.answer(MAS, "/upstream/authorize/01JABCDEFGHJKMNPQRSTVWXYZ0", recorded("dry-run-done/mas-authorize-unknown"));
    web.answer(SYNAPSE, "/_matrix/client/v3/login", recorded("dry-run-done/mas-compat-login-v3"));
    let done = verify(&scene, &web, "", 10).await;
    let blocker = |code| (code, "blocker");
    assert_eq!(
        wrong(&done)[..3],
        pairs(&[blocker("mas-issuer"), blocker("idp-at-mas"), blocker("synapse-login")]),
        "{done}"
    );
    assert!(
        !web.visits().iter().any(|visit| visit.host == IDP),
        "a provider got a request although MAS doesn't redirect to it"
    );

    // Only a warning: the provider doesn't have the redirect URI.
    fill(&web, &scene, "dry-run-done").await;
    web.answer(IDP, "/a", Reply::page(400, "<html>Invalid parameter: redirect_uri</html>"));
    let done = verify(&scene, &web, "", 11).await;
    assert_eq!(wrong(&done), pairs(&[("idp-redirect-uri", "warning")]));
    done.shows("Invalid parameter: redirect_uri")
        .shows("https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0");

    // Another key than the Secret's, as in the recording.
    fill(&web, &scene, "dry-run-done").await;
    web.answer(MAS, "/oauth2/keys.json", recorded("dry-run-done/mas-keys"));
    assert_eq!(wrong(&verify(&scene, &web, "", 10).await), pairs(&[blocker("mas-signing-key")]));

    // An untrusted certificate, and no server at all.
    fill(&web, &scene, "dry-run-done").await;
    let stranger = Web::start(&[MAS]).await.unwrap();
    let other = scene.shell.file("other.pem", stranger.authority());
    let line = format!("verify --ca-certificate {other}{} -o json", web.resolve(&HOSTS));
    let done = scene.shell.run(&line).await.expect(11);
    let found = wrong(&done);
    assert!(found.contains(&("certificate-trust".to_owned(), "warning".to_owned())), "{done}");
    assert!(found.contains(&("idp-redirect-uri".to_owned(), "unknown".to_owned())), "{done}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = format!("verify --resolve {MAS}:{nobody}:127.0.0.1 --resolve {SYNAPSE}:{nobody}:127.0.0.1");
    let done = scene.shell.run(&line).await.expect(11);
    done.shows("mas-reachable").shows("synapse-reachable").shows("--through-cluster");
}

#[tokio::test]
async fn worker_that_cannot_reach_mas_is_found_and_a_restarting_one_is_retried() {
    let scene = scene().await;
    scene.dry_run().await;
    let _ = scene.activate().await.expect(0);
    let web = web(&scene, "active").await;
    let (good, bad) = (recorded("active/synapse-whoami-junk"), recorded("active-mas-down/synapse-whoami-junk"));
    let mut once = vec![bad.clone(), bad.clone()];
    once.push(good);
    web.answer(SYNAPSE, "/_matrix/client/v3/account/whoami", Reply::InTurn(once));
    assert_eq!(wrong(&verify(&scene, &web, "", 0).await), []);
    web.answer(SYNAPSE, "/_matrix/client/v3/account/whoami", bad);
    assert_eq!(wrong(&verify(&scene, &web, "", 10).await), pairs(&[("synapse-asks-mas", "blocker")]));
}

#[tokio::test]
async fn token_is_sent_only_to_synapses_host_with_a_trusted_certificate() {
    const TOKEN: &str = "syt_YWxpY2U_canarycanarycanary_1x2y3z";
    let scene = scene().await;
    scene.dry_run().await;
    let _ = scene.activate().await.expect(0);
    let web = web(&scene, "active").await;
    web.answer(SYNAPSE, "/_matrix/client/v3/account/whoami", recorded("active/synapse-whoami-old-token"));
    let file = scene.shell.file("token", format!("{TOKEN}\n"));
    let done = verify(&scene, &web, &format!("--token-file {file}"), 10).await;
    done.shows("@alice:example.com, device HKOYVGWQPE").is_silent_about(TOKEN);
    let bearer = format!("Bearer {TOKEN}");
    let carrying = |web: &Web| web.visits().into_iter().filter(|one| one.head.contains(TOKEN)).collect::<Vec<_>>();
    let with: Vec<_> = carrying(&web);
    assert_eq!(with.len(), 1, "{with:?}");
    assert_eq!((with[0].host.as_str(), with[0].header("authorization")), (SYNAPSE, Some(bearer.as_str())));

    let impostor = self::web(&scene, "active").await;
    let authority = scene.shell.file("ca.pem", web.authority());
    let line = format!("verify --ca-certificate {authority}{} --token-file {file} -vvv", impostor.resolve(&HOSTS));
    let done = scene.shell.run(&line).await.expect(11);
    done.shows("old-token").is_silent_about(TOKEN);
    assert_eq!(carrying(&impostor), []);
}

#[tokio::test]
async fn hostile_responses_are_a_finding_each_and_cause_no_hang() {
    let scene = scene().await;
    scene.dry_run().await;
    let web = web(&scene, "dry-run-done").await;
    web.answer(MAS, "/.well-known/openid-configuration", Reply::Endless);
    web.answer(MAS, "/oauth2/keys.json", Reply::Headers(10_000));
    web.answer(MAS, "/login", Reply::Drip);
    web.answer(SYNAPSE, "/_matrix/client/versions", Reply::page(200, "<html><title>Welcome to nginx!</title></html>"));
    web.answer(SYNAPSE, "/_matrix/client/v1/auth_metadata", Reply::Noise);
    web.answer(SYNAPSE, "/_matrix/client/v3/login", Reply::CutOff);
    web.answer(IDP, "/a", Reply::Silence);
    let done = verify(&scene, &web, "", 10).await;
    let wanted = [
        ("mas-discovery", "blocker"),
        ("mas-signing-key", "blocker"),
        ("synapse-reachable", "blocker"),
        ("synapse-auth-metadata", "blocker"),
        ("mas-login-page", "unknown"),
        ("idp-redirect-uri", "unknown"),
        ("synapse-login", "unknown"),
    ];
    let mut found = wrong(&done);
    let mut wanted = pairs(&wanted);
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{done}");
}

#[tokio::test]
async fn redirects_to_loopback_and_link_local_addresses_are_refused() {
    let scene = scene().await;
    scene.dry_run().await;
    let web = web(&scene, "dry-run-done").await;
    let trap = Web::plain().await.unwrap();
    let callback =
        "redirect_uri=https%3A%2F%2Fauth.example.com%2Fupstream%2Fcallback%2F01JABCDEFGHJKMNPQRSTVWXYZ0&client_id=c";
    for place in [
        "https://169.254.169.254/latest/meta-data/iam/security-credentials/".to_owned(),
        format!("https://127.0.0.1:{}/", trap.port()),
        format!("https://localhost:{}/", trap.port()),
        format!("https://[::ffff:127.0.0.1]:{}/", trap.port()),
        format!("http://{IDP}/a"),
        "file:///etc/passwd".to_owned(),
    ] {
        web.answer(
            MAS,
            "/upstream/authorize/01JABCDEFGHJKMNPQRSTVWXYZ0",
            Reply::redirect(307, &format!("{place}?{callback}")),
        );
        let done = verify(&scene, &web, "", 11).await;
        assert_eq!(wrong(&done), pairs(&[("idp-redirect-uri", "unknown")]), "{place}\n{done}");
    }
    assert_eq!(trap.visits(), []);
    // Redirects of the provider are not followed.
    fill(&web, &scene, "dry-run-done").await;
    web.answer(IDP, "/a", Reply::redirect(302, &format!("http://127.0.0.1:{}/?x", trap.port())));
    assert_eq!(wrong(&verify(&scene, &web, "", 0).await), []);
    assert_eq!(trap.visits(), []);
    let asked: Vec<_> = web.visits().into_iter().filter(|one| one.host == IDP).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!([asked[0].header("cookie"), asked[0].header("authorization"), asked[0].header("referer")], [None; 3]);
}

#[tokio::test]
async fn wrong_usage_of_verify_is_reported() {
    let scene = scene().await;
    scene.shell.run("verify --resolve auth.example.com").await.expect(2).says("HOST:PORT:ADDRESS");
    scene.shell.run("verify --ca-certificate nowhere.pem").await.expect(2).says("--ca-certificate");
    scene.shell.run("verify --token-file nowhere").await.expect(2).says("--token-file");
    let empty = scene.shell.file("empty", "two words\n");
    scene.shell.run(&format!("verify --token-file {empty}")).await.expect(2).says("write only the token");
    scene.shell.run("verify --login-file nowhere").await.expect(2).says("--login-file");
    for (bytes, words) in [
        (&b"test\n"[..], "does not hold two lines"),
        (b"test\n\n", "does not hold two lines"),
        (b" \ncanary-pw\n", "does not hold two lines"),
        (b"test\ncanary-pw\n\n", "does not hold two lines"),
        (b"\xef\xbb\xbftest\r\ncanary-pw\r\n", "byte order mark"),
        (b"test\ncanary\0pw\n", "NUL"),
        (b"\xff\xfet\0", "UTF-8"),
    ] {
        let file = scene.shell.file("account", bytes);
        let done = scene.shell.run(&format!("verify --login-file {file}")).await.expect(2);
        done.says(words).is_silent_about("canary");
    }
    scene.shell.run("verify --login-file - --token-file -").await.expect(2).says("pass - to only one flag");
}
