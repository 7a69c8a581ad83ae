//! Broken objects (S6): each in an object of its own, so that nothing else depends on how much of it can be read.

use std::io;

use serde_json::{Value, json};

use super::cast::Cast;
use super::clock::DAY;
use super::delivery::{Sink, gzip};
use super::options::{Damage, Options};
use super::rng::Rng;

/// The AWS service that made the readable records of damaged objects, at noon of the window's first day.
pub(crate) const CALLER: &str = "ec2.amazonaws.com";

fn records(rng: &mut Rng, cast: &Cast, count: usize) -> Vec<Value> {
    let day = cast.date(0);
    let record = |_| {
        json!({"eventVersion": "1.08", "userIdentity": {"type": "AWSService", "invokedBy": CALLER},
            "eventTime": format!("{day}T12:00:00Z"), "eventSource": "kms.amazonaws.com", "eventName": "GenerateDataKey",
            "awsRegion": "us-east-1", "sourceIPAddress": CALLER, "userAgent": CALLER,
            "requestParameters": null, "responseElements": null, "requestID": rng.uuid_text(), "eventID": rng.uuid_text(),
            "readOnly": true, "eventType": "AwsApiCall", "managementEvent": true,
            "recipientAccountId": cast.account(0), "eventCategory": "Management"})
    };
    (0..count).map(record).collect()
}

/// Bytes, good records, bad records, and how many records a lenient reader may still find.
fn object(kind: Damage, rng: &mut Rng, cast: &Cast) -> io::Result<(Vec<u8>, u64, u64, u64)> {
    let whole = json!({"Records": records(rng, cast, 20)}).to_string();
    let zipped = gzip(&[whole.as_bytes()], 6)?;
    let half = zipped.len() / 2;
    Ok(match kind {
        Damage::TruncatedGzip => (zipped.into_iter().take(half).collect(), 0, 0, 20),
        Damage::FlippedBytes => {
            let flip = |(at, byte): (usize, u8)| if (half..half + 8).contains(&at) { byte ^ 0xff } else { byte };
            (zipped.into_iter().enumerate().map(flip).collect(), 0, 0, 20)
        }
        Damage::BadJson => {
            let cut = whole.len() / 2;
            (gzip(&[whole.as_bytes().get(..cut).unwrap_or_default()], 6)?, 0, 0, 20)
        }
        Damage::MissingEventName => {
            let mut entries = records(rng, cast, 4);
            entries.iter_mut().take(1).filter_map(Value::as_object_mut).for_each(|one| drop(one.remove("eventName")));
            (gzip(&[json!({"Records": entries}).to_string().as_bytes()], 6)?, 3, 1, 0)
        }
        Damage::NotAnObject => {
            let mut entries = records(rng, cast, 3);
            entries.extend([json!(42), json!("not a record")]);
            (gzip(&[json!({"Records": entries}).to_string().as_bytes()], 6)?, 3, 2, 0)
        }
        Damage::GzipBomb => (bomb()?, 0, 0, 0),
        Damage::Png => (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0".to_vec(), 0, 0, 0),
        Damage::Html => (b"<!DOCTYPE html><html><body>404 Not Found</body></html>".to_vec(), 0, 0, 0),
        Damage::EmptyFile => (Vec::new(), 0, 0, 0),
    })
}

/// 272 MB of blanks behind the beginning of a log object.
fn bomb() -> io::Result<Vec<u8>> {
    use std::io::Write;
    let mut encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::new(9));
    encoder.write_all(b"{\"Records\":[")?;
    let blank = vec![b' '; 1_000_000];
    for _ in 0..272 {
        encoder.write_all(&blank)?;
    }
    encoder.write_all(b"]}")?;
    encoder.finish()
}

/// Writes the broken objects; their entries for the truth, and their good and bad records.
pub(crate) fn write(options: &Options, cast: &Cast, sink: Sink<'_>) -> io::Result<(Vec<Value>, u64, u64)> {
    let mut rng = Rng::new(options.seed, "damage");
    let (mut entries, mut good_total, mut bad_total) = (Vec::new(), 0, 0);
    for (at, kind) in options.damage.iter().enumerate() {
        let id = cast.account(0);
        let date = super::clock::date_text(cast.since / DAY);
        let key = format!(
            "AWSLogs/{id}/CloudTrail/us-east-1/{}/{id}_CloudTrail_us-east-1_{}T12{at:02}Z_{}.json.gz",
            date.replace('-', "/"),
            date.replace('-', ""),
            rng.id("", 16)
        );
        let (bytes, good, bad, maybe) = object(*kind, &mut rng, cast)?;
        sink(&key, &bytes)?;
        let expect = if kind.fails_object() { "object_failed" } else { "bad_records" };
        entries.push(json!({"key": key, "kind": kind.name(), "expect": expect, "good_records": good, "bad_records": bad, "recoverable_records": maybe}));
        good_total += good;
        bad_total += bad;
    }
    Ok((entries, good_total, bad_total))
}
