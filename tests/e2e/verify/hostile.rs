//! `verify` against hostile responses: one finding each, within the time limit, and nothing is sent to the wrong host.

use std::io::Write as _;
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::common::command::{Done, finish};
use crate::common::endpoints::{HOSTS, IDP, MAS, SYNAPSE, fill, pairs, scene, verify, web, wrong};
use crate::common::scene::Scene;

/// Ten million bytes of JSON in ten thousand compressed ones.
fn bomb() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(b"{\"issuer\":\"").unwrap();
    packed.write_all(&b"x".repeat(10_000_000)).unwrap();
    packed.finish().unwrap()
}

fn raw(text: &str) -> Reply {
    Reply::Raw(text.as_bytes().to_vec())
}

#[tokio::test]
async fn malformed_responses_are_a_finding_each() {
    let scene = scene().await;
    scene.dry_run().await;
    let web = web(&scene, "dry-run-done").await;
    let gzip = [("content-encoding".to_owned(), "gzip".to_owned())];
    web.answer(MAS, "/.well-known/openid-configuration", Reply::Whole(200, gzip.to_vec(), bomb()));
    web.answer(MAS, "/oauth2/keys.json", raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"));
    web.answer(MAS, "/login", Reply::DripHeaders);
    web.answer(SYNAPSE, "/_matrix/client/v1/auth_metadata", Reply::EndlessChunks);
    web.answer(SYNAPSE, "/_matrix/client/v3/login", Reply::Torn);
    web.answer(IDP, "/a", raw("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello"));
    let done = verify(&scene, &web, "", 10).await;
    // An endless response ends at the size limit or the time limit.
    let endless = if wrong(&done).contains(&("synapse-auth-metadata".to_owned(), "warning".to_owned())) {
        "warning"
    } else {
        "unknown"
    };
    let wanted = [
        ("mas-discovery", "blocker"),
        ("mas-signing-key", "blocker"),
        ("mas-login-page", "unknown"),
        ("idp-redirect-uri", "unknown"),
        ("synapse-auth-metadata", endless),
        ("synapse-login", "unknown"),
    ];
    let (mut found, mut wanted) = (wrong(&done), pairs(&wanted));
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{done}");
    done.shows("unexpectedly compressed").shows("ends with invalid data");

    fill(&web, &scene, "dry-run-done").await;
    let flood = format!("HTTP/1.1 200 OK\r\nx-long: {}", "y".repeat(2_000_000));
    web.answer(MAS, "/.well-known/openid-configuration", Reply::Raw(flood.into_bytes()));
    web.answer(MAS, "/oauth2/keys.json", raw(&format!("HTTP/1.1 200 OK\r\n\r\n{}", "[".repeat(100_000))));
    web.answer(MAS, "/login", Reply::Continue);
    web.answer(IDP, "/a", Reply::redirect(302, &format!("https://idp.example.com/{}", "z".repeat(50_000))));
    let done = verify(&scene, &web, "", 10).await;
    let wanted = [("mas-discovery", "blocker"), ("mas-signing-key", "blocker"), ("mas-login-page", "unknown")];
    assert_eq!(wrong(&done), pairs(&wanted), "{done}");
    assert!(done.stdout.len() < 20_000, "{done}");
}

/// Redirects to reserved addresses are not followed, and only Synapse receives a token.
#[tokio::test]
async fn only_the_specs_hosts_and_the_targets_of_mas_are_connected_to() {
    const TOKEN: &str = "syt_YWxpY2U_canarycanarycanary_1x2y3z";
    let scene = scene().await;
    scene.dry_run().await;
    let _ = scene.activate().await.expect(0);
    let web = web(&scene, "active").await;
    let proxy = web.proxy().await.unwrap();
    let authority = scene.shell.file("ca.pem", web.authority());
    let token = scene.shell.file("token", TOKEN);
    let line = format!("verify --ca-certificate {authority} --token-file {token} -vvv");
    let through = async |no_proxy: &str| -> Done {
        let mut command = scene.shell.command(line.split_whitespace());
        command.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port())).env("NO_PROXY", no_proxy);
        finish(command.spawn().unwrap(), line.clone()).await
    };
    let targets = || {
        let mut all = proxy.targets();
        all.sort();
        all.dedup();
        all
    };
    let _ = through("127.0.0.1").await.expect(10);
    assert_eq!(targets(), ["auth.example.com:443", "idp.example.com:443", "matrix.example.com:443"]);

    // Every response redirects: to a foreign host, to this machine, and to the metadata service of a cloud.
    let trap = Web::plain().await.unwrap();
    let places = [
        "https://stranger.example.net/".to_owned(),
        format!("http://127.0.0.1:{}/", trap.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "//stranger.example.net/".to_owned(),
    ];
    let paths: Vec<(String, String)> = web.visits().into_iter().map(|visit| (visit.host, visit.path)).collect();
    for (number, (host, path)) in paths.iter().enumerate() {
        let bare = path.split('?').next().unwrap();
        if !bare.starts_with("/upstream/authorize/") {
            web.answer(host, bare, Reply::redirect(307, &places[number % places.len()]));
        }
    }
    let done = through("127.0.0.1").await.expect(10);
    done.shows("a redirect to");
    assert_eq!(targets(), ["auth.example.com:443", "idp.example.com:443", "matrix.example.com:443"]);
    assert_eq!(trap.connections(), 0);
    done.is_silent_about(TOKEN);
    for visit in web.visits().iter().filter(|visit| visit.head.contains(TOKEN)) {
        assert_eq!((visit.host.as_str(), visit.path.as_str()), (SYNAPSE, "/_matrix/client/v3/account/whoami"));
    }
    let provider: Vec<_> = web.visits().into_iter().filter(|visit| visit.host == IDP).collect();
    for visit in &provider {
        assert_eq!(["authorization", "cookie", "referer"].map(|name| visit.header(name)), [None; 3], "{visit:?}");
    }

    // A host in NO_PROXY is not requested through the proxy.
    let before = proxy.targets().len();
    let _ = through("127.0.0.1,matrix.example.com").await;
    let new = proxy.targets().split_off(before);
    assert!(!new.is_empty() && new.iter().all(|target| !target.starts_with("matrix.")), "{new:?}");
    // A proxy isn't asked for such addresses either.
    let before = proxy.targets().len();
    web.answer(
        MAS,
        "/upstream/authorize/01JABCDEFGHJKMNPQRSTVWXYZ0",
        Reply::redirect(307, "https://169.254.169.254/latest/?redirect_uri=x"),
    );
    let _ = through("127.0.0.1").await;
    assert!(proxy.targets().split_off(before).iter().all(|target| target.ends_with(".example.com:443")));
}

#[tokio::test]
async fn a_silent_port_costs_its_timeout_and_no_more() {
    let scene = scene().await;
    scene.dry_run().await;
    // The kernel accepts the connections; no program reads them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let flags: Vec<String> = HOSTS.iter().map(|host| format!("--resolve {host}:{port}:127.0.0.1")).collect();
    let began = Instant::now();
    let done = scene.shell.run(&format!("verify -o json {}", flags.join(" "))).await.expect(11);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(wrong(&done), pairs(&[("mas-reachable", "warning"), ("synapse-reachable", "warning")]), "{done}");
}

/// The findings about a presented certificate.
async fn presented(scene: &Scene, chain: Chain) -> Vec<(String, String)> {
    let web = Web::presenting(&HOSTS, chain).await.unwrap();
    fill(&web, scene, "dry-run-done").await;
    let mut found = wrong(&verify(scene, &web, "", if chain == Chain::Good { 0 } else { 10 }).await);
    // Synapse has the same certificate here.
    found.sort();
    found.dedup();
    // A provider whose certificate is not trusted receives no request.
    found.retain(|(code, _)| code != "idp-redirect-uri");
    found
}

#[tokio::test]
async fn each_invalid_chain_has_its_own_finding() {
    let scene = scene().await;
    scene.dry_run().await;
    let mut all = Vec::new();
    for chain in
        [Chain::Good, Chain::WithoutIntermediate, Chain::OtherName, Chain::Expired, Chain::NotYet, Chain::SelfSigned]
    {
        all.push((chain, presented(&scene, chain).await));
    }
    let moot = ("certificate-trust", "unknown");
    let refused = ("certificate-trust", "blocker");
    let wanted = [
        (Chain::Good, pairs(&[])),
        (Chain::WithoutIntermediate, pairs(&[("certificate-chain-incomplete", "warning"), refused])),
        (Chain::OtherName, pairs(&[("certificate-host-mismatch", "blocker"), moot])),
        (Chain::Expired, pairs(&[("certificate-expired", "blocker"), moot])),
        (Chain::NotYet, pairs(&[("certificate-not-yet-valid", "blocker"), moot])),
        (Chain::SelfSigned, pairs(&[("certificate-self-signed", "warning"), refused])),
    ];
    assert_eq!(all, wanted);
}

/// One resolver without results and one that never responds; with a hanging DNS, the limits still hold.
#[tokio::test]
async fn unresolvable_names_are_warnings() {
    let domain =
        |deployment: Deployment| Deployment::for_domain(deployment.name(), deployment.namespace(), "chat.invalid");
    let scene = Scene::changed(Behaviour::default(), domain).await;
    scene.prepare().await;
    scene.shell.run("dry-run --yes").await.expect(0).says("mas-reachable");
    let began = Instant::now();
    let done = scene.shell.run("verify -o json").await.expect(11);
    println!("verify took {:?}\n{done}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(wrong(&done), pairs(&[("mas-reachable", "warning"), ("synapse-reachable", "warning")]), "{done}");
    let _ = scene.activate().await.expect(0);
}
