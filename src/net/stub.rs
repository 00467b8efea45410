//! A proxy for tests.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub(crate) async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A proxy for one connection: CONNECT (with TLS if there is an acceptor), or SOCKS 5 with user and password. Connects to
/// `target`, and returns the requested address.
pub(crate) async fn proxy(
    target: SocketAddr,
    tls: Option<TlsAcceptor>,
    refuse: bool,
) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Some(tls) = tls {
            serve(tls.accept(stream).await.unwrap(), target, refuse, false).await
        } else {
            let mut first = [0_u8];
            stream.peek(&mut first).await.unwrap();
            serve(stream, target, refuse, first[0] == 5).await
        }
    });
    (address, task)
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    target: SocketAddr,
    refuse: bool,
    with_socks: bool,
) -> String {
    let asked = if with_socks { socks(&mut stream).await } else { head(&mut stream).await };
    if refuse {
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
        return asked;
    }
    if !with_socks {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    }
    let mut onward = TcpStream::connect(target).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
    asked
}

/// The server's side of RFC 1928 and 1929.
async fn socks<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> String {
    let methods = usize::from({
        stream.read_u8().await.unwrap();
        stream.read_u8().await.unwrap()
    });
    stream.read_exact(&mut vec![0; methods]).await.unwrap();
    stream.write_all(&[5, 2]).await.unwrap();
    let mut text = String::new();
    stream.read_u8().await.unwrap();
    for _ in 0..2 {
        let mut word = vec![0; usize::from(stream.read_u8().await.unwrap())];
        stream.read_exact(&mut word).await.unwrap();
        text.extend([String::from_utf8(word).unwrap().as_str(), " "]);
    }
    stream.write_all(&[1, 0]).await.unwrap();
    let mut request = [0_u8; 4];
    stream.read_exact(&mut request).await.unwrap();
    assert_eq!(request, [5, 1, 0, 3], "the proxy resolves the name");
    let mut name = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut name).await.unwrap();
    let port = stream.read_u16().await.unwrap();
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    format!("{text}{}:{port}", String::from_utf8(name).unwrap())
}
