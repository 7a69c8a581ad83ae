//! A stand-in for AWS's APIs on loopback: answers what a test scripts, and notes every call.
//!
//! It speaks as much HTTP as the SDK needs: one request a connection, the action in the form body (query protocol) or in
//! a header (JSON protocol), the service, Region and key in the signature's scope.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a stand-in may stop a test")]

pub(crate) mod answers;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `iam`, `sts`, `organizations`, `cloudtrail`.
    pub(crate) service: String,
    /// The Region that it was signed for.
    pub(crate) region: String,
    /// The access key that it was signed with.
    pub(crate) key: String,
    /// `ListUsers`.
    pub(crate) action: String,
    /// Parameters of the query protocol, or the fields of the JSON body as text.
    pub(crate) parameters: BTreeMap<String, String>,
    raw: Vec<u8>,
}

impl Call {
    /// A parameter, empty where it is not given.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// XML within `<ActionResponse><ActionResult>`.
    Xml(String),
    /// A JSON body.
    Json(Value),
    /// An error with its HTTP status, in the service's own protocol.
    Error(u16, &'static str, &'static str),
    /// The request goes on to another server on this port of loopback.
    Forward(u16),
}

/// A running stand-in; it stops when it is dropped.
pub(crate) struct StandIn {
    port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Starts one.
    pub(crate) fn new(answer: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (calls, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (noted, stopped, answer) = (calls.clone(), stop.clone(), Arc::new(answer));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (noted, answer) = (noted.clone(), answer.clone());
                std::thread::spawn(move || {
                    if let Some(call) = read(&stream) {
                        noted.lock().unwrap().push(call.clone());
                        reply(&stream, &call, answer(&call));
                    }
                });
            }
        });
        Self { port, calls, stop, thread: Some(thread) }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How often an action was called.
    pub(crate) fn count(&self, action: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| call.action == action).count()
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The listener waits for a connection to look at the flag.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Call> {
    let mut reader = BufReader::new(stream);
    let mut raw = Vec::new();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let end = line.trim().is_empty();
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
        // Whoever it goes on to closes after the answer, as the stand-in does.
        if end {
            raw.extend_from_slice(b"Connection: close\r\n");
        }
        raw.extend_from_slice(line.as_bytes());
        if end {
            break;
        }
    }
    let length: usize = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    raw.extend_from_slice(&body);
    let scope = headers.get("authorization").and_then(|text| text.split_once("Credential=")).map(|(_, scope)| scope);
    let scope: Vec<&str> = scope.unwrap_or_default().split([',', '/']).collect();
    let part = |at: usize| scope.get(at).unwrap_or(&"").to_string();
    let (action, parameters) = match headers.get("x-amz-target") {
        Some(target) => (target.rsplit('.').next().unwrap_or_default().to_owned(), fields(&body)),
        None => {
            let parameters = form(&body);
            (parameters.get("Action").cloned().unwrap_or_default(), parameters)
        }
    };
    Some(Call { service: part(3), region: part(2), key: part(0), action, parameters, raw })
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned())).collect()
}

fn fields(body: &[u8]) -> BTreeMap<String, String> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn reply(mut stream: &TcpStream, call: &Call, answer: Answer) {
    let is_query = matches!(call.service.as_str(), "iam" | "sts");
    let (status, kind, body) = match answer {
        Answer::Xml(inner) => {
            let action = &call.action;
            let body = format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>");
            (200, "text/xml", body)
        }
        Answer::Json(value) => (200, "application/x-amz-json-1.1", value.to_string()),
        Answer::Error(status, code, message) if is_query => {
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>r</RequestId></ErrorResponse>"
            );
            (status, "text/xml", body)
        }
        Answer::Error(status, code, message) => {
            let body = serde_json::json!({"__type": code, "message": message});
            (status, "application/x-amz-json-1.1", body.to_string())
        }
        Answer::Forward(port) => return forward(stream, call, port),
    };
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

fn forward(mut stream: &TcpStream, call: &Call, port: u16) {
    let mut answer = Vec::new();
    let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut onward| {
        onward.write_all(&call.raw)?;
        onward.read_to_end(&mut answer)
    });
    if asked.is_ok() {
        let _ = stream.write_all(&answer);
    }
}
