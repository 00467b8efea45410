//! `verify` against real programs: Synapse from the Python Package Index before and after the migration, and an OpenID
//! provider from npm with and without MAS's redirect URI. Recorded responses replace MAS.
//!
//! Ignored by default: installs Synapse and the provider below `target/`. This needs Python 3.10, Node.js 20, a
//! network, and minutes the first time.
//!
//! ```sh
//! cargo test --test e2e real::verify -- --ignored
//! ```

mod parts;

use std::path::{Path, PathBuf};

use ess_mas::x509::RsaPrivateKey;
use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use crate::common::command::Done;
use crate::common::scene::Scene;
use parts::{ID, Provider, Synapse};

const MAS: &str = "auth.example.com";
const SYNAPSE: &str = "matrix.example.com";
const IDP: &str = "idp.example.com";
const CALLBACK: &str = "https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0";

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/http")
}

async fn scene() -> Scene {
    let provider = json!([{"idpId": ID, "idpName": "Corp", "clientId": "c"}]);
    let path = "/spec/components/synapse/config/delegatedAuth/oidc";
    Scene::changed(Behaviour::default(), |deployment| {
        deployment.set(path, provider).set("/spec/components/wellKnownDelegation", Value::Null)
    })
    .await
}

/// The ingress: MAS's recorded responses, with the key of the deployment's Secret, and the real programs behind it.
async fn ingress(scene: &Scene, synapse: &Synapse, provider: &Provider) -> Web {
    let web = Web::start(&[MAS, SYNAPSE, IDP]).await.unwrap();
    for (path, name) in [("/.well-known/openid-configuration", "mas-discovery"), ("/login", "mas-login")] {
        web.answer(MAS, path, Reply::recorded(&recordings(), &format!("dry-run-done/{name}")));
    }
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("response_type", "code"), ("client_id", "c"), ("redirect_uri", CALLBACK)])
        .extend_pairs([("scope", "openid"), ("state", "s"), ("nonce", "n")])
        .finish();
    let to_provider = Reply::redirect(307, &format!("https://{IDP}/auth?{query}"));
    web.answer(MAS, &format!("/upstream/authorize/{ID}"), to_provider);
    if let Some(secret) = scene.secrets().get_opt(&scene.deployment.mas_secret_name()).await.unwrap() {
        let modulus = RsaPrivateKey::parse(&secret.data.unwrap()["rsaPrivateKey"].0).unwrap().modulus_base64url();
        let keys = json!({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB"}]});
        web.answer(MAS, "/oauth2/keys.json", Reply::json(200, &keys));
    }
    web.lead(SYNAPSE, synapse.port);
    web.lead(IDP, provider.port);
    web
}

async fn verify(scene: &Scene, web: &Web, more: &str, code: i32) -> Done {
    let authority = scene.shell.file("ca.pem", web.authority());
    let resolve = web.resolve(&[MAS, SYNAPSE, IDP]);
    let done = scene.shell.run(&format!("verify --ca-certificate {authority}{resolve} -o json {more}")).await;
    println!("{done}");
    done.expect(code)
}

/// Code and severity of every finding that is not ok.
fn wrong(done: &Done) -> Vec<(String, String)> {
    let report = done.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = report["findings"].as_array().unwrap().iter().filter(|one| one["severity"] != "ok");
    all.map(|one| (text(&one["code"]), text(&one["severity"]))).collect()
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(code, severity)| ((*code).to_owned(), (*severity).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "installs Synapse from PyPI and an OpenID provider from npm"]
async fn the_real_synapse_and_a_real_provider_are_in_order_in_every_phase_and_found_out_where_they_are_not() {
    let scene = scene().await;
    let mut synapse = Synapse::start().await;
    let (knows, knows_not) = (Provider::start(&[CALLBACK]), Provider::start(&["https://matrix.example.com/old"]));
    let (token, device) = synapse.log_in();
    let file = scene.shell.file("token", format!("{token} @alice:example.com {device}\n"));

    // Before the migration.
    let web = ingress(&scene, &synapse, &knows).await;
    let account = scene.shell.file("account", format!("alice\n{}\n", parts::PASSWORD));
    let before = verify(&scene, &web, &format!("--login-file {account}"), 0).await;
    before
        .shows("the new token belongs to @alice:example.com")
        .shows("logged out again")
        .is_silent_about(parts::PASSWORD);
    before
        .shows("Synapse handles logins")
        .shows(&format!("Synapse offers all identity providers of the spec: oidc-{ID}"));

    // MAS is deployed; the provider has its redirect URI, or not.
    scene.dry_run().await;
    let web = ingress(&scene, &synapse, &knows).await;
    let deployed = verify(&scene, &web, &format!("--token-file {file}"), 0).await;
    deployed.shows("without an error about the redirect URI").shows("as in the file").is_silent_about(&token);
    let asked: Vec<_> = web.visits().into_iter().filter(|visit| visit.host == IDP).map(|visit| visit.path).collect();
    assert!(asked.len() == 1 && asked[0].starts_with("/auth?"), "{asked:?}");
    let forgotten = ingress(&scene, &synapse, &knows_not).await;
    let done = verify(&scene, &forgotten, "", 11).await;
    assert_eq!(wrong(&done), pairs(&[("idp-redirect-uri", "warning")]));
    done.shows("redirect_uri did not match");

    // Synapse delegates; at first, the ingress still routes logins to it.
    let _ = scene.activate().await.expect(0);
    let mas = Web::plain().await.unwrap();
    let discovery = Reply::recorded(&recordings(), "active/mas-discovery");
    mas.answer("127.0.0.1", "/.well-known/openid-configuration", discovery);
    let of_alice = json!({"active": true, "username": "alice", "sub": "01J", "device_id": device,
        "scope": "urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:client:api:*"});
    let whose = Reply::IfBody(
        token.clone(),
        Box::new(Reply::json(200, &of_alice)),
        Box::new(Reply::json(200, &json!({"active": false}))),
    );
    mas.answer("127.0.0.1", "/oauth2/introspect", whose);
    synapse.migrate(mas.port()).await;
    let web = ingress(&scene, &synapse, &knows).await;
    let wrongly = verify(&scene, &web, "", 10).await;
    assert_eq!(wrong(&wrongly), pairs(&[("synapse-login", "blocker"), ("synapse-login", "blocker")]));
    for version in ["v3", "r0"] {
        let login = Reply::recorded(&recordings(), "active/mas-compat-login-v3");
        web.answer(SYNAPSE, &format!("/_matrix/client/{version}/login"), login);
    }
    let active = verify(&scene, &web, &format!("--token-file {file}"), 0).await;
    active.shows("identical to MAS's discovery document").shows("as in the file").is_silent_about(&token);
    let tries = mas.visits().into_iter().filter(|visit| visit.path == "/oauth2/introspect").count();
    assert!(tries >= 5, "Synapse asked {tries} times");

    // MAS is stopped: Synapse's cache does not hide that.
    drop(mas);
    let done = verify(&scene, &web, "", 10).await;
    assert_eq!(wrong(&done), pairs(&[("synapse-asks-mas", "blocker")]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "installs Synapse from PyPI and an OpenID provider from npm"]
async fn provider_of_the_real_synapse_that_the_spec_lacks_is_reported() {
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment
            .set("/spec/components/synapse/config/delegatedAuth/oidc", json!([]))
            .set("/spec/components/wellKnownDelegation", Value::Null)
    })
    .await;
    let (synapse, provider) = (Synapse::start().await, Provider::start(&[CALLBACK]));
    let web = ingress(&scene, &synapse, &provider).await;
    let done = verify(&scene, &web, "", 11).await;
    assert_eq!(wrong(&done), pairs(&[("idp-offered", "warning")]));
    done.shows(&format!("Synapse offers oidc-{ID}, which is not in delegatedAuth.oidc"));
}
