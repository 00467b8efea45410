//! Servers that are not PostgreSQL or misbehave: reported in time, and nothing confidential is sent to them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use ess_mas::answers::postgres::{ProbeError, SslMode};
use ess_mas::net::dial::Way;
use ess_mas::net::postgres::{Login, ask_mas};
use ess_mas::secrets::SecretText;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::queries::{PASSWORD, place};

/// All data that the servers of this file received; it must not contain the password.
static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Answers each connection with these bytes, repeatedly if `endless`; then keeps it open.
async fn answers(first: &'static [u8], then: &'static [u8], endless: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 1024];
                let _ = stream.read(&mut heard).await;
                let _ = stream.write_all(first).await;
                if !then.is_empty() {
                    let _ = stream.read(&mut heard).await;
                    while stream.write_all(then).await.is_ok() && endless {}
                }
                while let Ok(count @ 1..) = stream.read(&mut heard).await {
                    HEARD.lock().unwrap().extend_from_slice(&heard[..count]);
                }
            });
        }
    });
    port
}

async fn ask(port: u16, mode: SslMode) -> (ProbeError, Duration) {
    let began = Instant::now();
    let at = place("db", port, "mas", "mas", mode);
    let way = Way::To(vec![([127, 0, 0, 1], port).into()]);
    let said = ask_mas(&Login { place: &at, password: &SecretText::from(PASSWORD), way: &way, roots: None }).await;
    let heard = String::from_utf8_lossy(&HEARD.lock().unwrap()).into_owned();
    assert!(!heard.contains(PASSWORD), "the password was sent");
    (said.unwrap_err(), began.elapsed())
}

#[tokio::test]
async fn other_servers_are_not_mistaken_for_postgresql() {
    for (first, then, endless) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &b""[..], false),
        (b"SSH-2.0-OpenSSH_9.2\r\n", b"", false),
        (b"N", b"HTTP/1.1 400 Bad Request\r\n\r\n", false),
        // A message of two gigabytes; endless notices; a password hash that takes a day.
        (b"N", b"R\x7f\xff\xff\xff", false),
        (b"N", b"N\0\0\x10\0", true),
        (b"N", b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", true),
    ] {
        let (trouble, took) = ask(answers(first, then, endless).await, SslMode::Prefer).await;
        let told = matches!(trouble, ProbeError::NotPostgres(_) | ProbeError::Lost(_) | ProbeError::TimedOut);
        assert!(told && took < Duration::from_secs(12), "{first:?} {then:?}: {trouble:?} after {took:?}");
    }
    let (trouble, _) = ask(answers(b"HTTP/1.1 400", b"", false).await, SslMode::Prefer).await;
    assert!(matches!(trouble, ProbeError::NotPostgres(why) if why.contains('H')));
    let (trouble, _) = ask(answers(b"HTTP/1.1 400", b"", false).await, SslMode::Disable).await;
    assert!(matches!(trouble, ProbeError::NotPostgres(why) if why.contains("HTTP")));
}

#[tokio::test]
async fn password_is_never_sent_in_plain_text() {
    let (trouble, _) = ask(answers(b"N", b"R\0\0\0\x08\0\0\0\x03", false).await, SslMode::Prefer).await;
    assert_eq!(trouble, ProbeError::InClear);
}

#[tokio::test]
async fn server_that_accepts_tls_without_a_handshake_is_reported() {
    let (trouble, _) = ask(answers(b"S", b"what do you want", false).await, SslMode::Require).await;
    assert!(matches!(trouble, ProbeError::NotPostgres(_) | ProbeError::Lost(_)), "{trouble:?}");
}

#[tokio::test]
async fn rejection_is_shown_without_password_and_control_characters() {
    let text =
        b"E\0\0\0\x4fSFATAL\0C28P01\0Mno \x1b[2J\x07 correct-horse-0815 for\nyou, this is the password you sent\0\0";
    let mut bytes = text.to_vec();
    let length = u32::try_from(bytes.len() - 1).unwrap().to_be_bytes();
    bytes[1..5].copy_from_slice(&length);
    let (trouble, _) = ask(answers(b"N", bytes.leak(), false).await, SslMode::Prefer).await;
    let ProbeError::Refused(refusal) = trouble else { panic!("{trouble:?}") };
    assert_eq!(refusal.state, "28P01");
    assert!(!refusal.message.contains(['\u{1b}', '\n', '\u{7}']) && !refusal.message.contains(PASSWORD), "{refusal:?}");
}

#[tokio::test]
async fn closed_port_and_silent_server_are_distinguished() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert!(matches!(ask(gone, SslMode::Prefer).await.0, ProbeError::NoWay(_)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (trouble, took) = ask(listener.local_addr().unwrap().port(), SslMode::Prefer).await;
    assert_eq!(trouble, ProbeError::TimedOut);
    assert!(took < Duration::from_secs(14), "{took:?}");
}
