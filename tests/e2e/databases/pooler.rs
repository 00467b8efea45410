//! Stand-ins for connection poolers. They invent the session's number, as poolers do, and forward everything else; one
//! of them gives each transaction another server process.

use ess_mas::answers::postgres::{Pooling, SslMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::queries::{PASSWORD, ask, place, server};

/// Reads complete messages up to `ReadyForQuery`, or the available data if the server waits for a response.
async fn until_ready(server: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let mut head = [0; 5];
        if server.read_exact(&mut head).await.is_err() {
            return all;
        }
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length - 4];
        if server.read_exact(&mut body).await.is_err() {
            return all;
        }
        if head[0] == b'K' {
            body[..4].copy_from_slice(&4711_i32.to_be_bytes());
        }
        all.extend_from_slice(&head);
        all.extend_from_slice(&body);
        if head[0] == b'Z' {
            return all;
        }
    }
}

/// A pooler in front of this port. Logins need a role without a password.
async fn pooler(to: u16, by_transaction: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, to, by_transaction));
        }
    });
    port
}

async fn serve(mut client: TcpStream, to: u16, by_transaction: bool) -> Option<()> {
    let mut heard = vec![0; 64 * 1024];
    let count = client.read(&mut heard).await.ok()?;
    let start = heard[..count].to_vec();
    let mut servers = Vec::new();
    for _ in 0..2 {
        let mut server = TcpStream::connect(("127.0.0.1", to)).await.ok()?;
        server.write_all(&start).await.ok()?;
        let answer = until_ready(&mut server).await;
        servers.push((server, answer));
    }
    client.write_all(&servers[0].1).await.ok()?;
    let (mut current, mut transactions) = (0, 0);
    loop {
        let count = client.read(&mut heard).await.ok().filter(|count| *count > 0)?;
        let said = &heard[..count];
        if said.first() == Some(&b'X') {
            return None;
        }
        // At the start of a transaction, takes the next free process.
        if by_transaction && said.windows(5).any(|word| word == b"BEGIN") {
            current = transactions % 2;
            transactions += 1;
        }
        servers[current].0.write_all(said).await.ok()?;
        let answer = until_ready(&mut servers[current].0).await;
        client.write_all(&answer).await.ok()?;
    }
}

#[tokio::test]
async fn pooler_and_pooling_mode_are_detected_by_process_numbers() {
    let Some(server) = server(false).await else { return };
    for (by_transaction, pooling) in [(false, Pooling::BySession), (true, Pooling::ByTransaction)] {
        let port = pooler(server.port, by_transaction).await;
        let said = ask(&place("db", port, "mas", "trusted", SslMode::Disable), PASSWORD, None).await.unwrap();
        assert_eq!(said.server.pooling, pooling);
        assert!(said.tables.known().is_some() && said.encoding.known().is_some());
    }
    let direct = ask(&place("db", server.port, "mas", "trusted", SslMode::Disable), PASSWORD, None).await.unwrap();
    assert_eq!(direct.server.pooling, Pooling::None);
}
