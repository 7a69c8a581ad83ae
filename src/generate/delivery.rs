//! From records to objects: which day delivers a record, in which object, how often, and how it is compressed.
//!
//! Holds the records of the days that are still to be delivered and nothing else, so memory is bounded by a day.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use super::clock::{DAY, date_text, time_text};
use super::options::Options;
use super::rng::Rng;

/// Receives each file: its key relative to the trail's folder, and its bytes.
pub type Sink<'a> = &'a mut dyn FnMut(&str, &[u8]) -> io::Result<()>;

/// Where and when a record belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Address {
    /// Through the organization's trail.
    pub(crate) organization: bool,
    pub(crate) account: usize,
    /// Position in the options' Regions.
    pub(crate) region: usize,
    /// 1 for a second delivery, which lies in an object of its own.
    pub(crate) copy: u8,
    /// Seconds since 1970.
    pub(crate) time: i64,
}

#[derive(Default, Debug)]
struct DayMail {
    bytes: Vec<u8>,
    letters: Vec<(Address, usize, usize)>,
}

/// What has been delivered.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Delivered {
    pub(crate) log_objects: u64,
    pub(crate) digest_objects: u64,
    pub(crate) records: u64,
    pub(crate) duplicates: u64,
    pub(crate) late: u64,
    /// Of events before the window's first second.
    pub(crate) before_window: u64,
    pub(crate) json_bytes: u64,
    pub(crate) gzip_bytes: u64,
    pub(crate) concatenated: Vec<String>,
    /// Accounts (positions) and days since 1970 with at least one log object.
    pub(crate) days: BTreeSet<(usize, i64)>,
}

/// The post office.
#[derive(Debug)]
pub(crate) struct Mail<'a> {
    options: &'a Options,
    accounts: &'a [String],
    rng: Rng,
    days: BTreeMap<i64, DayMail>,
    first_day: i64,
    closed_days: Vec<i64>,
    /// Bytes of JSON accepted so far, duplicates not counted.
    pub(crate) accepted_bytes: u64,
    /// Records accepted so far, duplicates not counted.
    pub(crate) posted: u64,
    pub(crate) delivered: Delivered,
    scratch: Vec<u8>,
}

/// Appends `{"Records":[` as a gzip member of mtime 0, or several members that hold one text.
pub(crate) fn gzip(parts: &[&[u8]], level: u32) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for part in parts {
        let mut encoder = GzBuilder::new().mtime(0).write(out, Compression::new(level));
        encoder.write_all(part)?;
        out = encoder.finish()?;
    }
    Ok(out)
}

impl<'a> Mail<'a> {
    /// An office that is closed on `closed_days` (days since 1970).
    pub(crate) fn new(options: &'a Options, accounts: &'a [String], first_day: i64, closed_days: Vec<i64>) -> Self {
        Self {
            options,
            accounts,
            rng: Rng::new(options.seed, "delivery"),
            days: BTreeMap::new(),
            first_day,
            closed_days,
            accepted_bytes: 0,
            posted: 0,
            delivered: Delivered::default(),
            scratch: Vec::new(),
        }
    }

    /// Takes a record; decides when it is delivered, and whether a second time.
    pub(crate) fn post(&mut self, mut address: Address, record: &[u8]) {
        self.accepted_bytes += record.len() as u64;
        self.posted += 1;
        let event_day = address.time.div_euclid(DAY);
        let late = self.rng.chance(self.options.late_share);
        let mut lag = i64::from(address.time.rem_euclid(DAY) >= DAY - 420);
        if late {
            lag = i64::try_from(self.rng.between(1, 3)).unwrap_or(1);
        }
        let day = self.open_day(event_day + lag);
        self.delivered.late += u64::from(late && day > event_day);
        self.put(day, address, record);
        if self.rng.chance(self.options.duplicates_share) {
            address.copy = 1;
            address.organization = self.options.organization.is_some() && self.rng.chance(0.5);
            let next = day + i64::from(self.rng.chance(0.3));
            let again = self.open_day(next);
            self.delivered.duplicates += 1;
            self.put(again, address, record);
        }
    }

    /// The first day from `day` on with deliveries; never later than the day after the window, which S3 reads too.
    fn open_day(&self, day: i64) -> i64 {
        let last = self.first_day + i64::from(self.options.days);
        (day..last).find(|day| !self.closed_days.contains(day)).unwrap_or(last)
    }

    fn put(&mut self, day: i64, address: Address, record: &[u8]) {
        self.delivered.before_window += u64::from(address.time < self.first_day * DAY);
        let mail = self.days.entry(day).or_default();
        let start = mail.bytes.len();
        mail.bytes.extend_from_slice(record);
        mail.letters.push((address, start, mail.bytes.len()));
    }

    /// Writes all objects of every day up to `day` (days since 1970).
    pub(crate) fn deliver_until(&mut self, day: i64, sink: Sink<'_>) -> io::Result<()> {
        while let Some(entry) = self.days.first_entry() {
            if *entry.key() > day {
                break;
            }
            let (today, mut mail) = entry.remove_entry();
            mail.letters.sort_by_key(|(address, start, _)| (*address, *start));
            self.deliver_day(today, &mail, sink)?;
        }
        Ok(())
    }

    fn deliver_day(&mut self, day: i64, mail: &DayMail, sink: Sink<'_>) -> io::Result<()> {
        let same = |a: &(Address, usize, usize), b: &(Address, usize, usize)| {
            let place = |address: &Address| (address.organization, address.account, address.region, address.copy);
            place(&a.0) == place(&b.0)
        };
        let step = i64::from(self.options.digest_every_days);
        let digest_day = step > 0 && (day - self.first_day) % step == step - 1;
        let mut logs: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for group in mail.letters.chunk_by(same) {
            for chunk in group.chunks(self.options.records_per_object.max(1)) {
                let Some((first, ..)) = chunk.first() else { continue };
                let last = chunk.last().map_or(first.time, |(address, ..)| address.time);
                let key = self.key(first, day, last);
                self.delivered.days.insert((first.account, day));
                let hash = self.write_object(&key, mail, chunk, digest_day, sink)?;
                if digest_day && !first.organization {
                    let time = time_text(last);
                    logs.entry(first.account).or_default().push(format!(
                        r#"{{"s3Bucket":"acme-trail","s3Object":"{key}","hashValue":"{hash}","hashAlgorithm":"SHA-256","newestEventTime":"{time}","oldestEventTime":"{}"}}"#,
                        time_text(first.time)
                    ));
                }
            }
        }
        for (account, files) in logs {
            self.write_digest(day, account, &files, sink)?;
        }
        Ok(())
    }

    fn key(&mut self, address: &Address, day: i64, last: i64) -> String {
        let account = self.accounts.get(address.account).map_or("", String::as_str);
        let region = self.options.regions.get(address.region).map_or("us-east-1", String::as_str);
        let at = (last + 420).clamp(day * DAY, day * DAY + DAY - 60);
        let (date, time) = (date_text(day), time_text(at));
        let stamp: String = time.chars().filter(char::is_ascii_alphanumeric).take(13).collect();
        let organization = match &self.options.organization {
            Some(id) if address.organization => format!("{id}/"),
            _ => String::new(),
        };
        format!(
            "AWSLogs/{organization}{account}/CloudTrail/{region}/{}/{account}_CloudTrail_{region}_{stamp}Z_{}.json.gz",
            date.replace('-', "/"),
            self.rng.id("", 16)
        )
    }

    fn write_object(
        &mut self,
        key: &str,
        mail: &DayMail,
        chunk: &[(Address, usize, usize)],
        hashed: bool,
        sink: Sink<'_>,
    ) -> io::Result<String> {
        let mut json = std::mem::take(&mut self.scratch);
        json.clear();
        json.extend_from_slice(b"{\"Records\":[");
        for (at, (_, start, end)) in chunk.iter().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            json.extend_from_slice(mail.bytes.get(*start..*end).unwrap_or_default());
        }
        json.extend_from_slice(b"]}");
        let twice = chunk.len() > 1 && self.rng.chance(0.02);
        let half = if twice { json.len() / 2 } else { json.len() };
        let (head, tail) = json.split_at_checked(half).unwrap_or((&json, &[]));
        let parts: &[&[u8]] = if twice { &[head, tail] } else { &[head] };
        let gzipped = gzip(parts, self.options.gzip_level)?;
        if twice {
            self.delivered.concatenated.push(key.to_owned());
        }
        self.delivered.log_objects += 1;
        self.delivered.records += chunk.len() as u64;
        self.delivered.json_bytes += json.len() as u64;
        self.delivered.gzip_bytes += gzipped.len() as u64;
        sink(key, &gzipped)?;
        let hash = if hashed { hex(&Sha256::digest(&json)) } else { String::new() };
        self.scratch = json;
        Ok(hash)
    }

    fn write_digest(&mut self, day: i64, account: usize, files: &[String], sink: Sink<'_>) -> io::Result<()> {
        let account = self.accounts.get(account).map_or("", String::as_str);
        let (start, end) = (time_text(day * DAY), time_text((day + 1) * DAY));
        let date = date_text(day);
        let region = self.options.regions.first().map_or("us-east-1", String::as_str);
        let key = format!(
            "AWSLogs/{account}/CloudTrail-Digest/{region}/{}/{account}_CloudTrail-Digest_{region}_main_{region}_{}T235900Z.json.gz",
            date.replace('-', "/"),
            date.replace('-', "")
        );
        let json = format!(
            r#"{{"awsAccountId":"{account}","digestStartTime":"{start}","digestEndTime":"{end}","digestS3Bucket":"acme-trail","digestS3Object":"{key}","digestPublicKeyFingerprint":"{}","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":"{end}","oldestEventTime":"{start}","previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[{}]}}"#,
            "0".repeat(32),
            files.join(",")
        );
        self.delivered.digest_objects += 1;
        sink(&key, &gzip(&[json.as_bytes()], self.options.gzip_level)?)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
