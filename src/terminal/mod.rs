//! Printing, colours, prompts and TTY detection; no other code does that.
//!
//! A [`Terminal`] has the streams, the keyboard, the environment and the clock. A [`Ui`] is a terminal with the flags `--color`,
//! `--quiet` and `-v`. It prints data to stdout and everything else to stderr.
//!
//! Foreign text (names, messages of the operator) may contain control characters and colours. [`style::Line`] therefore stores
//! text and styles separately, and only rendering adds escape sequences.

#[cfg(test)]
mod capture;
pub mod data;
pub mod diff;
#[cfg_attr(not(unix), path = "guard_other.rs")]
mod guard;
pub mod live_line;
pub mod progress;
pub mod prompt;
mod screen;
#[cfg(test)]
mod script;
pub mod style;
pub mod table;
pub mod text;
pub mod time;
pub mod trace;
mod tty;
mod ui;
mod unanswered;

#[cfg(test)]
pub use capture::{Captured, Setting};
pub use data::{OutputError, OutputFormat};
pub use style::{Line, Style, Symbol};
pub use tty::{ColorChoice, Stream, Terminal};
pub use ui::{Next, Ui, Verbosity};
