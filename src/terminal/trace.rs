//! The diagnostics of `-v`, as lines on stderr.

use std::io::{self, Write};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use super::style::{Line, Style};
use super::ui::{Ui, Verbosity};

/// Starts diagnostics: with `-v` the requests to the API server, with `-vv` retries and their reasons. Excludes those of
/// libraries, which may contain secrets. The first call in a process decides.
pub fn begin(ui: &Ui) {
    let level = match ui.verbosity {
        Verbosity::Quiet | Verbosity::Normal => return,
        Verbosity::Verbose(0 | 1) => LevelFilter::INFO,
        Verbosity::Verbose(2) => LevelFilter::DEBUG,
        Verbosity::Verbose(_) => LevelFilter::TRACE,
    };
    let ui = ui.clone();
    let lines = fmt::layer()
        .without_time()
        .with_target(false)
        .with_level(false)
        .with_ansi(false)
        .with_writer(move || Lines(ui.clone()))
        .with_filter(Targets::new().with_target("ess_mas", level));
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

/// Prints each write, which is a whole event.
struct Lines(Ui);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.0.verbatim(&Line::new().styled(Style::Dim, line));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
