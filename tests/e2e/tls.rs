//! `tls issue`, `tls request` and `tls check`, with openssl on their files.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use tokio::process::{Child, Command};

use crate::common::command::{Done, Shell, finish};

pub const HOST: &str = "auth.example.com";

/// A shell without a cluster.
fn without_cluster() -> Shell {
    Shell::with_kubeconfig(Path::new("none.kubeconfig"))
}

/// The folder that a shell's commands run in.
pub fn home(shell: &Shell) -> PathBuf {
    shell.state().parent().unwrap().to_owned()
}

pub async fn openssl(folder: &Path, words: &str) -> String {
    let done = Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output().await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "openssl {words}\n{text}");
    text
}

pub fn codes(done: &Done) -> Vec<String> {
    let report = done.json();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// openssl's TLS server with the files of [`HOST`] in `folder`, and its port.
async fn serve(folder: &Path) -> (Child, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let words =
        format!("s_server -quiet -accept 127.0.0.1:{port} -cert {HOST}.crt -cert_chain {HOST}-ca.crt -key {HOST}.key");
    let server = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return (server, port);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("openssl s_server does not answer");
}

#[tokio::test]
async fn an_issued_certificate_passes_openssl_and_tls_check_and_its_keys_are_private() {
    for key_type in ["p256", "rsa2048"] {
        let shell = without_cluster();
        let done = shell.run(&format!("tls issue --host {HOST} --key-type {key_type} -o json")).await.expect(0);
        let report = done.json();
        let paths: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
        assert_eq!(
            paths,
            ["auth.example.com.crt", "auth.example.com.key", "auth.example.com-ca.crt", "auth.example.com-ca.key"]
        );
        let folder = home(&shell);
        openssl(
            &folder,
            &format!("verify -purpose sslserver -verify_hostname {HOST} -CAfile {HOST}-ca.crt {HOST}.crt"),
        )
        .await;
        let key = openssl(&folder, &format!("pkey -in {HOST}.key -noout -text")).await;
        assert!(key.contains(if key_type == "p256" { "NIST CURVE: P-256" } else { "2048 bit" }), "{key}");
        #[cfg(unix)]
        for file in ["auth.example.com.key", "auth.example.com-ca.key"] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(folder.join(file)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        // The fingerprints match openssl's.
        let shown = report["files"][0]["fingerprint"].as_str().unwrap().trim_start_matches("sha256:");
        let theirs = openssl(&folder, &format!("x509 -in {HOST}.crt -noout -fingerprint -sha256")).await;
        assert_eq!(theirs.trim().rsplit('=').next().unwrap().replace(':', "").to_lowercase(), shown);
        let line = format!("tls check --host {HOST} --certificate {HOST}.crt --private-key {HOST}.key -o json");
        let with_ca = format!("{line} --ca-certificate {HOST}-ca.crt");
        assert_eq!(codes(&shell.run(&with_ca).await.expect(0)), ["certificate", "certificate-trust"]);
        assert_eq!(codes(&shell.run(&line).await.expect(11)), ["certificate-trust", "certificate"], "a private CA");
        done.says("Install auth.example.com-ca.crt").says("auth.example.com-ca.key offline");
        for file in [&done.stdout, &done.stderr] {
            assert!(!file.contains("PRIVATE KEY"), "a key is shown");
        }
    }
}

#[tokio::test]
async fn existing_files_are_replaced_with_force_only() {
    let shell = without_cluster();
    shell.run(&format!("tls issue --host {HOST}")).await.expect(0).says("until");
    let key = home(&shell).join("auth.example.com.key");
    let first = std::fs::read(&key).unwrap();
    shell.run(&format!("tls issue --host {HOST}")).await.expect(2).says("--force");
    shell.run(&format!("tls request --host {HOST}")).await.expect(2).says("auth.example.com.key");
    assert!(!home(&shell).join("auth.example.com.csr").exists(), "half of it was written");
    assert_eq!(std::fs::read(&key).unwrap(), first);
    // With the same CA, devices keep their trust.
    let ca = std::fs::read(home(&shell).join("auth.example.com-ca.crt")).unwrap();
    let line = format!("tls issue --host {HOST} --force --ca-certificate {HOST}-ca.crt --ca-private-key {HOST}-ca.key");
    let _ = shell.run(&line).await.expect(0);
    assert_ne!(std::fs::read(&key).unwrap(), first);
    assert_eq!(std::fs::read(home(&shell).join("auth.example.com-ca.crt")).unwrap(), ca);
    openssl(&home(&shell), &format!("verify -CAfile {HOST}-ca.crt {HOST}.crt")).await;
}

#[tokio::test]
async fn a_request_signed_by_a_companys_ca_passes_tls_check() {
    let shell = without_cluster();
    let folder = home(&shell);
    shell
        .run(&format!("tls request --host {HOST}"))
        .await
        .expect(0)
        .says("prepare --host auth.example.com --tls certfile");
    openssl(&folder, &format!("req -in {HOST}.csr -verify -noout")).await;
    openssl(&folder, "req -x509 -newkey rsa:2048 -nodes -keyout co.key -out co.crt -days 20 -subj /CN=Company -addext keyUsage=critical,keyCertSign").await;
    openssl(&folder, &format!("x509 -req -in {HOST}.csr -CA co.crt -CAkey co.key -CAcreateserial -days 90 -copy_extensions copyall -out leaf.crt")).await;
    let leaf = std::fs::read_to_string(folder.join("leaf.crt")).unwrap();
    let chain = leaf.clone() + &std::fs::read_to_string(folder.join("co.crt")).unwrap();
    std::fs::write(folder.join("chain.crt"), chain).unwrap();
    let check = |file: &str| format!("tls check --host {HOST} --certificate {file} --private-key {HOST}.key -o json");
    let of_ca = |file: &str| format!("{} --ca-certificate co.crt", check(file));
    let done = shell.run(&of_ca("chain.crt")).await.expect(11);
    assert_eq!(codes(&done), ["certificate-expires-soon", "certificate-trust"], "the CA has 20 days left");
    let done = shell.run(&check("leaf.crt")).await.expect(11);
    assert_eq!(codes(&done)[0], "certificate-chain-incomplete");
    let done = shell.run(&of_ca("leaf.crt")).await.expect(0);
    assert_eq!(codes(&done), ["certificate", "certificate-trust"], "the CA that was given signed it directly");
    let other = format!("{} --ca-certificate {HOST}.csr", check("chain.crt"));
    shell.run(&other).await.expect(2).says("certificate signing request (CSR)");
    let wrong = format!("tls check --host {HOST} --certificate leaf.crt --private-key co.key -o json");
    assert!(codes(&shell.run(&wrong).await.expect(10)).contains(&"certificate-key-mismatch".to_owned()));
}

/// A leaf, an intermediate, and an expired cross-signature of the root by an older root.
pub fn crossed_chain(folder: &Path) {
    const DAY: Duration = Duration::from_hours(24);
    let now = std::time::SystemTime::now();
    let [old_key, root_key, middle_key, leaf_key] = [0; 4].map(|_| KeyPair::generate().unwrap());
    let params = |name: &str, until: std::time::SystemTime| {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        (params.not_before, params.not_after) = ((now - 30 * DAY).into(), until.into());
        params
    };
    let (past, until) = (now - 2 * DAY, now + 90 * DAY);
    let (old, root, middle) = (params("old", past), params("root", until), params("middle", until));
    let mut leaf = params("leaf", until);
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.subject_alt_names = vec![SanType::DnsName(HOST.try_into().unwrap())];
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signed = |params: CertificateParams, key: &KeyPair, by: &CertificateParams, by_key: &KeyPair| {
        params.signed_by(key, &Issuer::from_params(by, by_key)).unwrap().pem()
    };
    let cross = signed(params("root", past), &root_key, &old, &old_key);
    let late = signed(params("middle", past), &middle_key, &root, &root_key);
    let leaf = signed(leaf, &leaf_key, &middle, &middle_key);
    let middle = signed(middle, &middle_key, &root, &root_key);
    for (name, content) in [
        ("old.crt", old.self_signed(&old_key).unwrap().pem()),
        ("root.crt", root.self_signed(&root_key).unwrap().pem()),
        ("chain.crt", [leaf.clone(), middle, cross].concat()),
        ("late-chain.crt", [leaf, late].concat()),
        ("leaf.key", leaf_key.serialize_pem()),
    ] {
        std::fs::write(folder.join(name), content).unwrap();
    }
}

#[tokio::test]
async fn an_expired_certificate_is_a_warning_if_a_trusted_root_replaces_it() {
    let shell = without_cluster();
    let folder = home(&shell);
    crossed_chain(&folder);
    let check = |file: &str| format!("tls check --host {HOST} --certificate {file} --private-key leaf.key -o json");
    let done = shell.run(&format!("{} --ca-certificate root.crt", check("chain.crt"))).await.expect(11);
    assert_eq!(codes(&done), ["certificate-root-expired", "certificate-trust"]);
    let mut command = shell.command(check("chain.crt").split_whitespace());
    command.env("SSL_CERT_FILE", folder.join("root.crt"));
    let done = finish(command.spawn().unwrap(), check("chain.crt")).await.expect(11);
    assert_eq!(codes(&done), ["certificate-root-expired", "certificate-trust"]);
    // Without trust in the new root, the expired certificate is needed.
    let done = shell.run(&format!("{} --ca-certificate old.crt", check("chain.crt"))).await.expect(10);
    assert_eq!(codes(&done)[0], "certificate-expired");
    let done = shell.run(&format!("{} --ca-certificate root.crt", check("late-chain.crt"))).await.expect(10);
    assert_eq!(codes(&done)[0], "certificate-expired");
}

#[tokio::test]
async fn the_folder_of_the_files_is_created_and_the_host_needs_a_record() {
    let shell = without_cluster();
    let _ = shell.run(&format!("tls issue --host {HOST} --out new/folder")).await.expect(0);
    assert!(home(&shell).join(format!("new/folder/{HOST}.key")).exists());
    std::fs::write(home(&shell).join("file"), "").unwrap();
    shell.run(&format!("tls request --host {HOST} --out file")).await.expect(1).says("--out: can't create folder file");
    shell.run("tls issue").await.expect(2).says("pass --host FQDN");
}

#[tokio::test]
async fn served_chains_and_their_trust_are_checked() {
    let shell = without_cluster();
    let _ = shell.run(&format!("tls issue --host {HOST}")).await.expect(0);
    let folder = home(&shell);
    let (_server, port) = serve(&folder).await;
    let live = format!("tls check --host {HOST} --live --resolve {HOST}:{port}:127.0.0.1 -o json");
    let done = shell.run(&format!("{live} --ca-certificate {HOST}-ca.crt")).await.expect(0);
    assert_eq!(codes(&done), ["certificate", "certificate-trust"]);
    // The system's CAs, by the variable that names them.
    for (roots, code) in [(format!("{HOST}-ca.crt"), 0), ("other.crt".to_owned(), 11)] {
        openssl(&folder, "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.crt -days 30 -subj /CN=Other")
            .await;
        let mut command = shell.command(live.split_whitespace());
        command.env("SSL_CERT_FILE", folder.join(roots));
        let done = finish(command.spawn().unwrap(), live.clone()).await.expect(code);
        assert!(codes(&done).contains(&"certificate-trust".to_owned()));
    }
    let done = shell.run(&format!("{live} --ca-certificate other.crt")).await.expect(10);
    assert_eq!(codes(&done), ["certificate-trust", "certificate"]);
    let wrong = format!("tls check --host mas.example.com --live --resolve mas.example.com:{port}:127.0.0.1 -o json");
    let done = shell.run(&format!("{wrong} --ca-certificate {HOST}-ca.crt")).await.expect(10);
    assert_eq!(codes(&done)[0], "certificate-host-mismatch");
}

#[tokio::test]
async fn quiet_prints_only_findings_that_are_not_ok() {
    let shell = without_cluster();
    let _ = shell.run(&format!("tls issue --host {HOST}")).await.expect(0);
    let line = format!("tls check --host {HOST} --certificate {HOST}.crt --private-key {HOST}.key");
    let trusted = format!("{line} --ca-certificate {HOST}-ca.crt");
    shell.run(&trusted).await.expect(0).shows("certificate is valid for").shows("issued the certificate");
    let done = shell.run(&format!("{trusted} -q")).await.expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""), "both findings are ok");
    let done = shell.run(&format!("{line} -q")).await.expect(11);
    done.shows("certificate-trust").shows("Then check again").is_silent_about("certificate is valid for");
}

#[tokio::test]
async fn an_unresponsive_endpoint_is_unknown_and_never_ok() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = format!("tls check --host {HOST} --live --resolve {HOST}:{port}:127.0.0.1 -o json");
    let done = without_cluster().run(&line).await.expect(11);
    assert_eq!(done.json()["findings"][0]["severity"], "unknown");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn core_dumps_are_disabled() {
    use std::os::unix::fs::MetadataExt as _;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let line = format!("tls check --host {HOST} --live --resolve {HOST}:{port}:127.0.0.1");
    let mut child = without_cluster().command(line.split_whitespace()).spawn().unwrap();
    // Connected, so the start is complete.
    let _connection = tokio::task::spawn_blocking(move || silent.accept().unwrap()).await.unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id().unwrap()));
    let limits = std::fs::read_to_string(process.join("limits")).unwrap();
    let core: Vec<_> =
        limits.lines().find(|line| line.starts_with("Max core")).unwrap().split_whitespace().skip(4).take(2).collect();
    assert_eq!(core, ["0", "0"], "{limits}");
    // A process that can't be dumped belongs to root in /proc. As root, this proves nothing.
    assert_eq!(std::fs::metadata(process.join("environ")).unwrap().uid(), 0);
    child.kill().await.unwrap();
}
