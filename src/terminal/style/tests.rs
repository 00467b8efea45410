use super::*;

const COLOURED: RenderOptions = RenderOptions { coloured: true, unicode: true, columns: None };

fn plain(line: &Line, unicode: bool) -> String {
    line.render(RenderOptions { coloured: false, unicode, columns: None })
}

#[test]
fn colour_never_changes_the_words() {
    let line = Line::new().symbol(Symbol::Done).styled(Style::Dim, " 10:41:07").text("  written");
    assert_eq!(line.render(COLOURED), "\u{1b}[32m✔\u{1b}[0m\u{1b}[2m 10:41:07\u{1b}[0m  written");
    assert_eq!(console::strip_ansi_codes(&line.render(COLOURED)), plain(&line, true));
    assert_eq!(plain(&line, false), "* 10:41:07  written");
}

#[test]
fn foreign_escape_sequences_do_not_reach_the_terminal() {
    assert_eq!(Line::from("a\u{1b}[2Jb").render(COLOURED), "ab");
}

#[test]
fn symbols_are_one_column_wide_in_unicode_and_ascii() {
    for symbol in [Symbol::Done, Symbol::Failed, Symbol::Current, Symbol::Attention, Symbol::Note] {
        let (of, ascii) = (Line::new().symbol(symbol), plain(&Line::new().symbol(symbol), false));
        assert_eq!(text::width(&plain(&of, true)), 1, "{symbol:?}");
        assert!(ascii.len() == 1 && ascii.is_ascii(), "{symbol:?}");
    }
}

#[test]
fn sentences_work_without_utf_8() {
    let line = Line::new().text("not … and no more…");
    assert_eq!(plain(&line, false), "not ... and no more...");
    assert_eq!(plain(&line, true), "not … and no more…");
    assert_eq!(plain(&"RFC 7518 §6.3, of 会社".into(), false), "RFC 7518 section 6.3, of 会社");
}
