//! The first words: something to look at while the first answers are on their way.

use indicatif::ProgressStyle;

use super::screen::LiveLine;
use super::style::{Line, Style, Symbol};
use super::text;
use super::ui::{Ui, Verbosity};
use super::world::Stream;

/// A line that stands until this is dropped, and leaves nothing behind.
#[must_use = "it vanishes when it is dropped"]
pub struct Passing {
    _line: Option<LiveLine>,
}

impl Ui {
    /// Shows `words` on a terminal until the result is dropped. It is drawn once and not again: a login helper may be
    /// asking something on the same terminal meanwhile. Where a line stands already there is something to look at.
    pub fn passing(&self, words: &str) -> Passing {
        let terminal = self.terminal();
        if self.verbosity() == Verbosity::Quiet || !terminal.can_redraw() || terminal.screen().live > 0 {
            return Passing { _line: None };
        }
        let look = self.look(Stream::Err);
        let room = terminal.columns().saturating_sub(4);
        let words = text::cut(&text::harmless(words), room, Symbol::Ellipsis.glyph(look.unicode));
        let line = terminal.live_line(ProgressStyle::with_template("{msg}").expect("a template"));
        line.bar.set_message(Line::new().styled(Style::Dim, words).render(look));
        Passing { _line: Some(line) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::progress::{Pace, Waiting};
    use crate::terminal::{ColorChoice, Setting, Terminal};

    fn shown(setting: Setting, verbosity: Verbosity) -> String {
        let (terminal, captured) = Terminal::captured(setting);
        let ui = Ui::new(terminal, ColorChoice::Auto, verbosity);
        let passing = ui.passing("Asking the API server ...");
        ui.warning("meanwhile");
        drop(passing);
        captured.stderr().replace('\u{1b}', "^")
    }

    #[test]
    fn it_stands_on_a_terminal_and_leaves_nothing_behind() {
        assert_eq!(
            shown(Setting::terminal(60).env("NO_COLOR", "1"), Verbosity::Normal),
            "\rAsking the API server ...^[K\r^[Kwarning: meanwhile\n\rAsking the API server ...^[K\r^[K"
        );
        assert!(shown(Setting::terminal(20), Verbosity::Normal).contains("Asking the API …"));
    }

    #[test]
    fn one_is_enough_and_two_kinds_stand_below_each_other() {
        let (terminal, captured) = Terminal::captured(Setting::terminal(60).env("NO_COLOR", "1"));
        let ui = Ui::new(terminal, ColorChoice::Auto, Verbosity::Normal);
        let passing = ui.passing("Asking ...");
        drop(ui.passing("Asking again ..."));
        let progress = ui.progress_at(Pace { by_hand: true, ..Pace::default() });
        progress.waiting(Waiting::new("rehearsing", ui.terminal().now()));
        let shown = captured.stderr();
        assert!(!shown.contains("again") && shown.contains("Asking ...\u{1b}[K\r\n  ⠋"), "{shown:?}");
        drop(passing);
        drop(progress);
        assert!(captured.stderr().ends_with("\r\u{1b}[K"), "{:?}", captured.stderr());
        let passing = ui.passing("Asking at last ...");
        assert!(captured.stderr().ends_with("Asking at last ...\u{1b}[K"));
        drop(passing);
    }

    #[test]
    fn a_pipe_a_dumb_terminal_and_a_quiet_person_see_nothing_of_it() {
        for (setting, verbosity) in [
            (Setting::piped(), Verbosity::Normal),
            (Setting::terminal(60).env("TERM", "dumb"), Verbosity::Normal),
            (Setting::terminal(60), Verbosity::Quiet),
        ] {
            assert!(!shown(setting, verbosity).contains("Asking"));
        }
    }
}
