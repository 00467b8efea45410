use super::*;
use crate::terminal::script::ScriptedAnswer;
use crate::terminal::{Captured, ColorChoice, Setting, Terminal, Verbosity};

fn person<const N: usize>(answers: [ScriptedAnswer; N]) -> (Ui, Captured) {
    with(Setting::terminal(80).answers(answers))
}

fn with(setting: Setting) -> (Ui, Captured) {
    let (terminal, captured) = Terminal::captured(setting);
    (Ui::new(terminal, ColorChoice::Never, Verbosity::Normal), captured)
}

/// The displayed text, without the space at the end of a prompt.
fn shown(captured: &Captured) -> String {
    captured.stderr().replace(" \n", "\n")
}

fn port(answer: &str) -> Result<u16, String> {
    answer.parse().map_err(|_| format!("{answer:?} is no port; a port is a number from 1 to 65535."))
}

#[test]
fn only_a_yes_is_a_yes() {
    for yes in ["y", "Y", "yes", " YES "] {
        assert!(person([yes.into()]).0.confirm("Continue?").unwrap(), "{yes:?}");
    }
    for no in ["", "n", "no", "yep", "j", "yes please"] {
        assert!(!person([no.into()]).0.confirm("Continue?").unwrap(), "{no:?}");
    }
    assert!(!person([ScriptedAnswer::CtrlD]).0.confirm("Continue?").unwrap());
}

/// Of two pasted lines, neither is accepted, and one message reports both.
#[test]
fn multi_line_answers_are_refused_at_every_prompt() {
    let once = |ask: &dyn Fn(&Ui), answers: [ScriptedAnswer; 2]| {
        let (ui, captured) = person(answers);
        ask(&ui);
        let shown = captured.stderr();
        assert_eq!(shown.matches("The answer has more than one line. It was discarded.").count(), 1, "{shown}");
        assert!(!shown.contains("This is not"), "{shown}");
    };
    once(&|ui| assert!(ui.confirm("Continue?").unwrap()), ["n\ny".into(), "y".into()]);
    once(&|ui| assert_eq!(ui.text("Port", None, port).unwrap(), 2), ["1\n1".into(), "2".into()]);
    once(&|ui| assert_eq!(ui.password("?").unwrap().as_str(), "b"), ["a\na".into(), "b".into()]);
    once(&|ui| assert_eq!(ui.typed("Name", "a").unwrap(), Typed::Right), ["a\na".into(), "a".into()]);
    once(&|ui| assert_eq!(ui.choose("TLS", &["a", "b"]).unwrap(), 1), ["1\n1".into(), "2".into()]);
}

#[test]
fn prompts_and_reasons_wrap_between_words() {
    let (terminal, captured) = Terminal::captured(Setting::terminal(30).answers(["five".into(), "2".into()]));
    let ui = Ui::new(terminal, ColorChoice::Never, Verbosity::Normal);
    ui.text("Port of that server (Synapse's, by default):", Some("5433"), port).unwrap();
    insta::assert_snapshot!(shown(&captured), @r#"
    Port of that server
    (Synapse's, by
    default): [5433] five
      "five" is no port; a port is
      a number from 1 to 65535.
    Port of that server
    (Synapse's, by
    default): [5433] 2
    "#);
}

#[test]
fn every_question_can_be_interrupted() {
    let ui = || person([ScriptedAnswer::CtrlC]).0;
    assert!(matches!(ui().confirm("?"), Err(PromptError::Interrupted)));
    assert!(matches!(ui().text("?", Some("5432"), port), Err(PromptError::Interrupted)));
    assert!(matches!(ui().password("?"), Err(PromptError::Interrupted)));
    assert!(matches!(ui().typed("?", "first-element"), Err(PromptError::Interrupted)));
    assert!(matches!(ui().choose("?", &["a"]), Err(PromptError::Interrupted)));
}

#[test]
fn nothing_is_prompted_for_without_a_terminal() {
    let yes = || [ScriptedAnswer::from("y")];
    for setting in [Setting::piped(), Setting::terminal(80).stdin_piped(), Setting::terminal(80).stderr_piped()] {
        let (ui, captured) = with(setting.answers(yes()));
        assert!(matches!(ui.confirm("?"), Err(PromptError::NoTerminal)));
        assert!(matches!(ui.text("?", None, port), Err(PromptError::NoTerminal)));
        assert!(matches!(ui.password("?"), Err(PromptError::NoTerminal)));
        assert!(matches!(ui.typed("?", "y"), Err(PromptError::NoTerminal)));
        assert!(matches!(ui.choose("?", &["a"]), Err(PromptError::NoTerminal)));
        assert_eq!(captured.stderr(), "", "a question nobody can answer is not shown either");
    }
    let (ui, _) = with(Setting::terminal(80).stdout_piped().answers(yes()));
    assert!(ui.confirm("Continue?").unwrap(), "stdout may be piped");
}

#[test]
fn wrong_answer_is_prompted_for_again_with_the_reason() {
    let (ui, captured) = person(["five".into(), "1\n2".into(), " 6432 ".into()]);
    assert_eq!(ui.text("Database port", Some("5432"), port).unwrap(), 6432);
    insta::assert_snapshot!(shown(&captured), @r#"
    Database port [5432] five
      "five" is no port; a port is a number from 1 to 65535.
    Database port [5432] 1
    2
      The answer has more than one line. It was discarded.
    Database port [5432]  6432
    "#);
}

#[test]
fn enter_takes_the_default_which_is_validated_too() {
    assert_eq!(person(["".into()]).0.text("Port", Some("5432"), port).unwrap(), 5432);
    let (ui, captured) = person(["".into(), ScriptedAnswer::CtrlD]);
    assert!(matches!(ui.text("Port", Some("none"), port), Err(PromptError::Ended)));
    assert!(captured.stderr().contains("\"none\" is no port"));
}

#[test]
fn a_password_is_never_shown_nor_trimmed() {
    let (ui, captured) = person(["".into(), "two\nlines".into(), " hunter2 ".into()]);
    assert_eq!(ui.password("Database password").unwrap().as_str(), " hunter2 ");
    insta::assert_snapshot!(shown(&captured), @r"
    Database password (not shown)
      The answer is empty. Press Ctrl-C to stop.
    Database password (not shown)
      The answer has more than one line. It was discarded.
    Database password (not shown)
    ");
    assert!(!captured.stderr().contains("hunter2") && !captured.stderr().contains("lines\n"));
}

#[test]
fn only_the_exact_name_confirms() {
    let name = "first-element";
    assert_eq!(person([name.into()]).0.typed("Name", name).unwrap(), Typed::Right);
    assert_eq!(person(["First-Element".into(), "first-element ".into()]).0.typed("Name", name).unwrap(), Typed::Right);
    assert_eq!(person(["".into()]).0.typed("Name", name).unwrap(), Typed::Nothing);
    assert_eq!(person([ScriptedAnswer::CtrlD]).0.typed("Name", name).unwrap(), Typed::Nothing);
    let (ui, captured) = person(["y".into(), "yes".into(), "first".into(), name.into()]);
    assert_eq!(ui.typed("Name", name).unwrap(), Typed::Wrong, "three tries, no more");
    assert_eq!(captured.stderr().matches("This is not first-element.").count(), 3);
}

#[test]
fn a_password_is_asked_for_three_times_at_most() {
    let (ui, captured) = person(["".into(), "a\tb".into(), "".into(), "late".into()]);
    assert!(matches!(ui.password("Database password"), Err(PromptError::Ended)));
    assert_eq!(captured.stderr().matches("The answer is empty.").count(), 2);
}

#[test]
fn a_script_chooses_by_number_or_name() {
    let options = ["inherit: as all", "certfile: from a file", "issue: a new one"];
    let choose = |answers: [ScriptedAnswer; 1]| person(answers).0.choose("TLS", &options);
    assert_eq!(choose(["2".into()]).unwrap(), 1);
    assert_eq!(choose(["issue".into()]).unwrap(), 2);
    let (ui, captured) = person(["4".into(), "0".into(), "".into(), "3".into()]);
    assert_eq!(ui.choose("TLS", &options).unwrap(), 2);
    assert_eq!(captured.stderr().matches("TLS (arrow keys, then Enter)").count(), 4);
}

#[test]
fn a_question_is_the_same_in_colour() {
    let (terminal, captured) = Terminal::captured(Setting::terminal(80).answers(["y".into()]));
    Ui::new(terminal, ColorChoice::Auto, Verbosity::Quiet).confirm("Continue?").unwrap();
    assert_eq!(console::strip_ansi_codes(&captured.stderr()), "Continue? [y/N] y\n");
    assert!(captured.stderr().contains('\u{1b}'));
}
