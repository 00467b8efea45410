use super::*;

const COLOURED: RenderOptions = RenderOptions { coloured: true, unicode: true, columns: None };

#[test]
fn colour_never_changes_the_words() {
    let line = Line::new().symbol(Symbol::Done).styled(Style::Dim, " 10:41:07").text("  written");
    assert_eq!(line.render(COLOURED), "\u{1b}[32m✔\u{1b}[0m\u{1b}[2m 10:41:07\u{1b}[0m  written");
    assert_eq!(console::strip_ansi_codes(&line.render(COLOURED)), line.plain(true));
    assert_eq!(line.plain(false), "* 10:41:07  written");
}

#[test]
fn foreign_escape_sequences_do_not_reach_the_terminal() {
    assert_eq!(Line::from("a\u{1b}[2Jb").render(COLOURED), "ab");
}

#[test]
fn symbols_are_one_column_wide_in_unicode_and_ascii() {
    for symbol in [Symbol::Done, Symbol::Failed, Symbol::Current, Symbol::Attention, Symbol::Note] {
        assert_eq!(text::width(symbol.glyph(true)), 1, "{symbol:?}");
        assert_eq!(symbol.glyph(false).len(), 1, "{symbol:?}");
        assert!(symbol.glyph(false).is_ascii(), "{symbol:?}");
    }
}

#[test]
fn sentences_work_without_utf_8() {
    let line = Line::new().text("not … and no more").symbol(Symbol::Ellipsis);
    assert_eq!(line.plain(false), "not ... and no more...");
    assert_eq!(line.plain(true), "not … and no more…");
    assert_eq!(Line::from("RFC 7518 §6.3, of 会社").plain(false), "RFC 7518 section 6.3, of 会社");
}
