//! Prompts on a real terminal: this binary starts itself under a pseudo-terminal and types.

mod child;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rexpect::session::{PtySession, spawn_command};

/// Only a failing test waits this long.
const PATIENCE: Option<u64> = Some(20_000);

/// The shell prints the settings of the terminal before and after with `stty`, and the exit code.
const AROUND: &str = r#"stty sane; before=$(stty -g); "$0" terminal::child::act --exact --ignored --nocapture --test-threads=1
code=$?; [ "$before" = "$(stty -g)" ] && echo "terminal as before, code $code" || { echo "terminal spoilt, code $code"; stty -a; }"#;

/// This binary as the child process for `scene` (see [`child`]).
fn command(script: &str, scene: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(std::env::current_exe().unwrap());
    command.env("SCENE", scene).env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR");
    command
}

fn on_terminal(scene: &str) -> PtySession {
    spawn_command(command(AROUND, scene), PATIENCE).unwrap()
}

/// Types `keys` after `question` is printed; expects `outcome` and a restored terminal.
#[track_caller]
fn asked(scene: &str, question: &str, keys: &str, outcome: &str) -> String {
    let mut session = on_terminal(scene);
    session.exp_string(question).unwrap();
    session.send(keys).unwrap();
    session.flush().unwrap();
    let shown = session.exp_string(outcome).unwrap();
    session.exp_string("terminal as before").unwrap();
    shown
}

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const BACKSPACE: &str = "\u{7f}";
const DOWN: &str = "\u{1b}[B";
const HIDE_CURSOR: &str = "\u{1b}[?25l";

#[test]
fn a_yes_and_a_no() {
    asked("confirm", "[y/N]", "y\r", "answer: true");
    asked("confirm", "[y/N]", "\r", "answer: false");
    asked("confirm", "[y/N]", CTRL_D, "answer: false");
}

#[test]
fn ctrl_c_at_every_prompt_restores_the_terminal() {
    for scene in ["confirm", "text", "password", "typed", "choose"] {
        let mut session = on_terminal(scene);
        session.exp_char('?').unwrap();
        session.send("hal").unwrap();
        session.send(CTRL_C).unwrap();
        session.flush().unwrap();
        let shown = session.exp_string("^C").unwrap();
        assert!(!shown.contains(HIDE_CURSOR), "{scene}: {shown}");
        session.exp_string("terminal as before, code 130").unwrap();
    }
}

/// Without a controlling terminal there is no SIGHUP, so only reading shows that the terminal is closed.
#[test]
fn a_closed_terminal_interrupts_every_prompt() {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    for scene in ["confirm", "text", "password", "typed", "choose"] {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&outer).unwrap();
        unlockpt(&outer).unwrap();
        let inner = open(ptsname(&outer, Vec::new()).unwrap(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let script = "exec \"$0\" terminal::child::act --exact --ignored --nocapture --test-threads=1";
        let mut child = command(script, scene)
            .stdin(inner.try_clone().unwrap())
            .stdout(Stdio::null())
            .stderr(inner)
            .spawn()
            .unwrap();
        let mut outer = std::fs::File::from(outer);
        let (mut shown, mut bytes) = (Vec::new(), [0; 1024]);
        while !shown.contains(&b'?') {
            let read = outer.read(&mut bytes).unwrap();
            shown.extend_from_slice(&bytes[..read]);
        }
        outer.write_all(b"hal").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(outer);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{scene}");
    }
}

#[test]
fn a_password_is_never_echoed() {
    let mut session = on_terminal("password");
    session.exp_string("(not shown)").unwrap();
    session.send("hunter2 \r").unwrap();
    session.flush().unwrap();
    let shown = session.exp_string("answer: 8 characters").unwrap();
    assert!(!shown.contains("hunter"), "{shown}");
    session.exp_string("terminal as before").unwrap();
}

#[test]
fn a_pasted_password_of_two_lines_is_refused() {
    let mut session = on_terminal("password");
    session.exp_string("(not shown)").unwrap();
    session.send("first\rsecond").unwrap();
    session.flush().unwrap();
    let shown = session.exp_string("more than one line").unwrap();
    session.exp_string("(not shown)").unwrap();
    session.send("abc\r").unwrap();
    session.flush().unwrap();
    let rest = session.exp_string("answer: 3 characters").unwrap();
    assert!(![shown, rest].concat().contains("second"));
}

#[test]
fn a_password_is_never_truncated() {
    let too_long = "x".repeat(4001);
    for (keys, reason) in [("a\tb\r", "It was discarded"), (&format!("{too_long}\r"), "longer than 4000 bytes")] {
        let mut session = on_terminal("password");
        session.exp_string("(not shown)").unwrap();
        // In parts, because a terminal's queue has 4096 bytes.
        for piece in keys.as_bytes().chunks(512) {
            session.send(std::str::from_utf8(piece).unwrap()).unwrap();
            session.flush().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
        session.exp_string(reason).unwrap();
        session.exp_string("(not shown)").unwrap();
        session.send("aé\r").unwrap();
        session.flush().unwrap();
        session.exp_string("answer: 3 characters").unwrap();
        session.exp_string("terminal as before").unwrap();
    }
}

#[test]
fn an_input_line_can_be_cleared() {
    asked("password", "(not shown)", "a\tb\u{15}abc\r", "answer: 3 characters");
}

#[test]
fn a_resized_window_does_not_interrupt() {
    let mut session = on_terminal("resized");
    session.exp_string("[y/N]").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(800));
    session.send("y\r").unwrap();
    session.flush().unwrap();
    session.exp_string("answer: true").unwrap();
}

#[test]
fn a_newline_after_a_pasted_password_is_no_second_line() {
    asked("password", "(not shown)", "abc\r\n", "answer: 3 characters");
}

#[test]
fn input_can_be_corrected() {
    let keys = format!("x{BACKSPACE}64o{BACKSPACE}33\r");
    asked("text", "[5432]", &keys, "answer: 6433");
    asked("text", "[5432]", "99999 1\u{17}\u{15}12\r", "answer: 12");
    asked("text", "[5432]", "\u{1b}[A\u{1b}[D7\r", "answer: 7");
}

#[test]
fn a_wrong_answer_repeats_the_prompt() {
    let mut session = on_terminal("text");
    for (keys, outcome) in [("five\r", "\"five\" is no port"), ("\r", "answer: 5432")] {
        session.exp_string("[5432]").unwrap();
        session.send(keys).unwrap();
        session.flush().unwrap();
        session.exp_string(outcome).unwrap();
    }
}

#[test]
fn ctrl_d_ends_a_series_of_prompts() {
    asked("text", "[5432]", CTRL_D, "left unanswered");
    asked("password", "(not shown)", CTRL_D, "left unanswered");
    asked("choose", "TLS?", CTRL_D, "left unanswered");
    asked("typed", "Name?", CTRL_D, "answer: false");
}

#[test]
fn letters_outside_ascii_are_read() {
    asked("typed", "Name?", &format!("日{BACKSPACE}prüfstand\r"), "answer: true");
}

#[test]
fn a_choice_is_selected_with_arrow_keys() {
    asked("choose", "TLS?", &format!("{DOWN}{DOWN}\r"), "answer: 1");
    let mut session = on_terminal("choose");
    session.exp_string("  issue").unwrap();
    session.send(DOWN).unwrap();
    session.flush().unwrap();
    session.exp_string("> ").unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
    session.exp_string("answer: 0").unwrap();
}

#[test]
fn input_before_the_prompt_does_not_answer_it() {
    let mut session = on_terminal("late");
    session.exp_string("not yet").unwrap();
    session.send("y\r").unwrap();
    session.flush().unwrap();
    session.exp_string("[y/N]").unwrap();
    session.send("\r").unwrap();
    session.flush().unwrap();
    session.exp_string("answer: false").unwrap();
}

#[test]
fn a_panic_restores_the_terminal() {
    let mut session = on_terminal("panic");
    session.exp_string("[5432]").unwrap();
    session.send("1\r").unwrap();
    session.flush().unwrap();
    session.exp_string("terminal as before, code 101").unwrap();
}

#[test]
fn the_progress_line_is_removed_after_ctrl_c_at_a_prompt() {
    let mut session = on_terminal("progress");
    session.exp_string("running the dry run").unwrap();
    session.exp_string("[y/N]").unwrap();
    session.send(CTRL_C).unwrap();
    session.flush().unwrap();
    let after = session.exp_string("terminal as before, code 130").unwrap();
    let cleared = after.rfind("\r\u{1b}[K").expect("nothing is cleared");
    assert!(!after[cleared..].contains("running the dry run"), "{after:?}");
    assert!(!after.contains(HIDE_CURSOR), "the cursor is hidden");
}

#[test]
fn without_a_terminal_there_is_no_prompt() {
    let output = command("exec \"$0\" terminal::child::act --exact --ignored --nocapture --test-threads=1", "confirm")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: there is no terminal to ask on\n");
}

#[test]
fn a_closed_pipe_ends_the_output_without_an_error() {
    let flood = "\"$0\" terminal::child::act --exact --ignored --nocapture --test-threads=1 | grep -m 1 line";
    let output = command(flood, "flood").stdin(Stdio::null()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("line 0\n"), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "all printed\n");
}
