//! Lines at the bottom of a terminal that are redrawn in place, by indicatif.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::ERASE;
use super::style::{Line, Style, Symbol};
use super::text;
use super::tty::{Stream, Terminal};
use super::ui::{Ui, Verbosity};

/// A line below everything else, until this is dropped. It leaves nothing behind.
#[must_use = "it vanishes when it is dropped"]
pub struct LiveLine {
    terminal: Terminal,
    pub(super) bar: ProgressBar,
}

impl Terminal {
    /// The template's text must be narrower than the window.
    pub(super) fn live_line(&self, style: ProgressStyle) -> LiveLine {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style);
        self.screen().live += 1;
        LiveLine { terminal: self.clone(), bar: self.0.live.add(bar) }
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.bar.disable_steady_tick();
        // All of them first: indicatif does not clear the rows of lines that are gone.
        let _ = self.terminal.0.live.clear();
        self.bar.finish_and_clear();
        self.terminal.0.live.remove(&self.bar);
        self.terminal.screen().live -= 1;
        if std::thread::panicking() {
            // Then indicatif draws nothing.
            self.terminal.screen().write_err(ERASE);
        }
    }
}

impl Ui {
    /// Shows `words` on a terminal until the result is dropped: something to look at while the first answers are on their way.
    /// It is drawn once and not again: a login helper may be asking something on the same terminal meanwhile. `None` where
    /// nothing is shown, as where a line stands already.
    pub fn transient_line(&self, words: &str) -> Option<LiveLine> {
        let terminal = self.terminal();
        if self.verbosity() == Verbosity::Quiet || !terminal.can_redraw() || terminal.screen().live > 0 {
            return None;
        }
        let options = self.render_options(Stream::Err);
        let room = terminal.columns().saturating_sub(4);
        let words = text::cut(&text::harmless(words), room, Symbol::Ellipsis.glyph(options.unicode));
        let line = terminal.live_line(ProgressStyle::with_template("{msg}").expect("a template"));
        line.bar.set_message(Line::new().styled(Style::Dim, words).render(options));
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::progress::Waiting;
    use crate::terminal::{ColorChoice, Setting, Terminal};

    fn shown(setting: Setting, verbosity: Verbosity) -> String {
        let (terminal, captured) = Terminal::captured(setting);
        let ui = Ui::new(terminal, ColorChoice::Auto, verbosity);
        let passing = ui.transient_line("Asking the API server ...");
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
        let passing = ui.transient_line("Asking ...");
        drop(ui.transient_line("Asking again ..."));
        let progress = ui.progress_by_hand();
        progress.waiting(Waiting::new("running the dry run", ui.terminal().now()));
        let shown = captured.stderr();
        assert!(!shown.contains("again") && shown.contains("Asking ...\u{1b}[K\r\n  ⠋"), "{shown:?}");
        drop(passing);
        drop(progress);
        assert!(captured.stderr().ends_with("\r\u{1b}[K"), "{:?}", captured.stderr());
        let passing = ui.transient_line("Asking at last ...");
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
