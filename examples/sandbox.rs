//! A complete migration in a sandbox, with the real plugin: `cargo run --example sandbox`.
//!
//! Starts a real `kube-apiserver` and etcd (built from their Go modules the first time, which takes minutes), a stand-in
//! for ESS Classic's operator and a realistic `ElementDeployment`. Runs `status`, `prepare`, `dry-run`, `activate` and `status`,
//! and shows each command with its real output.

#[path = "sandbox/options.rs"]
mod options;
#[path = "sandbox/walk.rs"]
mod walk;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the sandbox cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let walked = runtime.block_on(walk::run(options));
    // A thread may still wait for Enter.
    runtime.shutdown_background();
    match walked {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: the sandbox failed: {error}");
            ExitCode::FAILURE
        }
    }
}
