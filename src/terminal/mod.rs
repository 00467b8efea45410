//! The only code that prints, colours, asks or knows what a TTY is.
//!
//! A [`Terminal`] is what the program is connected to: two streams, a keyboard, the environment, the clock. A [`Ui`] is a terminal plus
//! what the person chose (`--color`, `--quiet`, `-v`); everything the program says goes through it: data to stdout,
//! everything else to stderr. The building blocks know nothing of deployments or Kubernetes.
//!
//! What comes from outside (names, the operator's messages) may carry control characters, and Ansible's often carry
//! colours. [`style::Line`] therefore holds text and meaning apart, and only the rendering makes escape sequences.

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
