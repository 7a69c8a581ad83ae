//! Writes a synthetic trail: `generate FOLDER RECORDS|BYTES-WITH-UNIT`.

use std::path::Path;

use thirdtrail::generate::{Options, Size, parse_bytes, write_to_folder};

fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().unwrap_or_else(|| "trail".to_owned());
    let text = words.next().unwrap_or_else(|| "100000".to_owned());
    let size = match text.parse() {
        Ok(records) => Size::Records(records),
        Err(_) => Size::Bytes(parse_bytes(&text).unwrap_or(1_000_000)),
    };
    let summary = write_to_folder(&Options { size, ..Options::default() }, Path::new(&folder))?;
    std::io::Write::write_all(&mut std::io::stdout(), format!("{summary:?}\n").as_bytes())
}
