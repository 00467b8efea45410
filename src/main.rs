//! `kubectl ess-mas`: see the library for everything but the start.

use std::process::ExitCode;

use ess_mas::terminal::Terminal;

fn main() -> ExitCode {
    ess_mas::hardening::forbid_core_dumps();
    // One provider for everything that speaks TLS; the first to install it wins, and there is no other.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ExitCode::from(ess_mas::run(std::env::args_os(), Terminal::real()))
}
