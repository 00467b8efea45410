use std::fmt;

use super::*;
use crate::terminal::{Captured, Setting, Symbol};

fn ui(setting: Setting, color: ColorChoice, verbosity: Verbosity) -> (Ui, Captured) {
    let (terminal, captured) = Terminal::captured(setting);
    (Ui::new(terminal, color, verbosity), captured)
}

fn normal(setting: Setting) -> (Ui, Captured) {
    ui(setting, ColorChoice::Auto, Verbosity::Normal)
}

#[derive(Debug)]
struct Fault(&'static str, Option<Box<Fault>>);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn fault() -> Fault {
    let root = Fault("connection refused", None);
    let again = Fault("GET https://10.0.0.1:6443/version: connection refused", Some(Box::new(root)));
    Fault(
        "The API server of context \"prod\" cannot be reached, so nothing is known about first-element",
        Some(Box::new(again)),
    )
}

fn next() -> Next {
    Next::new("Next: see whether the address is right, and whether you can reach it from this machine at all:")
        .command("kubectl --context prod get --raw /version --request-timeout=5s --v=6 # this line is never wrapped, it is copied")
}

#[test]
fn an_error_shows_causes_and_next_steps_at_sixty_columns() {
    let (ui, captured) = ui(Setting::terminal(60), ColorChoice::Never, Verbosity::Quiet);
    ui.error(&fault(), &[next()]);
    assert_eq!(captured.stdout(), "");
    insta::assert_snapshot!(captured.stderr(), @r#"
    error: The API server of context "prod" cannot be reached,
    so nothing is known about first-element
      because GET https://10.0.0.1:6443/version: connection
      refused
    Next: see whether the address is right, and whether you can
    reach it from this machine at all:
      kubectl --context prod get --raw /version --request-timeout=5s --v=6 # this line is never wrapped, it is copied
    "#);
}

#[test]
fn an_error_in_a_pipe_is_not_wrapped() {
    let (ui, captured) = normal(Setting::piped());
    ui.error(&fault(), &[next()]);
    insta::assert_snapshot!(captured.stderr(), @r#"
    error: The API server of context "prod" cannot be reached, so nothing is known about first-element
      because GET https://10.0.0.1:6443/version: connection refused
    Next: see whether the address is right, and whether you can reach it from this machine at all:
      kubectl --context prod get --raw /version --request-timeout=5s --v=6 # this line is never wrapped, it is copied
    "#);
}

#[test]
fn an_error_in_colour() {
    let (ui, captured) = normal(Setting::terminal(200));
    ui.error(&fault(), &[next()]);
    insta::assert_snapshot!(captured.stderr().replace('\u{1b}', "^"), @r#"
    ^[31merror: ^[0mThe API server of context "prod" cannot be reached, so nothing is known about first-element
      ^[2mbecause ^[0mGET https://10.0.0.1:6443/version: connection refused
    Next: see whether the address is right, and whether you can reach it from this machine at all:
      ^[36mkubectl --context prod get --raw /version --request-timeout=5s --v=6 # this line is never wrapped, it is copied^[0m
    "#);
}

#[test]
fn quiet_leaves_warnings_and_errors() {
    let speak = |verbosity| {
        let (ui, captured) = ui(Setting::piped(), ColorChoice::Auto, verbosity);
        ui.status("reading first-element");
        ui.warning("the certificate ends in 9 days");
        ui.next(&Next::new("Next:").command("kubectl ess-mas check"));
        captured.stderr()
    };
    assert_eq!(speak(Verbosity::Quiet), "warning: the certificate ends in 9 days\n");
    let normal = "reading first-element\nwarning: the certificate ends in 9 days\nNext:\n  kubectl ess-mas check\n";
    assert_eq!(speak(Verbosity::Normal), normal);
}

#[test]
fn data_goes_to_stdout_and_everything_else_to_stderr() {
    let (ui, captured) = normal(Setting::terminal(80).stdout_piped());
    ui.status("reading first-element");
    ui.data(OutputFormat::Json, &["a"]).unwrap();
    let mut table = Table::new([crate::terminal::table::Column::new("name")]);
    table.row(["first-element".into()]);
    ui.table(&table, false).unwrap();
    ui.print(Line::new().styled(Style::Good, "done")).unwrap();
    assert_eq!(captured.stdout(), "[\n    \"a\"\n]\nNAME\nfirst-element\ndone\n");
    assert_eq!(captured.stderr(), "reading first-element\n");
}

#[test]
fn a_closed_reader_is_no_error() {
    let (ui, captured) = normal(Setting::piped().reader_gone());
    ui.data(OutputFormat::Yaml, &["a"]).unwrap();
    ui.print("more").unwrap();
    assert_eq!(captured.stderr(), "");
}

#[test]
fn a_full_disk_is_an_error() {
    let (ui, _) = normal(Setting::piped().disk_full());
    let error = ui.print("more").unwrap_err();
    assert_eq!(error.to_string(), "could not write the output");
}

#[test]
fn sentences_wrap_under_their_own_indentation() {
    let (ui, captured) = ui(Setting::terminal(40), ColorChoice::Never, Verbosity::Normal);
    ui.status(
        Line::new()
            .text("    ")
            .symbol(Symbol::Attention)
            .text(" After the dry run put the change into the values too."),
    );
    assert_eq!(captured.stderr(), "    ! After the dry run put the change\n    into the values too.\n");
    ui.page(
        Line::new()
            .text("  ")
            .styled(Style::Heading, "register https://auth.example.com/upstream/callback/01JABC at Corp"),
    )
    .unwrap();
    let page = "  register\n  https://auth.example.com/upstream/callback/01JABC\n  at Corp\n";
    assert_eq!(captured.stdout(), page);
}

#[test]
fn changes_are_shown_whole_on_a_narrow_terminal() {
    let (ui, captured) = ui(Setting::terminal(30), ColorChoice::Never, Verbosity::Normal);
    let before = serde_json::json!({"spec": {"fqdn": "matrix.example.com", "active": false}});
    let after = serde_json::json!({"spec": {"fqdn": "matrix.very-long-name.example.com", "active": true}});
    ui.changes(&diff::changes(&before, &after));
    insta::assert_snapshot!(captured.stderr(), @r"
    spec
      - active: false
      + active: true
      - fqdn: matrix.example.com
      + fqdn: matrix.very-long-name.example.com
    ");
}

#[test]
fn a_process_can_use_one_terminal_after_another() {
    for _ in 0..2 {
        let (ui, captured) = normal(Setting::piped());
        ui.status("once");
        assert_eq!(captured.stderr(), "once\n");
    }
}
