//! A small HTTP/1.1 server on loopback for servers of our own: git, charts, the quirk proxy.
//!
//! One thread per connection, bodies in memory. It does just enough to stand between real clients
//! and real servers, and, unlike a framework, lets a test send answers that are wrong on purpose.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};

/// A request as it was received.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// Still percent-encoded.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// In the order received.
    pub headers: Vec<(String, String)>,
    /// Decoded from chunks when need be.
    pub body: Vec<u8>,
}

impl Request {
    /// First header with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Path and query as one text.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// An answer, possibly a wrong one.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Without `Content-Length`, which the server adds when it is missing.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Send the body in pieces of this many bytes with this pause between them.
    pub pace: Option<(usize, Duration)>,
    /// Promise the whole body but close the connection after this many bytes.
    pub cut_after: Option<usize>,
}

impl Response {
    /// An answer with a status and a text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: text.into().into_bytes(), ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// First header with this name, in any case.
pub fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A running server; stops accepting when dropped.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl HttpServer {
    /// Serves `handler` on a free port of 127.0.0.1.
    pub fn start(handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> io::Result<Self> {
        Self::start_on(None, handler)
    }

    /// The same behind TLS.
    pub fn start_tls(
        tls: Arc<ServerConfig>,
        handler: impl Fn(Request) -> Response + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_on(Some(tls), handler)
    }

    fn start_on(
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(Request) -> Response + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let handler = Arc::new(handler);
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(connection), handler) = (connection, Arc::clone(&handler)) else {
                    continue;
                };
                let (stop, tls) = (Arc::clone(&stop), tls.clone());
                // An error is the other side's end of the connection.
                thread::spawn(move || serve_on(&connection, tls, handler.as_ref(), &stop).ok());
            }
        });
        Ok(Self { address, stopped })
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve_on(
    connection: &TcpStream,
    tls: Option<Arc<ServerConfig>>,
    handler: &(impl Fn(Request) -> Response + ?Sized),
    stopped: &AtomicBool,
) -> io::Result<()> {
    connection.set_nodelay(true)?;
    match tls {
        None => serve(connection, handler, stopped)?,
        Some(tls) => {
            let mut session = ServerConnection::new(tls).map_err(io::Error::other)?;
            let mut connection = connection;
            serve(rustls::Stream::new(&mut session, &mut connection), handler, stopped)?;
            session.send_close_notify();
            session.write_tls(&mut connection)?;
        }
    }
    connection.shutdown(Shutdown::Both)
}

fn serve(
    connection: impl Read + Write,
    handler: &(impl Fn(Request) -> Response + ?Sized),
    stopped: &AtomicBool,
) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader)? {
        if stopped.load(Ordering::SeqCst) {
            break;
        }
        let close = request.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        let head_only = request.method == "HEAD";
        let response = handler(request);
        let whole = write_response(reader.get_mut(), &response, head_only)?;
        if close || !whole {
            break;
        }
    }
    Ok(())
}

fn read_request<C: Read + Write>(reader: &mut BufReader<C>) -> io::Result<Option<Request>> {
    // A client that tries TLS first must be refused at once: there may never be a line to read.
    if !reader.fill_buf()?.first().is_some_and(u8::is_ascii_uppercase) {
        return Ok(None);
    }
    let start = read_line(reader)?;
    let mut parts = start.split(' ');
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else { return Ok(None) };
    if method.is_empty() {
        return Ok(None);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request =
        Request { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), ..Request::default() };
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    if request.header("expect").is_some_and(|v| v.eq_ignore_ascii_case("100-continue")) {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = read_body(reader, &request.headers)?;
    Ok(Some(request))
}

fn read_body(reader: &mut impl BufRead, headers: &[(String, String)]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if find(headers, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        loop {
            let line = read_line(reader)?;
            let size = line.split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            let at = body.len();
            body.resize(at + size, 0);
            reader.read_exact(&mut body[at..])?;
            read_line(reader)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    let length = find(headers, "content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    body.resize(length, 0);
    reader.read_exact(&mut body)?;
    Ok(body)
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Answers whether the connection can be used again.
fn write_response(connection: &mut impl Write, response: &Response, head_only: bool) -> io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if find(&response.headers, "content-length").is_none() {
        head.push_str(&format!("Content-Length: {}\r\n", response.body.len()));
    }
    head.push_str("\r\n");
    let end = response.cut_after.unwrap_or(usize::MAX).min(response.body.len());
    let body = if head_only { &[][..] } else { &response.body[..end] };
    match response.pace {
        None => {
            let mut all = head.into_bytes();
            all.extend_from_slice(body);
            connection.write_all(&all)?;
        }
        Some((size, pause)) => {
            connection.write_all(head.as_bytes())?;
            for piece in body.chunks(size.max(1)) {
                connection.write_all(piece)?;
                connection.flush()?;
                thread::sleep(pause);
            }
        }
    }
    connection.flush()?;
    Ok(head_only || end == response.body.len())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "-",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn tls_on_a_plain_port_is_refused_at_once() {
        let server = HttpServer::start(|_| Response::text(200, "")).expect("a server");
        let mut connection = TcpStream::connect(server.address()).expect("a connection");
        connection.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]).expect("sent");
        let mut answer = Vec::new();
        // An end or a reset, but no wait.
        let _ = connection.read_to_end(&mut answer);
        assert!(answer.is_empty());
    }

    #[test]
    fn chunked_bodies_are_decoded() {
        let server =
            HttpServer::start(|request| Response { body: request.body, ..Response::text(200, "") }).expect("a server");
        let mut connection = TcpStream::connect(server.address()).expect("a connection");
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        let sent = format!("{head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
        connection.write_all(sent.as_bytes()).expect("sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        assert!(answer.ends_with("\r\n\r\nabcde"), "{answer}");
    }
}
