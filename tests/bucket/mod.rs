//! A bucket in memory that speaks S3 over HTTP on loopback, and a server for answers of any kind.
//!
//! It knows what reading needs: ListObjectsV2 and GetObject; it does not check signatures. A real server is `seaweed`.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test whose server breaks has failed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thirdtrail::store::aws::AwsOptions;

/// What a client asks.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET`, `HEAD` and so on.
    pub(crate) method: String,
    /// The bucket; path style.
    pub(crate) bucket: String,
    /// The key; empty for the bucket itself.
    pub(crate) key: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

/// How an answer arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Delivery {
    Whole,
    /// The connection is reset before a byte of it.
    Reset,
    /// It ends in the middle of the body.
    Cut,
    /// It stops for so long in the middle of the body, and then ends.
    Stall(Duration),
    /// Byte by byte, each after so long.
    Trickle(Duration),
}

/// What the server answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delivery: Delivery,
}

impl Answer {
    pub(crate) fn of(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), delivery: Delivery::Whole }
    }

    /// An error as S3 words it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
        Self::of(status, body)
    }
}

/// A server; it answers as long as the process lives.
pub(crate) struct Server {
    pub(crate) url: String,
}

impl Server {
    /// How to reach it: nobody signs.
    pub(crate) fn aws(&self) -> AwsOptions {
        AwsOptions {
            endpoint_url: Some(self.url.clone()),
            region: Some("us-east-1".to_owned()),
            force_path_style: true,
            no_sign_request: true,
            ..AwsOptions::default()
        }
    }

    pub(crate) fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                thread::spawn(move || while talk(&stream, &*answer).is_some() {});
            }
        });
        Self { url }
    }
}

/// One question and its answer; `None` when the connection is over.
fn talk(mut stream: &TcpStream, answer: &dyn Fn(&Request) -> Answer) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let (head, length) = peek(stream)?;
    let answer = answer(&parse(&head)?);
    if answer.delivery == Delivery::Reset {
        // What was sent is still unread: closing tells the client so by a reset.
        return None;
    }
    stream.read_exact(&mut vec![0; length]).ok()?;
    let mut text = format!("HTTP/1.1 {} x\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
    for (name, value) in &answer.headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).ok()?;
    let half = answer.body.split_at(answer.body.len() / 2).0;
    match answer.delivery {
        Delivery::Cut => {
            stream.write_all(half).ok()?;
            None
        }
        Delivery::Stall(time) => {
            stream.write_all(half).ok()?;
            thread::sleep(time);
            None
        }
        Delivery::Trickle(time) => {
            for byte in &answer.body {
                stream.write_all(&[*byte]).ok()?;
                thread::sleep(time);
            }
            Some(())
        }
        _ => stream.write_all(&answer.body).ok(),
    }
}

/// The head of the next question and its length, still unread. Questions here have no body.
fn peek(stream: &TcpStream) -> Option<(String, usize)> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let seen = stream.peek(&mut bytes).ok().filter(|seen| *seen > 0)?;
        let text = String::from_utf8_lossy(bytes.get(..seen)?);
        if let Some(end) = text.find("\r\n\r\n") {
            return Some((text.get(..end)?.to_owned(), end + 4));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn parse(head: &str) -> Option<Request> {
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let target = target.split(' ').next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let path = decoded(path.trim_start_matches('/'));
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(Request {
        method: method.to_owned(),
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        query: pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect(),
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
    })
}

/// Objects by key.
pub(crate) type Objects = BTreeMap<String, Vec<u8>>;

/// What a bucket with these objects answers.
pub(crate) fn answer(objects: &Objects, request: &Request) -> Answer {
    if request.key.is_empty() {
        return Answer::of(200, list(objects, &request.query));
    }
    match objects.get(&request.key) {
        Some(bytes) => Answer::of(200, bytes.as_slice()),
        None => Answer::error(404, "NoSuchKey", "The specified key does not exist."),
    }
}

/// One page of ListObjectsV2.
fn list(objects: &Objects, query: &BTreeMap<String, String>) -> String {
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let (prefix, token) = (text("prefix"), text("continuation-token"));
    let after = text("start-after").max(token);
    let most: usize = text("max-keys").parse().unwrap_or(1000);
    let url = |key: &str| utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
    let (mut body, mut count, mut last) = (String::new(), 0, String::new());
    let mut truncated = false;
    for (key, bytes) in objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after) {
        // A folder that was told counts once, whichever of its objects comes next.
        let told = |folder: &str| folder.ends_with('/') && key.starts_with(folder);
        if told(&last) || told(token) {
            continue;
        }
        if count == most {
            truncated = true;
            break;
        }
        count += 1;
        let folder = key[prefix.len()..].find(text("delimiter")).filter(|_| !text("delimiter").is_empty());
        last = folder.map_or(key.as_str(), |at| &key[..=prefix.len() + at]).to_owned();
        if folder.is_some() {
            write!(body, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", url(&last)).unwrap();
        } else {
            let size = bytes.len();
            write!(body, "<Contents><Key>{}</Key><Size>{size}</Size><ETag>\"{size}\"</ETag></Contents>", url(key))
                .unwrap();
        }
    }
    let next =
        if truncated { format!("<NextContinuationToken>{}</NextContinuationToken>", last) } else { String::new() };
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{truncated}</IsTruncated>{next}{body}</ListBucketResult>"
    )
}
