//! The picture in README.md: the output on a real terminal, with a light and with a dark background.
//!
//! `README_UPDATE=1 cargo test --test e2e readme::picture` updates it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use anstyle_svg::{Palette, Term};
use clap::builder::styling::{Color, RgbColor};
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::{Namespace as KubeNamespace, Secret};
use kube::api::{Api, ObjectMeta, PostParams};
use rexpect::session::spawn_command;
use tempfile::TempDir;

use super::network::{Network, When};
use super::normal;
use super::scene::{AUTHORITY, NAME, NAMESPACE, PREPARE, is_settled, words};
use super::screen::Screen;

const COLUMNS: u16 = 100;
const FILES: [(&str, Ground); 2] = [("picture-light.svg", Ground::Light), ("picture-dark.svg", Ground::Dark)];

#[derive(Clone, Copy)]
enum Ground {
    Light,
    Dark,
}

#[tokio::test]
async fn the_picture_is_what_a_terminal_shows() {
    let sandbox = Sandbox::start(Release::Current).unwrap();
    let client = sandbox.client().unwrap();
    let metadata = ObjectMeta { name: Some(NAMESPACE.to_owned()), ..ObjectMeta::default() };
    let namespace = KubeNamespace { metadata, ..KubeNamespace::default() };
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    let deployment = Deployment::new(NAME, NAMESPACE);
    deployment.create(&client).await.unwrap();
    let behaviour = Behaviour::default().reacting_after(Duration::from_millis(300)).with_workloads();
    let quick = behaviour.clone().lasting(Duration::from_secs(2));
    let operator = Operator::start(client.clone(), Scope::Namespace(NAMESPACE.to_owned()), quick);
    let mut follower = Follower::start(&deployment.api(&client), NAME).await.unwrap();
    let settled = tokio::time::timeout(Duration::from_mins(1), follower.until(is_settled));
    settled.await.expect("the operator's first run ends").unwrap();
    let text = sandbox.certificate_kubeconfig("admin", &["system:masters"], Some(NAMESPACE)).unwrap();
    let kubeconfig = sandbox.write_file("picture.kubeconfig", &text).unwrap();
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("mas-db-password"), "a database password of the example\n").unwrap();

    let network = Network::start().await;
    fs::write(home.path().join(AUTHORITY), network.authority()).unwrap();
    let person = Person { kubeconfig, home, network };
    person.types(PREPARE, &[]).await;
    let secrets = Api::<Secret>::namespaced(client.clone(), NAMESPACE);
    let secret = secrets.get(&deployment.mas_secret_name()).await.unwrap();
    let key = secret.data.unwrap().remove("rsaPrivateKey");
    person.network.answer(When::Before, key.as_ref().map(|key| key.0.as_slice()));
    person.types("kubectl ess-mas dry-run --yes", &[]).await;
    person.network.answer(When::Around, None);
    operator.set(behaviour.lasting(Duration::from_secs(10)));
    let mut screen = Screen::default();
    for (line, answers) in [
        ("kubectl ess-mas status", &[][..]),
        (
            "kubectl ess-mas activate",
            &[
                ("Where is the backup of both databases?", "nas3:/dumps/2026-11-23\r"),
                ("to start the migration:", "first-element\r"),
            ],
        ),
    ] {
        screen.write(&format!("\u{1b}[1m$ {line}\u{1b}[0m\r\n"));
        screen.write(&person.types(line, answers).await);
    }
    let shown = screen.coloured();
    for (file, ground) in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
        let picture = draw(&shown, ground);
        if env::var_os("README_UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, picture).unwrap();
            continue;
        }
        let kept = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        assert_eq!(
            lasting(&words_of(&kept)),
            lasting(&words_of(&picture)),
            "docs/{file} is out of date; `README_UPDATE=1 cargo test --test e2e readme::picture` updates it"
        );
    }
}

/// The lines that are the same in every execution. The stages that are seen depend on the machine's load.
fn lasting(words: &str) -> Vec<String> {
    let stage = |line: &String| {
        line.starts_with('✔') && line.contains("#:#:#") && !line.contains("written") && !line.contains("operator")
    };
    normal::lines(words).into_iter().filter(|line| !stage(line)).collect()
}

struct Person {
    kubeconfig: PathBuf,
    home: TempDir,
    network: Network,
}

impl Person {
    /// Types a line and the answers, and returns what the terminal shows.
    async fn types(&self, line: &str, answers: &'static [(&'static str, &'static str)]) -> String {
        let words = words(line);
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-ess_mas"));
        command
            .args(words.iter().skip(2))
            .env_clear()
            .envs([ess_mas_sandbox::owner()])
            .env("HOME", self.home.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .env("SSL_CERT_FILE", self.home.path().join(AUTHORITY))
            .envs(self.network.environment())
            .env("TERM", "xterm-256color")
            .env("COLUMNS", COLUMNS.to_string())
            .current_dir(self.home.path());
        tokio::task::spawn_blocking(move || {
            let mut session = spawn_command(command, Some(90_000)).unwrap();
            let mut shown = String::new();
            for (question, answer) in answers {
                shown += &session.exp_string(question).unwrap();
                shown += question;
                session.send(answer).unwrap();
                session.flush().unwrap();
            }
            shown += &session.exp_eof().unwrap();
            // rexpect returns each byte as a character.
            String::from_utf8(shown.chars().map(|c| u8::try_from(c).expect("a byte")).collect()).expect("UTF-8")
        })
        .await
        .unwrap()
    }
}

/// Draws the picture, in the colours of two common terminal themes with enough contrast.
fn draw(shown: &str, ground: Ground) -> String {
    let rgb = |hex: u32| {
        let [_, red, green, blue] = hex.to_be_bytes();
        RgbColor(red, green, blue)
    };
    // Black, red, green, yellow, blue, magenta, cyan, white; the bright colours are not used.
    let (text, paper, colours) = match ground {
        Ground::Light => (
            0x1f_2328,
            0xf6_f8fa,
            [0x24_292f, 0xcf_222e, 0x11_6329, 0x7d_4e00, 0x09_69da, 0x82_50df, 0x1b_7c83, 0x6e_7781],
        ),
        Ground::Dark => (
            0xe6_edf3,
            0x0d_1117,
            [0x48_4f58, 0xff_7b72, 0x3f_b950, 0xd2_9922, 0x58_a6ff, 0xbc_8cff, 0x39_c5cf, 0xb1_bac4],
        ),
    };
    let mut palette = [rgb(0); 16];
    for (place, colour) in palette.iter_mut().enumerate() {
        *colour = rgb(colours[place % 8]);
    }
    let term =
        Term::new().palette(Palette::from(palette)).fg_color(Color::Rgb(rgb(text))).bg_color(Color::Rgb(rgb(paper)));
    // Dim text stays readable.
    term.min_width_px(usize::from(COLUMNS) * 42 / 5).render_svg(shown).replace("opacity: 0.4", "opacity: 0.7")
}

/// The words in a picture.
fn words_of(picture: &str) -> String {
    let (_, body) = picture.split_once("<text").expect("a picture has text");
    let mut words = String::new();
    let mut rest = body.split_once('>').map_or("", |(_, rest)| rest);
    while let Some((before, after)) = rest.split_once('<') {
        words.push_str(before);
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    words
}
