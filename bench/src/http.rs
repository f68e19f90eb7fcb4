//! A blocking HTTP/1.1 client over one connection that is kept: as little as it takes to ask a
//! server on this machine, so that what is measured is the server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// One connection to one server, with one token.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    authorization: String,
    /// What was read and not used yet.
    buffer: Vec<u8>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            stream,
            host: address.to_owned(),
            authorization: format!("Bearer {token}"),
            buffer: Vec::new(),
        })
    }

    /// Shows this from now on, as it stands.
    pub(crate) fn show(&mut self, authorization: &str) {
        authorization.clone_into(&mut self.authorization);
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Value> {
        self.ask("GET", path, b"")?.json()
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", path, body.to_string().as_bytes())?.json()
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Response> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            self.authorization,
            body.len(),
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request)?;
        self.response()
    }

    fn response(&mut self) -> Result<Response> {
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        self.buffer.drain(..head_end + 4);
        let status = head
            .get(9..12)
            .and_then(|digits| digits.parse().ok())
            .context("a status line")?;
        let header = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let body = match header("content-length") {
            Some(length) => self.exactly(length.parse()?)?,
            None if header("transfer-encoding").is_some() => self.chunks()?,
            None => Vec::new(),
        };
        Ok(Response { status, body })
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break at;
                }
                self.fill()?;
            };
            let size = std::str::from_utf8(&self.buffer[..line_end])?;
            let size = usize::from_str_radix(size, 16)?;
            self.buffer.drain(..line_end + 2);
            body.extend(self.exactly(size)?);
            self.exactly(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn fill(&mut self) -> Result<()> {
        let mut piece = [0; 64 * 1024];
        let count = self.stream.read(&mut piece)?;
        if count == 0 {
            bail!("the server hung up");
        }
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(())
    }
}

impl Response {
    /// The body of a success; a failure is an error with the body in it.
    pub(crate) fn json(self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("{}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(serde_json::from_slice(&self.body)?)
    }
}

fn find(within: &[u8], wanted: &[u8]) -> Option<usize> {
    within
        .windows(wanted.len())
        .position(|window| window == wanted)
}
