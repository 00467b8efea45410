//! Simulated networks between the program and the API server: latency, a proxy.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Starts a forwarder to `to` with a latency of half of `round_trip`, and a whole one for a new connection. Ends with the process.
pub fn slow(to: SocketAddr, round_trip: Duration) -> io::Result<SocketAddr> {
    listen(move |client| {
        let there = Instant::now() + round_trip;
        let server = TcpStream::connect(to)?;
        join(client, server, round_trip / 2, there)
    })
}

/// Starts an HTTP proxy for `CONNECT`, which resolves every name to this machine. Ends with the process.
pub fn proxy() -> io::Result<SocketAddr> {
    listen(|mut client| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let port = head.split(' ').nth(1).and_then(|to| to.rsplit(':').next()?.parse().ok());
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port.ok_or(io::ErrorKind::InvalidData)?))?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        join(client, server, Duration::ZERO, Instant::now())
    })
}

fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + Clone + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let serve = serve.clone();
            // The side that closed the connection reports it.
            thread::spawn(move || drop(serve(client)));
        }
    });
    Ok(address)
}

fn join(client: TcpStream, server: TcpStream, delay: Duration, there: Instant) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (back_from, back_to) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || carry(back_from, back_to, delay, Instant::now()));
    carry(client, server, delay, there)?;
    back.join().unwrap_or(Ok(()))
}

/// Forwards bytes after `delay`, and not before `not_before` plus `delay`.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration, not_before: Instant) -> io::Result<()> {
    let (sender, pieces) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writer = thread::spawn(move || -> io::Result<()> {
        for (due, piece) in pieces {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            to.write_all(&piece)?;
        }
        to.shutdown(Shutdown::Write)
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer)?;
        let due = Instant::now().max(not_before) + delay;
        if count == 0 || sender.send((due, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    writer.join().unwrap_or(Ok(()))
}
