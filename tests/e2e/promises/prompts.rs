//! The prompts on a pseudo-terminal: answers are used, and Ctrl-C at any prompt changes nothing.

use ess_mas_sandbox::prelude::*;
use rexpect::process::Signal;
use rexpect::session::{PtySession, spawn_command};
use serde_json::json;

use crate::common::scene::{Scene, active};
use crate::common::terminal::{PATIENCE, dialogue, exit_code};

const CTRL_C: &str = "\u{3}";

#[tokio::test]
async fn prompts_cover_all_input_from_prepare_to_activate() {
    let scene = Scene::new(Behaviour::default()).await;
    let steps = vec![
        ("Host name of MAS:", "\r"),
        ("Host of the PostgreSQL server for MAS:", "db.example.com\r"),
        ("Name of the database for MAS:", "\r"),
        ("PostgreSQL role of MAS:", "mas_role\r"),
        ("Password of role mas_role at db.example.com:", "canary-typed-pw\r"),
        ("Write Secret chat-of-ours-mas and the record?", "y\r"),
    ];
    let shown = dialogue(scene.shell.on_terminal(["prepare"]), steps, 0).await;
    assert!(shown.contains("auth.example.com"), "{shown}");
    assert!(!shown.contains("canary-typed-pw"), "{shown}");
    assert_eq!(scene.mas_secret().await["postgresPassword"], b"canary-typed-pw");

    let shown = dialogue(scene.shell.on_terminal(["dry-run"]), vec![("Continue?", "n\r")], 1).await;
    assert!(shown.contains("nothing was changed"), "{shown}");
    assert!(active(&scene.object().await).is_null());
    let shown = dialogue(scene.shell.on_terminal(["dry-run"]), vec![("Continue?", "y\r")], 0).await;
    assert!(shown.contains("Dry run passed"), "{shown}");
    let postgresql = &scene.object().await["spec"]["components"]["matrixAuthenticationService"]["config"]["postgresql"];
    assert_eq!([&postgresql["host"], &postgresql["user"]], ["db.example.com", "mas_role"]);

    let before = scene.versions().await;
    let no = vec![
        ("Where is the backup", "tape 7 in the safe\r"),
        ("Type the deployment name", "yes\r"),
        ("Enter to stop", "\r"),
    ];
    let shown = dialogue(scene.shell.on_terminal(["activate"]), no, 1).await;
    assert!(shown.contains("not confirmed; nothing was changed"), "{shown}");
    let wrong = vec![
        ("Where is the backup", "none\r"),
        ("Describe where the backup is", "tape 7 in the safe\r"),
        ("Type the deployment name", "yes\r"),
        ("Enter to stop", "Chat-of-ours\r"),
        ("Enter to stop", "chat\r"),
    ];
    let shown = dialogue(scene.shell.on_terminal(["activate"]), wrong, 1).await;
    assert!(shown.contains("chat-of-ours was not typed in three attempts; nothing was changed"), "{shown}");
    assert_eq!(scene.versions().await, before);
    let yes = vec![
        ("Where is the backup", "\r"),
        ("Describe where the backup is", "tape 7 in the safe\r"),
        ("Type the deployment name", "chat-of-ours\r"),
    ];
    let shown = dialogue(scene.shell.on_terminal(["activate"]), yes, 0).await;
    assert!(shown.contains("mas_active is true"), "{shown}");
    assert!(scene.record_text().await.unwrap().contains("tape 7 in the safe"));
}

#[tokio::test]
async fn ctrl_c_at_any_prompt_exits_with_130_and_changes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    let before = scene.versions().await;
    let interview = [
        ("Host name of MAS:", "\r"),
        ("Host of the PostgreSQL server for MAS:", "\r"),
        ("Name of the database for MAS:", "\r"),
        ("PostgreSQL role of MAS:", "\r"),
        ("Password of role mas", "pw\r"),
        ("Write Secret", "y\r"),
    ];
    for length in 1..=interview.len() {
        let mut steps = interview[..length].to_vec();
        steps[length - 1].1 = CTRL_C;
        let shown = dialogue(scene.shell.on_terminal(["prepare"]), steps, 130).await;
        assert!(shown.contains("nothing was changed"), "{shown}");
        assert_eq!(scene.versions().await, before, "{shown}");
    }
    scene.prepare().await;
    let before = scene.versions().await;
    dialogue(scene.shell.on_terminal(["dry-run"]), vec![("Continue?", CTRL_C)], 130).await;
    assert_eq!(scene.versions().await, before);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let before = scene.versions().await;
    dialogue(scene.shell.on_terminal(["activate"]), vec![("Where is the backup", CTRL_C)], 130).await;
    let steps = vec![("Where is the backup", "on the shelf\r"), ("Type the deployment name", CTRL_C)];
    dialogue(scene.shell.on_terminal(["activate"]), steps, 130).await;
    dialogue(scene.shell.on_terminal(["abort", "--remove"]), vec![("Continue?", CTRL_C)], 130).await;
    assert_eq!(scene.versions().await, before);
    assert_eq!(*active(&scene.object().await), json!(false));
}

#[tokio::test]
async fn a_confirmation_accepts_the_shown_warnings() {
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment.set("/metadata/annotations/meta.helm.sh~1release-name", "ess")
    })
    .await;
    scene.prepare().await;
    let shown = dialogue(scene.shell.on_terminal(["dry-run"]), vec![("Continue?", "y\r")], 0).await;
    assert!(shown.contains("manifest-owned-by-helm"), "{shown}");
}

/// The prompts, with an answer to each.
const INTERVIEW: [(&str, &str); 6] = [
    ("Host name of MAS:", "\r"),
    ("Host of the PostgreSQL server for MAS:", "\r"),
    ("Name of the database for MAS:", "\r"),
    ("PostgreSQL role of MAS:", "\r"),
    ("Password of role mas", "pw\r"),
    ("Write Secret", "y\r"),
];

#[tokio::test]
async fn an_invalid_answer_is_refused_with_the_reason_and_prompted_for_again() {
    let scene = Scene::new(Behaviour::default()).await;
    let steps = vec![
        ("[auth.example.com]", "https://auth.example.com/\r"),
        ("pass only the host", ""),
        ("[auth.example.com]", "matrix.example.com\r"),
        ("Not possible: component synapse already uses the host matrix.example.com.", ""),
        ("[auth.example.com]", "\r"),
        ("[pg.example.com]", "pg.example.com:5432\r"),
        ("Enter only the host", ""),
        ("[pg.example.com]", "postgres://u:canary@pg.example.com/mas\r"),
        ("This is a URL, a path or a connection string.", ""),
        ("[pg.example.com]", "localhost\r"),
        ("Not possible: localhost is a loopback address", ""),
        ("[pg.example.com]", "\r"),
        ("[mas]", "synapse\r"),
        ("database synapse at pg.example.com is Synapse's. Create a database that only MAS", ""),
        ("[mas]", "two words\r"),
        ("without spaces", ""),
        ("[mas]", "\r"),
        ("PostgreSQL role of MAS:", "synapse\r"),
        ("role synapse at pg.example.com is Synapse's. Create a role that only MAS uses", ""),
        ("PostgreSQL role of MAS:", "\r"),
        ("(not shown)", "\r"),
        ("The answer is empty", ""),
        ("(not shown)", "first line\rsecond line\r"),
        ("more than one line", ""),
        ("(not shown)", " pw\r"),
        ("begins or ends with white space", ""),
        ("Write Secret", "n\r"),
        ("nothing was changed", ""),
    ];
    let before = scene.versions().await;
    let shown = dialogue(scene.shell.on_terminal(["prepare"]), steps, 1).await;
    assert!(!shown.contains("second"), "{shown}");
    assert_eq!(scene.versions().await, before);
}

#[tokio::test]
async fn prepare_asks_only_for_values_that_the_cluster_lacks() {
    let unusual = |deployment: Deployment| {
        deployment
            .set("/spec/components/synapse/config/postgresql/port", 6432)
            .set("/spec/components/synapse/config/postgresql/sslMode", "disable")
            .set("/spec/global/k8s/ingresses/tls", serde_json::Value::Null)
    };
    let scene = Scene::changed(Behaviour::default(), unusual).await;
    let steps = vec![
        ("Host name of MAS:", "\r"),
        ("Host of the PostgreSQL server for MAS:", "\r"),
        ("[6432]", "70000\r"),
        ("from 1 to 65535", ""),
        ("[6432]", "\r"),
        ("Name of the database for MAS:", "\r"),
        ("PostgreSQL role of MAS:", "\r"),
        ("[disable]", "sometimes\r"),
        ("is not one of", ""),
        ("[disable]", "\r"),
        ("the certificate is in an existing Secret", "\u{1b}[B\u{1b}[B\r"),
        ("Name of the ClusterIssuer:", "letsencrypt\r"),
        ("Password of role mas", "pw\r"),
        ("database  mas at pg.example.com:6432 as mas, sslmode disable", ""),
        ("certmanager, ClusterIssuer letsencrypt", ""),
        ("Write Secret", "y\r"),
    ];
    dialogue(scene.shell.on_terminal(["prepare"]), steps, 0).await;
    let record: serde_json::Value = serde_json::from_str(&scene.record_text().await.unwrap()).unwrap();
    let settings = &record["settings"];
    assert_eq!(settings["tls"], json!({"mode": "certmanager", "issuer": "letsencrypt"}));
    assert_eq!([&settings["database"]["port"], &settings["database"]["sslMode"]], [&json!(6432), &json!("disable")]);
    // Ctrl-C at each prompt changes nothing.
    let before = scene.versions().await;
    let all = [
        ("Host name of MAS:", "\r"),
        ("Host of the PostgreSQL server for MAS:", "\r"),
        ("Port of the PostgreSQL server", "\r"),
        ("Name of the database for MAS:", "\r"),
        ("PostgreSQL role of MAS:", "\r"),
        ("sslmode of the connection", "\r"),
        ("the certificate is in an existing Secret", "\u{1b}[B\u{1b}[B\u{1b}[B\r"),
        ("Name of the Secret:", "\r"),
    ];
    let other = Scene::changed(Behaviour::default(), unusual).await;
    let untouched = other.versions().await;
    for length in [3, 6, 7, 8] {
        let mut steps = all[..length].to_vec();
        steps[length - 1].1 = CTRL_C;
        let shown = dialogue(other.shell.on_terminal(["prepare"]), steps, 130).await;
        assert!(shown.contains("nothing was changed"), "{shown}");
    }
    assert_eq!(other.versions().await, untouched);
    assert_eq!(scene.versions().await, before);
    // Recorded settings are not prompted for again.
    dialogue(scene.shell.on_terminal(["prepare"]), vec![("When these tasks are complete", "")], 0).await;
}

/// Whether the terminal is in canonical mode with signals, as a shell expects. rexpect turns off the echo;
/// `tests/offline/terminal` checks that it is restored.
fn is_sane(session: &PtySession) -> bool {
    use rustix::termios::{LocalModes, tcgetattr};
    let modes = tcgetattr(session.process().get_file_handle().unwrap()).unwrap().local_modes;
    modes.contains(LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN)
}

#[tokio::test]
async fn a_signal_at_any_prompt_restores_the_terminal_and_changes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    let before = scene.versions().await;
    let signals: [&[Signal]; 4] =
        [&[Signal::SIGTERM], &[Signal::SIGHUP], &[Signal::SIGINT], &[Signal::SIGTERM, Signal::SIGTERM]];
    for (turn, length) in (1..=INTERVIEW.len()).enumerate() {
        let signals = signals[turn % signals.len()];
        let command = scene.shell.on_terminal(["prepare"]);
        let shown = tokio::task::spawn_blocking(move || {
            let mut session = spawn_command(command, PATIENCE).unwrap();
            let mut shown = String::new();
            for (place, (text, keys)) in INTERVIEW[..length].iter().enumerate() {
                shown += &session.exp_string(text).unwrap_or_else(|error| panic!("{text:?}: {error}\n{shown}"));
                if place + 1 < length {
                    session.send(keys).unwrap();
                } else {
                    session.send("hal").unwrap();
                }
                session.flush().unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
            assert!(!is_sane(&session), "the prompt didn't change the terminal mode");
            for signal in signals {
                session.process_mut().signal(*signal).unwrap();
            }
            shown += &session.exp_eof().unwrap();
            assert_eq!(exit_code(&session), Some(130), "{signals:?} at {length}: {shown}");
            assert!(is_sane(&session), "{signals:?} at {length}: the terminal is not restored");
            shown
        })
        .await
        .unwrap();
        assert!(shown.contains("nothing was changed"), "{signals:?} at {length}: {shown}");
        assert_eq!(scene.versions().await, before, "{signals:?} at {length}: {shown}");
    }
}

#[tokio::test]
async fn a_trailing_newline_is_removed_and_a_damaged_key_is_refused() {
    let scene = Scene::new(Behaviour::default()).await;
    let value = "3f9ac1d27be4560819f0e2d4c6b8a7935d1e0f2c4b6a89786543210fedcba987";
    scene.shell.file("newline", format!("{value}\n"));
    let key = ess_mas::x509::RsaPrivateKey::generate(ess_mas::x509::RsaBits::Bits2048).unwrap();
    scene.shell.file("good", key.pem.expose());
    scene.shell.file("spaced", key.pem.expose().replace('\n', "\n\n"));
    scene.shell.file("pw", "pw");
    let words = |key: &'static str| {
        let mut words: Vec<String> = scene.prepare_words();
        words.retain(|word| word != "--yes");
        words.iter_mut().filter(|word| *word == "-").for_each(|word| "pw".clone_into(word));
        words.extend(["--encryption-secret-file", "newline", "--rsa-private-key-file", key].map(str::to_owned));
        words
    };
    let before = scene.versions().await;
    let no = dialogue(scene.shell.on_terminal(words("spaced")), vec![], 2).await;
    assert!(no.contains("openssl pkey") && no.contains("Nothing was changed") && !no.contains(&value[..12]), "{no}");
    assert_eq!(scene.versions().await, before);
    let yes = dialogue(scene.shell.on_terminal(words("good")), vec![("Write Secret", "y\r")], 0).await;
    assert!(yes.contains("Removed the trailing newline"), "{yes}");
    let secret = scene.mas_secret().await;
    assert_eq!(secret["encryptionSecret"], value.as_bytes());
    assert_eq!(secret["rsaPrivateKey"], key.pem.expose().as_bytes());
}
