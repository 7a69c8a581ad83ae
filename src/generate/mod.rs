//! A synthetic trail, its inventory and the truth about it: equal options give equal bytes.
//!
//! Pure: files go to a sink, a day at a time; no clock, no environment, and no module that analyzes trails.

mod answers;
mod apis;
mod cast;
mod clock;
mod damage;
mod delivery;
mod desk;
mod expected;
mod inventory;
pub mod options;
mod outsiders;
mod policies;
mod records;
mod rng;
mod sessions;
mod templates;
mod truth;
mod workloads;

use std::io;
use std::path::Path;

pub use delivery::Sink;
pub use options::{Damage, Hole, Options, Size, parse_bytes};

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Log objects, broken ones not counted.
    pub log_objects: u64,
    /// Records in them, duplicates counted.
    pub records: u64,
    /// Bytes of JSON before compression.
    pub json_bytes: u64,
    /// Bytes of the log objects.
    pub gzip_bytes: u64,
}

/// Writes the whole trail to `sink`, file by file, `truth.json` last.
///
/// # Errors
/// Those of the sink; `InvalidInput` when the Regions lack `us-east-1`.
pub fn generate(options: &Options, sink: Sink<'_>) -> io::Result<Summary> {
    if !options.regions.iter().any(|region| region == "us-east-1") {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the regions lack `us-east-1`"));
    }
    let cast = cast::Cast::new(options);
    let mut desk = desk::Desk::new(options, &cast);
    let mut outsiders = outsiders::Outsiders::new(&desk);
    for day in 0..i64::from(options.days) {
        let midnight = cast.since + day * clock::DAY;
        outsiders.day(&mut desk, midnight);
        workloads::day(&mut desk, midnight);
        desk.mail.deliver_until(midnight / clock::DAY, sink)?;
    }
    desk.mail.deliver_until(i64::MAX, sink)?;
    let damage = damage::write(options, &cast, sink)?;
    let service = cast.party_of(damage::CALLER);
    for _ in 0..damage.1 {
        desk.ledger.direct(service, None, templates::Outcome::Ok, cast.since + clock::DAY / 2);
    }
    for (at, account) in cast.accounts.iter().enumerate() {
        let document = inventory::document(&cast, &desk.ledger, at);
        sink(&format!("inventory/{account}.json"), lines(&document).as_bytes())?;
    }
    sink("truth.json", lines(&answers::document(&desk, &damage)).as_bytes())?;
    let done = &desk.mail.delivered;
    Ok(Summary {
        log_objects: done.log_objects,
        records: done.records,
        json_bytes: done.json_bytes,
        gzip_bytes: done.gzip_bytes,
    })
}

/// JSON with one line for each field of the document and for each item of its lists: small, and readable in a diff.
fn lines(document: &serde_json::Value) -> String {
    let mut out = String::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        out += if out.is_empty() { "{" } else { ",\n" };
        let rows = value.as_array().map(|items| items.iter().map(ToString::to_string).collect::<Vec<_>>());
        let text = rows.map_or_else(|| value.to_string(), |rows| format!("[\n{}]", rows.join(",\n")));
        out += &format!("\"{name}\":{text}");
    }
    out + "}\n"
}

/// Writes the whole trail into `folder`, which is made if it is missing.
///
/// # Errors
/// Those of the file system, and of [`generate`].
pub fn write_to_folder(options: &Options, folder: &Path) -> io::Result<Summary> {
    generate(options, &mut |key, bytes| {
        let path = folder.join(key);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, bytes)
    })
}
