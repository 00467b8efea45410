//! Compares the time to generate MAS's signing key with `openssl genrsa`: `cargo bench --bench keys`.
//!
//! Both search random primes, so single times differ by a factor of ten. The two alternate, and means and medians are printed with
//! their ratio. Asserts nothing, because the load of the machine affects the result. openssl's time includes its start, which is
//! printed as well.

use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ess_mas::x509::{RsaBits, RsaPrivateKey, TlsKeyType, TlsPrivateKey};

/// The number of keys, if `ESS_MAS_KEYS` is not set.
const RUNS: usize = 60;

fn main() {
    // `cargo test` runs benches too.
    let quick = std::env::args().any(|argument| argument == "--test");
    let runs =
        std::env::var("ESS_MAS_KEYS").ok().and_then(|text| text.parse().ok()).unwrap_or(if quick { 1 } else { RUNS });
    let start = (0..10).filter_map(|_| openssl(&["version"])).min();
    match start {
        Some(start) => println!("openssl starts in {:.1} ms", millis(start)),
        None => println!("openssl is not here, so there is nothing to compare with"),
    }
    println!(
        "{:<10} {:>5} {:>10} {:>10} {:>12} {:>12} {:>8} {:>8}",
        "key", "runs", "mean ms", "median ms", "openssl mean", "openssl med.", "× mean", "× median"
    );
    for (bits, number, share) in
        [(RsaBits::Bits2048, "2048", 1), (RsaBits::Bits3072, "3072", 3), (RsaBits::Bits4096, "4096", 6)]
    {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..(runs / share).max(1) {
            ours.push(time(|| drop(black_box(RsaPrivateKey::generate(bits)))));
            theirs.extend(openssl(&["genrsa", number]));
        }
        row(&format!("RSA {number}"), &mut ours, &mut theirs);
    }
    let mut ours: Vec<_> =
        (0..runs).map(|_| time(|| drop(black_box(TlsPrivateKey::generate(TlsKeyType::P256))))).collect();
    let mut theirs: Vec<_> = (0..runs)
        .filter_map(|_| openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]))
        .collect();
    row("EC P-256", &mut ours, &mut theirs);
}

fn time(what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed()
}

fn openssl(arguments: &[&str]) -> Option<Duration> {
    let begun = Instant::now();
    let mut command = Command::new("openssl");
    let status = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then(|| begun.elapsed())
}

fn row(name: &str, ours: &mut [Duration], theirs: &mut [Duration]) {
    let ((mean, median), other) = (numbers(ours), (!theirs.is_empty()).then(|| numbers(theirs)));
    print!("{name:<10} {:>5} {mean:>10.1} {median:>10.1}", ours.len());
    match other {
        Some((their_mean, their_median)) => println!(
            " {their_mean:>12.1} {their_median:>12.1} {:>8.1} {:>8.1}",
            their_mean / mean,
            their_median / median
        ),
        None => println!(),
    }
}

/// Mean and median, in milliseconds.
fn numbers(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let total: Duration = times.iter().sum();
    (millis(total) / f64::from(u32::try_from(times.len()).unwrap_or(1)), millis(times[times.len() / 2]))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
