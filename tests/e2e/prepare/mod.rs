//! `prepare`.

#[cfg(unix)]
mod export;
mod export_values;
mod secrets;
mod tls;
