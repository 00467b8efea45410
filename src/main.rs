//! Entry point of `kubectl ess-mas`; everything else is in the library.

use std::process::ExitCode;

use ess_mas::terminal::Terminal;

fn main() -> ExitCode {
    ess_mas::hardening::forbid_core_dumps();
    // One crypto provider for everything that uses TLS.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ExitCode::from(ess_mas::run(std::env::args_os(), Terminal::real()))
}
