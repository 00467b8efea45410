//! `verify --login-file`: login and logout of a test account.

use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::common::endpoints::{HOSTS, SYNAPSE, fill, pairs, scene, verify, web, wrong};

const PASSWORD: &str = "canary-Pa55word-4711";
const TOKEN: &str = "mct_canarycanarycanarynew_1x2y3z";
const LOGIN: &str = "/_matrix/client/v3/login";
const WHOAMI: &str = "/_matrix/client/v3/account/whoami";
const BOTH: [&str; 2] = [LOGIN, "/_matrix/client/v3/logout"];

/// Offers these login types, and sends this response to the login.
fn login(web: &Web, flows: &Value, answer: Reply) {
    web.answer(SYNAPSE, LOGIN, Reply::IfBody(PASSWORD.into(), Box::new(answer), Box::new(Reply::json(200, flows))));
}

/// Sends this response to the request for the new token's user.
fn whoami(web: &Web, named: &Value) {
    let junk = Reply::json(401, &json!({"errcode": "M_UNKNOWN_TOKEN", "error": "no"}));
    web.answer(SYNAPSE, WHOAMI, Reply::IfBody(TOKEN.into(), Box::new(Reply::json(200, named)), Box::new(junk)));
}

fn takes_logins(web: &Web, flows: &Value) {
    let whose = json!({"user_id": "@test:example.com", "device_id": "NEWDEVICE"});
    whoami(web, &whose);
    let mut answer = whose;
    answer["access_token"] = json!(TOKEN);
    login(web, flows, Reply::json(200, &answer));
    web.answer(SYNAPSE, BOTH[1], Reply::json(200, &json!({})));
}

fn posts(web: &Web) -> Vec<String> {
    web.visits().into_iter().filter(|visit| visit.head.starts_with("POST")).map(|visit| visit.path).collect()
}

#[tokio::test]
async fn login_is_tested_before_and_after_the_migration_only() {
    let scene = scene().await;
    let file = scene.shell.file("account", format!("test\r\n{PASSWORD}\n"));
    let more = format!("--login-file {file} -vvv");
    let of_synapse = json!({"flows": [{"type": "m.login.password"}]});
    let of_mas =
        json!({"flows": [{"type": "m.login.sso", "oauth_aware_preferred": true}, {"type": "m.login.password"}]});
    let before = Web::start(&HOSTS).await.unwrap();
    fill(&before, &scene, "dry-run-done").await;
    takes_logins(&before, &of_synapse);
    let done = verify(&scene, &before, &more, 11).await;
    assert_eq!(wrong(&done), pairs(&[("idp-offered", "warning")]), "{done}");
    done.shows("test can log in with a password at Synapse");
    assert_eq!(posts(&before), BOTH);

    scene.dry_run().await;
    let between = web(&scene, "dry-run-done").await;
    takes_logins(&between, &of_synapse);
    let done = verify(&scene, &between, &more, 10).await;
    done.shows("MAS is deployed but not migrated");
    assert!(wrong(&done).contains(&("new-login".to_owned(), "blocker".to_owned())), "{done}");
    assert_eq!(posts(&between), [""; 0]);

    let _ = scene.activate().await.expect(0);
    let web = web(&scene, "active").await;
    takes_logins(&web, &of_mas);
    let done = verify(&scene, &web, &more, 0).await;
    done.shows("test can log in with a password at MAS; the new token belongs to @test:example.com, device NEWDEVICE; the program logged out again");
    done.is_silent_about(PASSWORD).is_silent_about(TOKEN);
    assert_eq!(posts(&web), BOTH);
    let carrying = web.visits().into_iter().filter(|visit| visit.head.contains(TOKEN));
    assert_eq!(carrying.map(|visit| visit.path).collect::<Vec<_>>(), [WHOAMI, BOTH[1]]);

    // Passwords are disabled; the certificate is for another host.
    login(&web, &json!({"flows": [{"type": "m.login.sso", "oauth_aware_preferred": true}]}), Reply::Silence);
    let done = verify(&scene, &web, &more, 11).await;
    assert_eq!(wrong(&done), pairs(&[("new-login", "unknown")]), "{done}");
    done.shows("password login is off");
    takes_logins(&web, &of_mas);
    let authority = scene.shell.file("other.pem", between.authority());
    let line = format!("verify --ca-certificate {authority}{} {more}", web.resolve(&HOSTS));
    scene.shell.run(&line).await.shows("new-login").is_silent_about(PASSWORD);
    assert_eq!(posts(&web), BOTH);
}

#[tokio::test]
async fn password_and_token_of_a_login_are_never_shown_or_forwarded() {
    let scene = scene().await;
    let file = scene.shell.file("account", format!("test\n{PASSWORD}"));
    let more = format!("--login-file {file} -vvv");
    scene.dry_run().await;
    let _ = scene.activate().await.expect(0);
    let web = web(&scene, "active").await;
    let flows =
        json!({"flows": [{"type": "m.login.sso", "oauth_aware_preferred": true}, {"type": "m.login.password"}]});
    let told = format!("no {PASSWORD} and {}", &PASSWORD[..12]);
    for answer in [
        Reply::json(403, &json!({"errcode": "M_FORBIDDEN", "error": told, "error_description": told})),
        Reply::page(403, &told),
        Reply::redirect(307, &format!("https://stranger.example.net/?{PASSWORD}")),
        Reply::json(200, &json!({"access_token": "", "error": told})),
        Reply::Silence,
        Reply::Endless,
    ] {
        login(&web, &flows, answer);
        let done =
            scene.shell.run(&format!("verify --resolve {SYNAPSE}:{}:127.0.0.1 {more} -o json", web.port())).await;
        done.is_silent_about(&PASSWORD[..12]);
    }
    let trusted = async |code| {
        let done = verify(&scene, &web, &more, code).await;
        done.is_silent_about(&PASSWORD[..12]).is_silent_about(TOKEN);
        done
    };
    login(&web, &flows, Reply::json(403, &json!({"errcode": "M_FORBIDDEN", "error": told, "error_description": told})));
    assert_eq!(wrong(&trusted(10).await), pairs(&[("new-login", "blocker")]));
    login(&web, &flows, Reply::redirect(307, &format!("https://stranger.example.net/?{PASSWORD}")));
    trusted(10).await.shows("307");
    // A token that exists only in this test, and a logout that fails.
    takes_logins(&web, &flows);
    whoami(&web, &json!({"user_id": format!("@{PASSWORD}:example.com"), "device_id": TOKEN}));
    let before = posts(&web).len();
    trusted(10).await.shows("accounts are mixed up");
    assert_eq!(posts(&web)[before..], BOTH);
    takes_logins(&web, &flows);
    web.answer(SYNAPSE, BOTH[1], Reply::page(502, "<html>"));
    let left = trusted(11).await;
    left.shows("may still exist");
}
