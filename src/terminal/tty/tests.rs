use super::*;
use crate::terminal::Setting;

fn render_options(setting: Setting, stream: Stream, choice: ColorChoice) -> RenderOptions {
    Terminal::captured(setting).0.render_options(stream, choice)
}

#[test]
fn colour_follows_choice_then_environment_then_terminal() {
    use ColorChoice::{Always, Auto, Never};
    let coloured = |setting: Setting, choice| render_options(setting, Stream::Err, choice).coloured;
    let tty = || Setting::terminal(80);
    assert!(coloured(tty(), Auto));
    assert!(!coloured(tty(), Never));
    assert!(!coloured(Setting::piped(), Auto));
    assert!(coloured(Setting::piped().env("NO_COLOR", "1"), Always));
    assert!(!coloured(tty().env("NO_COLOR", "1"), Auto));
    assert!(coloured(tty().env("NO_COLOR", ""), Auto));
    assert!(coloured(Setting::piped().env("CLICOLOR_FORCE", "1"), Auto));
    assert!(!coloured(Setting::piped().env("CLICOLOR_FORCE", "0"), Auto));
    assert!(!coloured(tty().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"), Auto));
    assert!(!coloured(tty().env("CLICOLOR", "0"), Auto));
    assert!(coloured(tty().env("CLICOLOR", "1"), Auto));
    assert!(coloured(tty().env("CLICOLOR", ""), Auto));
    assert!(coloured(tty().env("CLICOLOR", "0").env("CLICOLOR_FORCE", "1"), Auto));
    assert!(!coloured(Setting::piped().env("CLICOLOR", "1"), Auto));
    assert!(!coloured(tty().env("TERM", "dumb"), Auto));
    assert!(!coloured(tty().env("TERM", ""), Auto));
}

#[test]
fn each_stream_is_decided_by_itself() {
    let setting = Setting::terminal(80).stdout_piped();
    assert!(!render_options(setting.clone(), Stream::Out, ColorChoice::Auto).coloured);
    assert_eq!(render_options(setting.clone(), Stream::Out, ColorChoice::Auto).columns, None);
    assert!(render_options(setting.clone(), Stream::Err, ColorChoice::Auto).coloured);
    assert_eq!(render_options(setting, Stream::Err, ColorChoice::Auto).columns, Some(80));
}

#[test]
fn the_locale_selects_the_symbols() {
    let unicode = |setting: Setting| render_options(setting, Stream::Out, ColorChoice::Auto).unicode;
    assert!(unicode(Setting::piped()));
    assert!(unicode(Setting::piped().env("LANG", "de_DE.utf8")));
    assert!(!unicode(Setting::piped().env("LANG", "C")));
    assert!(!unicode(Setting::piped().env("LC_ALL", "POSIX")));
    assert!(unicode(Setting::piped().env("LC_ALL", "").env("LC_CTYPE", "en_GB.UTF-8").env("LANG", "C")));
}

#[test]
fn columns_can_be_set() {
    let columns = |setting| Terminal::captured(setting).0.columns();
    assert_eq!(columns(Setting::terminal(120)), 120);
    assert_eq!(columns(Setting::terminal(120).env("COLUMNS", "60")), 60);
    assert_eq!(columns(Setting::terminal(120).env("COLUMNS", "none")), 120);
    assert_eq!(columns(Setting::terminal(3)), LEAST_COLUMNS);
}

#[test]
fn a_dumb_terminal_has_prompts_but_no_live_line() {
    let (terminal, _) = Terminal::captured(Setting::terminal(80).env("TERM", "dumb"));
    assert!(terminal.can_ask());
    assert!(!terminal.can_redraw());
    assert!(!Terminal::captured(Setting::terminal(80).stdin_piped()).0.can_ask());
    assert!(!Terminal::captured(Setting::terminal(80).stderr_piped()).0.can_ask());
}
