//! The child process under a pseudo-terminal: one prompt, its answer on stdout, the exit code of the program.

use std::process::exit;
use std::time::Duration;

use ess_mas::terminal::progress::Waiting;
use ess_mas::terminal::prompt::{PromptError, Typed};
use ess_mas::terminal::{ColorChoice, Terminal, Ui, Verbosity};

fn port(answer: &str) -> Result<String, String> {
    answer.parse::<u16>().map(|port| port.to_string()).map_err(|_| format!("{answer:?} is no port."))
}

fn play(scene: &str, ui: &Ui) -> Result<String, PromptError> {
    match scene {
        "confirm" => ui.confirm("Go on?").map(|yes| yes.to_string()),
        "text" => ui.text("Database port?", Some("5432"), port),
        "password" => ui.password("Database password?").map(|secret| format!("{} characters", secret.len())),
        "typed" => ui.typed("Name?", "prüfstand").map(|typed| (typed == Typed::Right).to_string()),
        "choose" => ui.choose("TLS?", &["inherit", "issue"]).map(|place| place.to_string()),
        "late" => {
            ui.status("not yet");
            std::thread::sleep(Duration::from_millis(500));
            ui.confirm("Go on?").map(|yes| yes.to_string())
        }
        "panic" => ui.text("Database port?", Some("5432"), |_| -> Result<String, String> { panic!("on purpose") }),
        "progress" => {
            let progress = ui.progress();
            progress.waiting(Waiting::new("running the dry run", ui.terminal.now()));
            std::thread::sleep(Duration::from_millis(300));
            ui.confirm("Go on?").map(|yes| yes.to_string())
        }
        "resized" => {
            // The program handles signals with tokio, which interrupts system calls.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _context = runtime.enter();
            let _stream = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change()).unwrap();
            // On Linux this signals the thread that waits for a key.
            let this = std::fs::read_link("/proc/thread-self").ok();
            let this = this.and_then(|path| path.file_name().map(|tid| tid.to_string_lossy().into_owned()));
            let this = this.unwrap_or_else(|| std::process::id().to_string());
            let resize = format!("for i in 1 2 3 4; do sleep 0.1; kill -WINCH {this}; done");
            let mut resizer = std::process::Command::new("sh").args(["-c", &resize]).spawn().unwrap();
            let answer = ui.confirm("Go on?").map(|yes| yes.to_string());
            resizer.wait().unwrap();
            answer
        }
        "flood" => {
            for number in 0..100_000 {
                if ui.print(format!("line {number}")).is_err() {
                    exit(1);
                }
            }
            ui.status("all printed");
            exit(0);
        }
        other => panic!("there is no scene {other:?}"),
    }
}

#[test]
#[ignore = "the other tests start it, with SCENE set"]
fn act() {
    let Ok(scene) = std::env::var("SCENE") else { return };
    let ui = Ui::new(Terminal::real(), ColorChoice::Auto, Verbosity::Normal);
    match play(&scene, &ui) {
        Ok(answer) => {
            let _ = ui.print(format!("answer: {answer}"));
            exit(0);
        }
        Err(error) => {
            ui.error(&error, &[]);
            exit(if matches!(error, PromptError::NoTerminal) { 2 } else { 130 });
        }
    }
}
