//! The first words on the terminal, before any answer from the network.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rexpect::process::{PtyProcess, Signal};

use crate::plugin::Shell;

/// On an idle machine it takes some 20 ms, most of it the start of the process. A busy one gets its time; waiting for a
/// network that never answers would take ten seconds.
const AT_ONCE: Duration = Duration::from_secs(2);

#[test]
fn every_command_says_what_it_does_before_the_network_answers() {
    // Takes connections, and says nothing.
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
    // Read here and now: what waits for words by looking again and again would only measure itself.
    let mut terminal = process.get_file_handle().unwrap();
    let mut said = Vec::new();
    let mut took = None;
    let mut piece = [0; 1024];
    // Linux says EIO once the other side is closed.
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
