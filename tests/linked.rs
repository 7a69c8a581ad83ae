//! Whatever an output names of the output folder is there, whichever outputs were asked for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop here")]

mod bundled;
mod sample;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::bytes::Regex;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::finding::assessment::Assessment;
use thirdtrail::report::formats::{Format, Formats};
use thirdtrail::report::{OutputFile, render_by};
use thirdtrail::run::analyze::analyze;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

/// Each alone, some together, and all.
fn sets() -> Vec<Formats> {
    let alone = [Format::Csv, Format::Json, Format::Ocsf, Format::Parquet, Format::Policies, Format::Sarif];
    let mut sets: Vec<Formats> = alone.iter().map(|one| Formats::named([*one])).collect();
    sets.push(Formats::named([Format::Markdown]));
    sets.push(Formats::named([Format::Html]));
    sets.push(Formats::named([Format::Html, Format::Policies]));
    sets.push(Formats::named([Format::Html, Format::Sarif, Format::Parquet]));
    sets.push(Formats::named([Format::Markdown, Format::Sarif, Format::Parquet]));
    sets.push(Formats::named([Format::Markdown, Format::Policies, Format::Csv, Format::Ocsf]));
    sets.push(Formats::default());
    sets
}

/// What of a text has the form of a path of the output folder: of a file, or of a folder of files.
fn named(text: &str) -> BTreeSet<String> {
    static PATH: LazyLock<Regex> = LazyLock::new(|| {
        let form = r#"(?x-u) (?:^|[^\w/.:-]) ((?:\.\./)*
            (?: (?:report|roles|parquet)/[\w+=,@./\#-]+ | report\.(?:md|json) | findings\.(?:csv|sarif|ocsf\.jsonl) ))"#;
        Regex::new(form).unwrap()
    });
    let plain = |path: &[u8]| {
        let path = std::str::from_utf8(path).unwrap().trim_end_matches(['.', ',', '/']);
        path.split('#').next().unwrap_or_default().to_owned()
    };
    // Style and script come before and after what a page says.
    let from = text.find("<main").unwrap_or(0);
    let text = text[from..].split("<script>").next().unwrap_or_default();
    PATH.captures_iter(text.as_bytes()).map(|found| plain(&found[1])).collect()
}

/// Documents of roles as advice calls them, without their place.
const BARE: [&str; 3] = ["*.rightsized.json", "boundary.json", "deny.json"];
/// What is said where they are not written.
const UNWRITTEN: [&str; 2] =
    ["<code>--format policies</code> writes these files", "`--format policies` writes these files"];

/// How many paths were looked at.
fn check(what: &str, files: &[OutputFile]) -> usize {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let is_there = |path: &str| {
        let folder = format!("{path}/");
        paths.contains(path) || paths.range(folder.as_str()..).next().is_some_and(|next| next.starts_with(&folder))
    };
    let mut looked = 0;
    for file in files.iter().filter(|file| !file.path.ends_with(".parquet")) {
        let Ok(text) = String::from_utf8(file.bytes.clone()) else { continue };
        let is_page = file.path.ends_with(".html") || file.path.ends_with(".md");
        for name in BARE.into_iter().filter(|_| is_page) {
            let is_named = text.contains(&format!("`{name}`")) || text.contains(&format!("<code>{name}</code>"));
            if is_named {
                let exists = paths.iter().any(|path| path.ends_with(name.trim_start_matches('*')));
                let is_said = UNWRITTEN.iter().any(|words| text.contains(words));
                assert!(exists != is_said, "{what}: {} names {name}", file.path);
            }
        }
        for path in named(&text) {
            // Texts count from the output folder, the references of pages from their own; tests/html.rs follows those.
            let within = path.trim_start_matches("../");
            let exists = is_there(within) || (file.path.ends_with(".html") && is_there(&format!("report/{within}")));
            assert!(exists, "{what}: {} names {path}, which is not there", file.path);
            looked += 1;
        }
    }
    looked
}

fn words(formats: &Formats) -> String {
    let words = Format::ALL.iter().filter(|one| formats.has(**one)).map(|one| one.word());
    words.collect::<Vec<_>>().join(",")
}

/// The sample with more roles and lines than one page tells of.
fn long() -> Assessment {
    let mut assessment = sample::assessment();
    let role = assessment.roles.last_mut().unwrap();
    role.actions = (0..1_000).map(|at| sample::entry(&format!("s3:Action{at}"), "unused", 0, 0)).collect();
    let model = assessment.sessions.concat().remove(0);
    assessment.sessions.push(vec![model; 100]);
    let more = (0..200).map(|at| sample::role(&format!("R{at}"), &format!("AROA{at}"), true));
    assessment.roles.extend(more);
    assessment
}

#[test]
fn nothing_is_named_that_is_not_written() {
    let store = LocalStore::open(&bundled::folder("vendors")).unwrap();
    let mut options = bundled::options("vendors", 2);
    options.formats = Formats::named([Format::Json]);
    let analyzed = analyze(&store, &options, &Silent).unwrap().assessment;
    for (what, assessment, most) in [("the sample", &long(), 6), ("a bundled trail", &analyzed, 20)] {
        for formats in sets().into_iter().rev().take(most) {
            let files = render_by(&OneByOne, &mut assessment.clone(), &formats).unwrap();
            if what == "a bundled trail" && formats == Formats::named([Format::Html]) {
                let is_said = |file: &OutputFile| String::from_utf8_lossy(&file.bytes).contains(UNWRITTEN[0]);
                assert!(files.iter().any(is_said), "no page says how the documents are written");
            }
            let looked = check(&format!("{what} as {}", words(&formats)), &files);
            if formats == Formats::default() {
                assert!(looked > 100, "only {looked} paths of {what}");
            }
        }
    }
}

/// The test itself sees a path wherever one can stand.
#[test]
fn a_path_that_leads_nowhere_is_seen() {
    let page = "see <a href=\"../../report.md\">x</a>, `roles/1/R/apply.sh`: \"parquet/sessions\". report.json";
    let found: Vec<String> = named(page).into_iter().collect();
    assert_eq!(found, ["../../report.md", "parquet/sessions", "report.json", "roles/1/R/apply.sh"]);
}
