//! The delay until the first output, and until a verdict after its event.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use rexpect::process::{PtyProcess, Signal};
use serde_json::json;

use crate::common::command::Shell;
use crate::common::scene::condition;
use crate::common::stage::{Stage, Step};

/// On an idle machine this takes about 20 ms, most of it the start of the process. The limit tolerates a busy machine;
/// a wait for the network would take ten seconds.
const AT_ONCE: Duration = Duration::from_secs(2);

#[test]
fn every_command_reports_what_it_does_before_the_first_response() {
    // Accepts connections and sends nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let server = listener.local_addr().unwrap();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'https://{server}'}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let shell = Shell::with_kubeconfig(&kubeconfig);
    for line in ["status", "status -A", "check", "prepare", "dry-run", "activate", "abort"] {
        let fastest = (0..3).map(|_| first_words(&shell, line)).min().unwrap();
        println!("{line}: first words after {} ms", fastest.as_millis());
        assert!(fastest < AT_ONCE, "{line}: {fastest:?}");
    }
}

fn first_words(shell: &Shell, line: &str) -> Duration {
    let command = shell.on_terminal(line.split(' '));
    let begun = Instant::now();
    let mut process = PtyProcess::new(command).unwrap();
    // Read directly: a loop with pauses would measure itself.
    let mut terminal = process.get_file_handle().unwrap();
    let mut said = Vec::new();
    let mut took = None;
    let mut piece = [0; 1024];
    // Linux returns EIO after the other end is closed.
    while let Ok(length @ 1..) = terminal.read(&mut piece) {
        said.extend_from_slice(&piece[..length]);
        if took.is_none() && String::from_utf8_lossy(&said).contains("Asking the API server") {
            took = Some(begun.elapsed());
            process.signal(Signal::SIGINT).unwrap();
        }
    }
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("interrupted; nothing was changed"), "{line}: {said:?}");
    took.unwrap_or_else(|| panic!("{line}: {said:?}"))
}

/// Number of measured activations.
const RUNS: &str = "ESS_MAS_PROMPTNESS_RUNS";

/// Prints the distribution. Asserts only that there are no unnecessary waits, because a busy machine is slow. On an
/// idle one, 99 of 100 should take less than 100 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_verdict_is_reported_promptly() {
    let count = std::env::var(RUNS).ok().and_then(|text| text.parse().ok()).unwrap_or(200_usize);
    let stage = Stage::new(Step::Activate).await;
    let mut taken = Vec::new();
    for _ in 0..count {
        stage.reset().await;
        let follower = Follower::start(&stage.scene.api(), stage.scene.deployment.name()).await.unwrap();
        let event = tokio::spawn(watch(follower));
        let mut child = stage.start(&[]);
        let status = child.wait().await.unwrap();
        let ended = Instant::now();
        assert!(status.success());
        taken.push(ended.saturating_duration_since(event.await.unwrap()));
    }
    taken.sort();
    let at = |percent: usize| taken[(taken.len() * percent / 100).min(taken.len() - 1)];
    println!(
        "{count} activations, from the event to the exit: least {:?}, median {:?}, 90 % {:?}, 99 % {:?}, most {:?}",
        taken[0],
        at(50),
        at(90),
        at(99),
        taken[taken.len() - 1]
    );
    assert!(at(99) < Duration::from_secs(3), "something waits: {:?}", at(99));
}

/// The moment at which the success of an activation becomes visible.
async fn watch(mut follower: Follower) -> Instant {
    let done = |object: &serde_json::Value| {
        object["status"]["mas_active"] == json!(true) && condition(object, "Successful") == "True"
    };
    follower.until(done).await.unwrap();
    Instant::now()
}
