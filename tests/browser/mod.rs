//! A browser for the pages of the HTML report: Debian's Chromium, driven by a package from npm.
//!
//! The packages lie in `THIRDTRAIL_BROWSER_TOOLS` or `$HOME/.cache/thirdtrail-browser` and are installed there once. What
//! cannot be had is an error with its reason, for the test to say and to pass.

use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGES: [&str; 2] = ["playwright-core/package.json", "axe-core/axe.min.js"];

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// The folder whose `node_modules` holds the packages; installs them where they are missing.
fn tools() -> Result<PathBuf, String> {
    let chromium = std::env::var_os("THIRDTRAIL_CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
    if !chromium.exists() {
        return Err(format!("no browser at {}", chromium.display()));
    }
    let folder = match std::env::var_os("THIRDTRAIL_BROWSER_TOOLS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("no HOME")?).join(".cache/thirdtrail-browser"),
    };
    let manifest = std::fs::read(here().join("package.json")).map_err(|error| error.to_string())?;
    let is_there = PACKAGES.iter().all(|file| folder.join("node_modules").join(file).exists())
        && std::fs::read(folder.join("package.json")).is_ok_and(|known| known == manifest);
    if is_there {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    std::fs::write(folder.join("package.json"), &manifest).map_err(|error| error.to_string())?;
    let install = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if install.status.success() { Ok(folder) } else { Err("npm install failed".to_owned()) }
}

/// What goes wrong when the pages of a report are used: the index, one role, one party; if `thorough` also in the dark and
/// without their script.
///
/// # Errors
/// Why there is no browser on this machine.
pub(crate) fn problems(report: &Path, role: &str, party: &str, thorough: bool) -> Result<Vec<String>, String> {
    let tools = tools()?;
    let mut command = Command::new("node");
    command.arg(here().join("pages.mjs")).arg(tools).arg(report).args([role, party]);
    if thorough {
        command.arg("thorough");
    }
    let output = command.output().map_err(|error| format!("node: {error}"))?;
    if !output.status.success() {
        return Ok(vec![String::from_utf8_lossy(&output.stderr).into_owned()]);
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}
