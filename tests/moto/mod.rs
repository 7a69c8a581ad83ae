//! A running moto, which answers as AWS does, and ends when it is dropped.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot start its server has failed")]

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::python::Python;

/// See the module.
pub(crate) struct Moto {
    child: Child,
    /// Where it listens on loopback.
    pub(crate) port: u16,
}

/// What it takes from PyPI.
const PACKAGES: [&str; 1] = ["moto[server,iam,sts,organizations,cloudtrail]==5.2.5"];

/// A Python that has it, or why there is none.
pub(crate) fn python() -> Result<Python, String> {
    Python::new().and_then(|python| python.with(&PACKAGES, "moto, flask, boto3"))
}

impl Moto {
    /// Starts it with some variables in its environment.
    pub(crate) fn start(python: &Python, variables: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = python.command();
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]).envs(variables.iter().copied());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut moto = Self { child, port };
        for _ in 0..300 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return moto;
            }
            assert!(moto.child.try_wait().unwrap().is_none(), "moto ended");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("moto does not answer");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
