//! MAS, Synapse and an identity provider as web servers with recorded responses of the real programs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ess_mas::x509::RsaPrivateKey;
use ess_mas_sandbox::prelude::*;
use serde_json::{Value, json};

use super::command::Done;
use super::scene::Scene;

pub const MAS: &str = "auth.example.com";

pub const SYNAPSE: &str = "matrix.example.com";
pub const IDP: &str = "idp.example.com";

pub const ID: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";

/// The hosts of a test's web server.
pub const HOSTS: [&str; 3] = [MAS, SYNAPSE, IDP];

pub fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/http")
}

pub fn recorded(name: &str) -> Reply {
    Reply::recorded(&recordings(), name)
}

/// A deployment with the identity provider of the recordings as its only one.
pub async fn scene() -> Scene {
    scene_on(Sandbox::shared()).await
}

pub async fn scene_on(server: &'static Sandbox) -> Scene {
    Scene::on(server, Behaviour::default(), |deployment| {
        deployment
            .set(
                "/spec/components/synapse/config/delegatedAuth/oidc",
                json!([{"idpId": ID, "idpName": "Corp", "clientId": "c"}]),
            )
            .set("/spec/components/wellKnownDelegation", Value::Null)
    })
    .await
}

/// The responses of MAS, Synapse and the provider in a phase, with the key of the deployment's Secret.
pub async fn web(scene: &Scene, when: &str) -> Web {
    let web = Web::start(&HOSTS).await.unwrap();
    fill(&web, scene, when).await;
    web
}

pub async fn fill(web: &Web, scene: &Scene, when: &str) {
    for (path, name) in [
        ("/.well-known/openid-configuration", "mas-discovery"),
        ("/login", "mas-login"),
        ("/upstream/authorize/01JABCDEFGHJKMNPQRSTVWXYZ0", "mas-authorize"),
    ] {
        web.answer(MAS, path, recorded(&format!("{when}/{name}")));
    }
    let secret = scene.secrets().get_opt(&scene.deployment.mas_secret_name()).await.unwrap();
    if let Some(key) = secret.and_then(|secret| secret.data?.remove("rsaPrivateKey")) {
        let modulus = RsaPrivateKey::parse(&key.0).unwrap().modulus_base64url();
        web.answer(
            MAS,
            "/oauth2/keys.json",
            Reply::json(200, &json!({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB"}]})),
        );
    }
    let login = if when == "active" { "mas-compat-login-v3" } else { "synapse-login-v3" };
    for (path, name) in [
        ("/_matrix/client/versions", "synapse-versions"),
        ("/_matrix/client/v1/auth_metadata", "synapse-auth_metadata"),
        ("/_matrix/client/unstable/org.matrix.msc2965/auth_metadata", "synapse-auth_metadata-unstable"),
        ("/_matrix/client/v3/login", login),
        ("/_matrix/client/r0/login", login),
        ("/_matrix/client/v3/account/whoami", "synapse-whoami-junk"),
    ] {
        web.answer(SYNAPSE, path, recorded(&format!("{when}/{name}")));
    }
    web.answer(IDP, "/a", Reply::page(200, "<html><title>Sign in</title></html>"));
}

/// Code and severity of every finding that is not ok.
pub fn wrong(done: &Done) -> Vec<(String, String)> {
    let report = done.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().unwrap().iter().filter(|one| one["severity"] != "ok");
    all.map(|one| (text(&one["code"]), text(&one["severity"]))).collect()
}

pub fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(code, severity)| ((*code).to_owned(), (*severity).to_owned())).collect()
}

pub async fn verify(scene: &Scene, web: &Web, more: &str, code: i32) -> Done {
    let authority = scene.shell.file("ca.pem", web.authority());
    let line = format!("verify --ca-certificate {authority}{} -o json {more}", web.resolve(&HOSTS));
    let began = Instant::now();
    let done = scene.shell.run(&line).await.expect(code);
    assert!(began.elapsed() < Duration::from_secs(12), "it took {:?}\n{done}", began.elapsed());
    done
}
