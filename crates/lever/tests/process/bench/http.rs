//! One request, without the command line: where an answer that never comes has to be told from one
//! that does, or where many are asked in a second.

use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::Bench;

/// Longest that one answer is waited for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A request to the admin API.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    head: String,
    headers: String,
    body: Option<Value>,
}

/// A question that is on its way.
pub(crate) struct Asked(TcpStream);

/// What was answered, whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str, body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new("POST", path)
        }
    }

    pub(crate) fn put(path: &str, body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new("PUT", path)
        }
    }

    fn new(method: &str, path: &str) -> Self {
        Self {
            head: format!("{method} {path} HTTP/1.1"),
            headers: String::new(),
            body: None,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.extend([name, ": ", value, "\r\n"]);
        self
    }

    /// Asks the server at `address`; an error when the answer did not come, or not whole.
    pub(crate) fn send(&self, address: &str, token: &str) -> Result<Answer> {
        self.ask(address, token)?.answer()
    }

    /// Asks, and does not wait.
    pub(crate) fn ask(&self, address: &str, token: &str) -> Result<Asked> {
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let (head, headers, length) = (&self.head, &self.headers, body.len());
        let request = format!(
            "{head}\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
        stream.write_all(request.as_bytes())?;
        Ok(Asked(stream))
    }
}

impl Asked {
    pub(crate) fn answer(mut self) -> Result<Answer> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes)?;
        Answer::read(&String::from_utf8_lossy(&bytes))
    }
}

impl Answer {
    fn read(text: &str) -> Result<Self> {
        let cut_short = || Error::new(ErrorKind::UnexpectedEof, format!("no whole answer: {text}"));
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut_short)?;
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.parse::<usize>().ok())?
        });
        if length != Some(body.len()) {
            return Err(cut_short());
        }
        Ok(Self {
            status: status.ok_or_else(cut_short)?,
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        })
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{:#}", self.body);
        self.body
    }
}

impl Bench {
    /// Asks this server as the first admin.
    pub(crate) fn call(&self, call: &Call) -> Result<Answer> {
        call.send(self.server().address(), &self.token)
    }
}
