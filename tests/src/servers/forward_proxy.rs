//! A proxy as companies have them between their machines and the rest: `CONNECT` for TLS, whole addresses for the rest.
//!
//! Whatever host is asked for, one server on loopback answers, so that hosts of clouds can be played.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A running proxy; its thread ends with the process.
#[derive(Debug)]
pub struct ForwardProxy {
    address: String,
    log: Arc<Mutex<Vec<Forwarded>>>,
}

/// What the proxy was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// `CONNECT host:443`, or `GET http://host/path`.
    pub target: String,
    /// `Proxy-Authorization`.
    pub login: Option<String>,
}

impl ForwardProxy {
    /// Leads everything to `upstream`, a host and port.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(upstream: String) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let log: Arc<Mutex<Vec<Forwarded>>> = Arc::default();
        let seen = Arc::clone(&log);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (upstream, seen) = (upstream.clone(), Arc::clone(&seen));
                // An error is the other side's end of the connection.
                thread::spawn(move || serve(client, &upstream, &seen).ok());
            }
        });
        Ok(Self { address, log })
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What was asked for, in order.
    pub fn log(&self) -> Vec<Forwarded> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(client: TcpStream, upstream: &str, log: &Mutex<Vec<Forwarded>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (first, headers) = read_head(&mut reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let login = headers.iter().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_owned())
    });
    let entry = Forwarded { target: format!("{method} {target}"), login };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    let mut server = TcpStream::connect(upstream)?;
    if method == "CONNECT" {
        (&client).write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    } else {
        // One request per connection, as the next one may be for another host.
        let path = target.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
        let is_own = |header: &&String| !header.to_ascii_lowercase().starts_with("proxy-");
        let headers: String = headers.iter().filter(is_own).map(|header| format!("{header}\r\n")).collect();
        server.write_all(format!("{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").as_bytes())?;
    }
    let mut back = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || pump(&mut back.0, &mut back.1));
    pump(&mut reader, &mut server)?;
    let _ = answers.join();
    Ok(())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<(String, Vec<String>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    if lines.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let first = lines.remove(0);
    Ok((first, lines))
}

fn pump(from: &mut impl Read, to: &mut TcpStream) -> io::Result<()> {
    let copied = io::copy(from, to);
    let _ = to.shutdown(Shutdown::Write);
    copied.map(drop)
}
