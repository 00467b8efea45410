//! Lines at the bottom of a terminal that indicatif redraws in place.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::ERASE;
use super::style::{Line, Style};
use super::text;
use super::tty::{Stream, Terminal};
use super::ui::{Ui, Verbosity};

/// A line below all output. Dropping it erases the line.
#[must_use = "dropping it erases the line"]
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
        // Clear all lines first: indicatif doesn't clear the rows of removed lines.
        let _ = self.terminal.0.live.clear();
        self.bar.finish_and_clear();
        self.terminal.0.live.remove(&self.bar);
        self.terminal.screen().live -= 1;
        if std::thread::panicking() {
            // indicatif draws nothing during a panic.
            self.terminal.screen().write_err(ERASE);
        }
    }
}

impl Ui {
    /// Shows `words` on a terminal until the result is dropped. Draws once, because a credential plugin may use the same
    /// terminal. `None` if nothing is shown, for example because there is a live line already.
    pub fn transient_line(&self, words: &str) -> Option<LiveLine> {
        let terminal = &self.terminal;
        if self.verbosity == Verbosity::Quiet || !terminal.can_redraw() || terminal.screen().live > 0 {
            return None;
        }
        let options = self.render_options(Stream::Err);
        let room = terminal.columns().saturating_sub(4);
        let words = text::cut(&text::harmless(words), room, &options.encode("…"));
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
    fn transient_line_is_erased() {
        assert_eq!(
            shown(Setting::terminal(60).env("NO_COLOR", "1"), Verbosity::Normal),
            "\rAsking the API server ...^[K\r^[Kwarning: meanwhile\n\rAsking the API server ...^[K\r^[K"
        );
        assert!(shown(Setting::terminal(20), Verbosity::Normal).contains("Asking the API …"));
    }

    #[test]
    fn second_transient_line_is_not_shown_and_progress_is_below_the_first() {
        let (terminal, captured) = Terminal::captured(Setting::terminal(60).env("NO_COLOR", "1"));
        let ui = Ui::new(terminal, ColorChoice::Auto, Verbosity::Normal);
        let passing = ui.transient_line("Asking ...");
        drop(ui.transient_line("Asking again ..."));
        let progress = ui.progress_by_hand();
        progress.waiting(Waiting::new("running the dry run", ui.terminal.now()));
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
    fn transient_line_needs_a_capable_terminal_and_no_quiet() {
        for (setting, verbosity) in [
            (Setting::piped(), Verbosity::Normal),
            (Setting::terminal(60).env("TERM", "dumb"), Verbosity::Normal),
            (Setting::terminal(60), Verbosity::Quiet),
        ] {
            assert!(!shown(setting, verbosity).contains("Asking"));
        }
    }
}
