use super::*;
use proptest::prelude::*;

const URI: &str = "https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0";

fn render_options(columns: Option<usize>) -> RenderOptions {
    RenderOptions { coloured: false, unicode: true, columns }
}

fn conditions() -> Table {
    let mut table = Table::new([
        Column::new("Condition"),
        Column::new("Status"),
        Column::new("Since"),
        Column::prose("Message"),
        Column { only_wide: true, ..Column::new("Reason") },
    ]);
    table.row([
        "Available".into(),
        Cell::styled(Style::Good, "True"),
        "3 days ago".into(),
        "All components are available".into(),
    ]);
    let long = "Last reconciliation failed: could not obtain lock on relation \"users\" while the database was busy";
    table.row([
        "Successful".into(),
        Cell::styled(Style::Bad, "False"),
        "14 minutes ago".into(),
        long.into(),
        "Failed".into(),
    ]);
    table.row(["MAS active".into(), "false".into()]);
    table
}

fn drawn(table: &Table, columns: Option<usize>, wide: bool) -> String {
    table.render(render_options(columns), wide).join("\n")
}

#[test]
fn sixty_columns() {
    insta::assert_snapshot!(drawn(&conditions(), Some(60), false), @r#"
    CONDITION    STATUS   SINCE            MESSAGE
    Available    True     3 days ago       All components are
                                           available
    Successful   False    14 minutes ago   Last reconciliation
                                           failed: could not
                                           obtain lock on
                                           relation "users"
                                           while the database
                                           was busy
    MAS active   false
    "#);
}

#[test]
fn eighty_columns() {
    insta::assert_snapshot!(drawn(&conditions(), Some(80), false), @r#"
    CONDITION    STATUS   SINCE            MESSAGE
    Available    True     3 days ago       All components are available
    Successful   False    14 minutes ago   Last reconciliation failed: could not
                                           obtain lock on relation "users" while the
                                           database was busy
    MAS active   false
    "#);
}

#[test]
fn a_hundred_and_twenty_columns() {
    insta::assert_snapshot!(drawn(&conditions(), Some(120), false), @r#"
    CONDITION    STATUS   SINCE            MESSAGE
    Available    True     3 days ago       All components are available
    Successful   False    14 minutes ago   Last reconciliation failed: could not obtain lock on relation "users" while the
                                           database was busy
    MAS active   false
    "#);
}

#[test]
fn two_hundred_columns_wide() {
    insta::assert_snapshot!(drawn(&conditions(), Some(200), true), @r#"
    CONDITION    STATUS   SINCE            MESSAGE                                                                                             REASON
    Available    True     3 days ago       All components are available
    Successful   False    14 minutes ago   Last reconciliation failed: could not obtain lock on relation "users" while the database was busy   Failed
    MAS active   false
    "#);
}

#[test]
fn piped_rows_are_one_line_and_have_no_holes() {
    insta::assert_snapshot!(drawn(&conditions(), None, true), @r#"
    CONDITION    STATUS   SINCE            MESSAGE                                                                                             REASON
    Available    True     3 days ago       All components are available                                                                        <none>
    Successful   False    14 minutes ago   Last reconciliation failed: could not obtain lock on relation "users" while the database was busy   Failed
    MAS active   false    <none>           <none>                                                                                              <none>
    "#);
}

#[test]
fn coloured() {
    let options = RenderOptions { coloured: true, unicode: true, columns: Some(80) };
    let lines = conditions().render(options, false).join("\n").replace('\u{1b}', "^");
    insta::assert_snapshot!(lines, @r#"
    ^[1mCONDITION^[0m    ^[1mSTATUS^[0m   ^[1mSINCE^[0m            ^[1mMESSAGE^[0m
    Available    ^[32mTrue^[0m     3 days ago       All components are available
    Successful   ^[31mFalse^[0m    14 minutes ago   Last reconciliation failed: could not
                                           obtain lock on relation "users" while the
                                           database was busy
    MAS active   false
    "#);
}

#[test]
fn wide_characters_are_aligned() {
    let mut table = Table::new([Column::new("name"), Column::new("uri")]);
    table.row(["会社の認証".into(), Cell::copyable("https://a.example")]);
    table.row(["🎉 party".into(), Cell::copyable("https://b.example")]);
    table.row(["café".into(), Cell::copyable("https://c.example")]);
    insta::assert_snapshot!(drawn(&table, Some(60), false), @r"
    NAME         URI
    会社の認証   https://a.example
    🎉 party     https://b.example
    café         https://c.example
    ");
}

#[test]
fn a_uri_stays_whole_in_a_narrow_window() {
    let mut table = Table::new([Column::new("provider"), Column::prose("redirect uri")]);
    table.row(["Corp".into(), Cell::copyable(URI)]);
    table.row(["Other".into(), format!("register {URI} there").into()]);
    insta::assert_snapshot!(drawn(&table, Some(60), false), @r"
    PROVIDER   REDIRECT URI
    Corp       https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0
    Other      register
               https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0
               there
    ");
}

#[test]
fn a_table_without_rows_has_heads() {
    assert_eq!(
        Table::new([Column::new("name"), Column::new("phase")]).render(render_options(None), false),
        ["NAME   PHASE"]
    );
}

proptest! {
    #[test]
    fn columns_are_aligned(cells in proptest::collection::vec(("[a-z日🎉é]{1,9}", "[a-z]{1,5}"), 1..6)) {
        let mut table = Table::new([Column::new("a"), Column::new("b")]);
        for (first, second) in &cells {
            table.row([first.into(), second.into()]);
        }
        let widest = cells.iter().map(|(first, _)| text::width(first)).max().unwrap();
        for (line, (first, second)) in table.render(render_options(None), false).iter().skip(1).zip(&cells) {
            prop_assert_eq!(line, &format!("{}   {second}", console::pad_str(first, widest, console::Alignment::Left, None)));
        }
    }

    #[test]
    fn a_table_with_one_column_of_sentences_fits(words in proptest::collection::vec("[a-z]{1,12}", 1..30), columns in 60usize..240) {
        let mut table = Table::new([Column::new("code"), Column::prose("message")]);
        table.row(["manifest-owned-by-helm".into(), words.join(" ").into()]);
        for line in table.render(render_options(Some(columns)), false) {
            prop_assert!(text::width(&line) <= columns, "{line}");
        }
    }
}

#[test]
fn a_command_stays_on_one_line_in_a_column_of_sentences() {
    let mut table = Table::new([Column::new("code"), Column::prose("remedy")]);
    let command = "kubectl ess-mas check first-element -n element-onprem --explain manifest-owned-by-helm";
    table.row(["owner".into(), Cell::copyable(command)]);
    assert_eq!(drawn(&table, Some(60), false), format!("CODE    REMEDY\nowner   {command}"));
}

#[test]
fn sentences_do_not_become_one_word_per_line_where_there_is_no_room() {
    let mut table = Table::new([Column::new("name"), Column::prose("message")]);
    table.row(["a-name-that-fills-the-window".into(), "All components are available now".into()]);
    let lines = table.render(render_options(Some(30)), false);
    assert_eq!(lines, ["a-name-that-fills-the-window", "  All components are available", "  now"]);
}

#[test]
fn forty_columns() {
    insta::assert_snapshot!(drawn(&conditions(), Some(40), false), @r#"
    Available   True   3 days ago
      All components are available
    Successful   False   14 minutes ago
      Last reconciliation failed: could not
      obtain lock on relation "users" while
      the database was busy
    MAS active   false
    "#);
}

#[test]
fn two_columns_of_sentences_share_the_room() {
    let mut table = Table::new([Column::new("code"), Column::prose("cause"), Column::prose("remedy")]);
    let long = "put the change into the values too or the next upgrade fails in the middle of the night";
    table.row(["owner".into(), "short cause".into(), long.into()]);
    table.row(["other".into(), long.into(), long.into()]);
    for columns in [60, 80, 120] {
        let widest = table.render(render_options(Some(columns)), false).iter().map(|line| text::width(line)).max();
        assert!(widest.is_some_and(|widest| widest <= columns && widest > columns - 20), "{columns}: {widest:?}");
    }
}

#[test]
fn a_locale_without_utf_8_keeps_columns_aligned() {
    let mut table = Table::new([Column::new("Where"), Column::new("What")]);
    table.row(["RFC 7518 §6".into(), "one".into()]).row(["more…".into(), "two".into()]);
    let lines = table.render(RenderOptions { unicode: false, ..render_options(Some(80)) }, false);
    assert_eq!(lines, ["WHERE                WHAT", "RFC 7518 section 6   one", "more...              two"]);
}
