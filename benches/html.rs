//! The HTML report of a large organization: 2,000 roles, 500 parties, 200,000 lines of ledgers, 6,000 findings.
//!
//! `cargo bench --bench html [-- FOLDER]`: renders all pages with one hand and with two, and tells how long that took and how
//! large the pages are, and the same for what rendering again needs; with FOLDER it writes the pages there as well, and tells
//! how long the disk took. How long the index takes in a browser is measured afterwards by
//! `node tests/browser/load.mjs ~/.cache/thirdtrail-browser FOLDER/report`.
//! Nothing here asserts a time.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark: it prints its table and may break off"
)]

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use chrono::Days;
use thirdtrail::evidence::hands::{Hands, OneByOne};
use thirdtrail::finding::assessment::{ActionDays, Assessment, DayCalls, Finding, PartyReport, RoleReport};
use thirdtrail::report::{OutputFile, again, html, json, paths};

const ROLES: usize = 2_000;
const PARTIES: usize = 500;
const ACTIONS: usize = 100;
const CODES: [(&str, &str); 3] =
    [("dangerous-unused", "high"), ("permissions-unused", "medium"), ("trust-whole-account", "medium")];
const SERVICES: [&str; 10] = ["s3", "ec2", "sqs", "sns", "kms", "dynamodb", "lambda", "rds", "logs", "iam"];

/// Two threads, as the smallest machine has.
struct Two;

impl Hands for Two {
    fn each(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            scope.spawn(|| (0..count).step_by(2).for_each(piece));
            (1..count).step_by(2).for_each(piece);
        });
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let assessment = large();
    let folders = paths::role_folders(&assessment.roles);
    let lines: usize = assessment.roles.iter().map(|role| role.actions.len()).sum();
    println!(
        "{} roles, {} parties, {lines} ledger lines, {} findings",
        assessment.roles.len(),
        assessment.parties.len(),
        assessment.findings.len()
    );
    let mut files = Vec::new();
    for (what, hands) in [("one hand", &OneByOne as &dyn Hands), ("two hands", &Two)] {
        let started = Instant::now();
        files = html::render(hands, &assessment, &folders, &[], true)?;
        println!("rendered by {what} in {:.2} s", started.elapsed().as_secs_f64());
    }
    let size = |wanted: &str| {
        let sizes = files.iter().filter(|file| file.path.starts_with(wanted)).map(|file| file.bytes.len());
        let (most, all) = sizes.fold((0, 0), |(most, all), size| (most.max(size), all + size));
        format!("{:.2} MB at most, {:.0} MB in all", most as f64 / 1e6, all as f64 / 1e6)
    };
    for wanted in ["report/index.html", "report/roles", "report/parties"] {
        println!("{wanted}: {}", size(wanted));
    }
    rendered_again(&assessment)?;
    if let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        let started = Instant::now();
        write(Path::new(&folder), &files)?;
        println!("written in {:.2} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// What rendering again needs beside `report.json`: how large it is, and how long it takes to make and to read.
fn rendered_again(assessment: &Assessment) -> Result<(), Box<dyn Error>> {
    let report = json::render(assessment)?;
    let started = Instant::now();
    let beside = again::render(assessment)?;
    let (made, large) = (started.elapsed().as_secs_f64(), |file: &OutputFile| file.bytes.len() as f64 / 1e6);
    println!(
        "{}: {:.2} MB beside {:.0} MB of report.json, made in {made:.2} s",
        again::PATH,
        large(&beside),
        large(&report)
    );
    let started = Instant::now();
    let read = again::read(&report.bytes, &beside.bytes)?;
    println!("{} roles read back in {:.2} s", read.roles.len(), started.elapsed().as_secs_f64());
    Ok(())
}

fn write(folder: &Path, files: &[OutputFile]) -> std::io::Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, &file.bytes)?;
    }
    Ok(())
}

fn large() -> Assessment {
    let mut assessment = sample::assessment();
    let model = assessment.parties[0].clone();
    assessment.parties = (0..PARTIES).map(|at| party(&model, at)).collect();
    assessment.roles = (0..ROLES).map(|at| role(&assessment.parties[at % PARTIES], at)).collect();
    for (at, role) in assessment.roles.iter().enumerate() {
        assessment.parties[at % PARTIES].roles.push(role.arn.clone());
    }
    let model = assessment.findings[0].clone();
    let parties = &assessment.parties;
    let about = |(at, role): (usize, &RoleReport)| {
        let party = parties[at % PARTIES].name.clone();
        CODES.map(|(code, severity)| finding(&model, role, &party, code, severity))
    };
    assessment.findings = assessment.roles.iter().enumerate().flat_map(about).collect();
    assessment
}

fn party(model: &PartyReport, at: usize) -> PartyReport {
    let mut party = model.clone();
    party.id = format!("{:012}", 400_000_000_000_usize + at);
    party.name = format!("Vendor {at}");
    party.kind = if at.is_multiple_of(10) { "unknown_account" } else { "vendor" }.to_owned();
    party.roles.clear();
    party
}

fn role(party: &PartyReport, at: usize) -> RoleReport {
    let mut role = sample::role(&format!("vendor-role-{at:04}"), &format!("AROA{at:016}"), true);
    role.trust[0].party = Some(party.name.clone());
    role.sessions.by_party = [(party.id.clone(), 3)].into();
    let verdict = |number: usize| if number.is_multiple_of(4) { "used" } else { "unused" };
    role.actions = (0..ACTIONS)
        .map(|number| {
            let name = format!("{}:Action{number:03}", SERVICES[number % SERVICES.len()]);
            sample::entry(&name, verdict(number), if number.is_multiple_of(4) { 40 } else { 0 }, 0)
        })
        .collect();
    role.actions_beyond.clear();
    let used = role.actions.iter().filter(|entry| entry.calls > 0);
    role.daily = used.map(|entry| days(entry.action.as_str())).collect();
    role
}

/// Calls on every day of the window.
fn days(action: &str) -> ActionDays {
    let first = sample::at("2026-05-01").date_naive();
    let day = |at: u64| DayCalls { day: first + Days::new(at), calls: 1 + at % 9, denied: 0 };
    ActionDays { action: action.to_owned(), days: (0..92).map(day).collect() }
}

fn finding(model: &Finding, role: &RoleReport, party: &str, code: &str, severity: &str) -> Finding {
    Finding {
        id: format!("{code}-{}", role.name),
        code: code.to_owned(),
        severity: severity.to_owned(),
        subject: role.arn.clone(),
        party: Some(party.to_owned()),
        title: format!("role {} trusts every principal of another account", role.name),
        ..model.clone()
    }
}
