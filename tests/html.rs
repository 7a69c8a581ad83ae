//! The HTML report as text: links, names, strangers' texts, secrets and sizes; what its pages say of a bundled trail.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod bundled;
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use thirdtrail::evidence::hands::OneByOne;
use thirdtrail::finding::assessment::{Assessment, SuppressedBy};
use thirdtrail::report::formats::{Format, Formats};
use thirdtrail::report::{OutputFile, render, render_by};
use thirdtrail::run::analyze::analyze;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

type Files = BTreeMap<String, String>;

fn texts(files: Vec<OutputFile>) -> Files {
    let text = |file: OutputFile| (file.path, String::from_utf8_lossy(&file.bytes).into_owned());
    files.into_iter().map(text).collect()
}

fn rendered(mut assessment: Assessment) -> Files {
    texts(render(&mut assessment).unwrap())
}

/// The bundled trails, each analyzed once.
fn of_trail(trail: &str) -> &'static (Assessment, Files) {
    static VENDORS: LazyLock<(Assessment, Files)> = LazyLock::new(|| analyzed("vendors"));
    static DAMAGED: LazyLock<(Assessment, Files)> = LazyLock::new(|| analyzed("damaged"));
    static HOLES: LazyLock<(Assessment, Files)> = LazyLock::new(|| analyzed("holes"));
    match trail {
        "vendors" => &VENDORS,
        "damaged" => &DAMAGED,
        _ => &HOLES,
    }
}

fn analyzed(trail: &str) -> (Assessment, Files) {
    let store = LocalStore::open(&bundled::folder(trail)).unwrap();
    let outcome = analyze(&store, &bundled::options(trail, 2), &Silent).unwrap();
    (outcome.assessment, texts(outcome.files))
}

fn pages(files: &Files) -> impl Iterator<Item = (&String, &String)> {
    files.iter().filter(|(path, _)| path.ends_with(".html"))
}

fn all(pattern: &str, text: &str) -> Vec<String> {
    let regex = Regex::new(pattern).unwrap();
    regex.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// The page without its style and script.
fn content(page: &str) -> String {
    Regex::new(r"(?s)<style>.*?</style>|<script>.*?</script>").unwrap().replace_all(page, "").into_owned()
}

/// Where a reference leads, from the folder of the page.
fn resolve(page: &str, reference: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in reference.split('/') {
        match part {
            ".." => assert!(parts.pop().is_some(), "{page}: {reference} leaves the folder"),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Every reference of every page leads to a file of the output or to a place on a page, and no id stands twice.
fn check_links(files: &Files) {
    let ids: BTreeMap<&str, Vec<String>> =
        pages(files).map(|(path, text)| (path.as_str(), all(r#"\sid="([^"]*)""#, &content(text)))).collect();
    for (path, ids) in &ids {
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: an id stands twice: {ids:?}");
    }
    let mut checked = 0;
    for (path, text) in pages(files) {
        for reference in all(r#"\shref="([^"]*)""#, &content(text)) {
            if reference == "data:," {
                continue;
            }
            let (file, anchor) = reference.split_once('#').unwrap_or((&reference, ""));
            let target = if file.is_empty() { path.clone() } else { resolve(path, file) };
            assert!(files.contains_key(&target), "{path}: nothing at {reference}");
            assert!(
                anchor.is_empty() || ids[target.as_str()].iter().any(|id| id == anchor),
                "{path}: no place {reference}"
            );
            checked += 1;
        }
        assert!(!content(text).contains(" src="), "{path} loads something");
    }
    assert!(checked > 50, "only {checked} references");
}

/// What a page says, without its markup: one line for each block.
fn words(page: &str) -> String {
    let page = Regex::new(r"(?s)<head>.*?</head>|<script>.*?</script>|<select.*?</select>|<svg.*?</svg>")
        .unwrap()
        .replace_all(page, "");
    let page =
        Regex::new(r"</?(tr|p|li|h1|h2|h3|h4|div|section|ul|dl|dd|details|summary|table|article|nav|form|pre)\b[^>]*>")
            .unwrap()
            .replace_all(&page, "\n");
    let page = Regex::new(r"<(td|th|dt)\b[^>]*>").unwrap().replace_all(&page, " | ");
    let page = Regex::new(r"<br>").unwrap().replace_all(&page, "; ");
    let page = Regex::new(r"</span>").unwrap().replace_all(&page, " ");
    let page = Regex::new(r"<[^>]*>").unwrap().replace_all(&page, "");
    let lines = page.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut text: String = lines.filter(|line| !line.is_empty() && line != "|").map(|line| line + "\n").collect();
    for (entity, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        text = text.replace(entity, sign);
    }
    text
}

/// S43: links lead to files that are there, within the output folder, for hostile names too; nothing is loaded.
#[test]
fn every_link_leads_somewhere() {
    check_links(&rendered(sample::assessment()));
    check_links(&of_trail("vendors").1);
    check_links(&of_trail("damaged").1);
    let pages_alone = Formats::named([Format::Html]);
    check_links(&texts(render_by(&OneByOne, &mut sample::assessment(), &pages_alone).unwrap()));
}

/// S43: no text of a stranger is markup, hides anything or turns what follows it.
#[test]
fn strangers_texts_are_shown_not_obeyed() {
    let files = rendered(sample::assessment());
    let mut seen = 0;
    let handler = Regex::new(r"<[^>]*\son\w+=").unwrap();
    for (path, text) in pages(&files) {
        assert_eq!(text.matches("<script").count(), 1, "{path}");
        assert_eq!(text.matches("Content-Security-Policy").count(), 1, "{path}");
        let hides = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(hides), "{path}");
        assert!(!text.contains(" style=") && !handler.is_match(&content(text)), "{path}");
        seen += text.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count();
    }
    assert!(seen > 20, "hostile texts are shown {seen} times only");
    let names: BTreeSet<String> = pages(&files).map(|(path, _)| path.to_ascii_lowercase()).collect();
    // The index, a party, and two accounts: that of the roles, and that of a finding about no account.
    assert_eq!(names.len(), 3 + sample::assessment().roles.len(), "{names:?}");
}

/// S42: external ids are on no page, whatever the other files may show; fingerprints are.
#[test]
fn external_ids_are_on_no_page() {
    let mut assessment = sample::assessment();
    assessment.asked.show_external_ids = true;
    let files = rendered(assessment);
    for (path, text) in pages(&files) {
        for secret in ["23bc5533-157c-41bf-a01a-4ecb491471f6", "8f14e45f-ceea-467f-9b1d-2f2f9a1d3c55"] {
            assert!(!text.contains(secret), "{path}");
        }
    }
    assert!(files["report/roles/012345678901-Trial.html"].contains("00112233445566aa, 36 characters"));
}

#[test]
fn every_finding_is_on_the_index_and_told_in_full_once() {
    let sample = (sample::assessment(), rendered(sample::assessment()));
    for (assessment, files) in [&sample, of_trail("vendors"), of_trail("holes")] {
        let index = &files["report/index.html"];
        let mut listed = all(r#"<tr data-code="([^"]*)""#, index);
        let mut codes: Vec<String> = assessment.findings.iter().map(|finding| finding.code.clone()).collect();
        codes.sort();
        listed.sort();
        assert_eq!(codes, listed);
        let told: usize = pages(files).map(|(_, text)| text.matches("<details class=\"finding").count()).sum();
        assert_eq!(told, assessment.findings.len());
    }
}

/// S39: what somebody answers for, and until when, is told apart on every page, and so is what the baseline had.
#[test]
fn what_is_suppressed_or_known_is_told_apart() {
    let mut assessment = sample::assessment();
    let (role, party, account) =
        (assessment.roles[3].arn.clone(), assessment.parties[0].id.clone(), assessment.findings[0].clone());
    assessment.parties[0].roles = vec![role.clone()];
    assessment.findings.clear();
    for (subject, of) in [(&role, "role"), (&party, "party"), (&account.subject, "account")] {
        for state in ["open", "known", "suppressed"] {
            let mut one = account.clone();
            (one.id, one.code, one.subject) = (format!("{of}-{state}"), format!("code-{state}"), subject.clone());
            one.known = Some(state != "open");
            one.suppressed = (state == "suppressed").then(|| SuppressedBy {
                by: "thirdtrail.toml:7".to_owned(),
                owner: "Jo Doe".to_owned(),
                reason: "accepted".to_owned(),
                expires: Some("2026-12-31".to_owned()),
            });
            assessment.findings.push(one);
        }
    }
    let files = rendered(assessment);
    for (page, tally) in [
        (
            "report/roles/012345678901-Trial.html",
            "2 open</a>, the gravest <span class=\"tag low\">low</span>, 1 in the baseline already, 1 suppressed",
        ),
        (
            "report/parties/464622532012.html",
            "4 open</a>, the gravest <span class=\"tag low\">low</span>, 2 in the baseline already, 2 suppressed",
        ),
        (
            "report/accounts/012345678901.html",
            "2 open</a>, the gravest <span class=\"tag low\">low</span>, 1 in the baseline already, 1 suppressed<br>\
             <a href=\"#roles\">2 more about its roles</a>, the gravest <span class=\"tag low\">low</span>, 1 in the baseline",
        ),
    ] {
        let text = &files[page];
        assert!(text.contains(tally), "{page}: no {tally}");
        assert!(text.contains("Suppressed until 2026-12-31 by Jo Doe: accepted (thirdtrail.toml:7)"), "{page}");
        assert_eq!(text.matches("edge-plain\" id=\"f-").count(), 1, "{page}: one finding is grey");
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{page}: no {words}"));
        assert!(at("-open\"") < at("-suppressed\""), "{page}: what is open comes first");
        assert!(at("<span class=\"tag plain\">known</span>") > 0);
    }
    let index = &files["report/index.html"];
    assert!(index.contains("; 3 suppressed; 3 in the baseline already."), "the index");
    assert_eq!(index.matches("<span class=\"tag plain\">suppressed</span>").count(), 3);
    let text = &files["report.md"];
    assert!(text.contains("| Jo Doe | accepted | 2026-12-31 |") && text.contains("| low, known |"), "report.md");
}

/// S6, S26: what is missing is said before anything else, and a whole trail is not called broken.
#[test]
fn incomplete_coverage_is_said_first() {
    let first = |files: &Files| {
        let index = &files["report/index.html"];
        index[index.find("class=\"banner").unwrap()..index.find("id=\"findings\"").unwrap()].to_owned()
    };
    let banner = first(&of_trail("damaged").1);
    assert!(banner.contains("banner high") && banner.contains("Coverage is incomplete"), "{banner}");
    let banner = first(&of_trail("holes").1);
    assert!(banner.contains("banner medium") && banner.contains("the trail has holes"), "{banner}");
    let mut whole = sample::assessment();
    whole.coverage.complete = true;
    whole.coverage.objects.failed.clear();
    whole.coverage.records.bad = 0;
    (whole.coverage.failed_inputs, whole.coverage.unmapped) = (Vec::new(), Vec::new());
    whole.coverage.integrity = None;
    whole.coverage.accounts.iter_mut().for_each(|account| account.holes.clear());
    let banner = first(&rendered(whole));
    assert!(banner.contains("banner good") && banner.contains("Coverage is complete"), "{banner}");
}

/// S26: where no role is known, none is said to be missing from an inventory.
#[test]
fn only_roles_that_are_there_are_missing_from_the_inventory() {
    let says = |assessment: Assessment| rendered(assessment)["report/index.html"].contains("is in an inventory");
    let mut assessment = sample::assessment();
    assert!(!says(assessment.clone()));
    assessment.roles.iter_mut().for_each(|role| role.in_inventory = false);
    assert!(says(assessment.clone()));
    assessment.roles.clear();
    assert!(!says(assessment));
}

/// Advice that names documents of a role says how they are written where they are not.
#[test]
fn documents_that_are_not_written_are_not_promised() {
    let note = |text: &str| text.contains("--format policies</code> writes these files");
    let (assessment, whole) = of_trail("vendors");
    let page = "report/roles/012345678901-GitHubDeploy.html";
    assert!(whole[page].contains("<code>*.rightsized.json</code>") && !pages(whole).any(|(_, text)| note(text)));
    let alone = texts(render_by(&OneByOne, &mut assessment.clone(), &Formats::named([Format::Html])).unwrap());
    assert!(note(&alone[page]));
}

/// S44: a list that ends before its end says so.
#[test]
fn a_list_that_is_cut_says_how_much_is_left() {
    let mut assessment = sample::assessment();
    let role = assessment.roles.last_mut().unwrap();
    role.actions = (0..67).map(|at| sample::entry(&format!("service{at}:Get"), "unused", 0, 0)).collect();
    role.actions_beyond.clear();
    let sent = role.external_ids[0].ids[0].clone();
    role.external_ids[0].ids = vec![sent; 9];
    let party = &mut assessment.parties[0];
    party.charged = vec![party.charged[0].clone(); 63];
    let files = rendered(assessment);
    let (role, party) = (&files["report/roles/012345678901-Trial.html"], &files["report/parties/464622532012.html"]);
    let more = |amount: u64| format!("{amount} more in <a href=\"../../report.json\">");
    for (page, amount) in [(role, 7), (role, 5), (party, 3)] {
        assert!(page.contains(&more(amount)), "{amount}");
    }
}

/// A finding that is told in full has its whole title, and says where the rest of what was cut is.
#[test]
fn a_finding_told_in_full_is_whole_or_says_that_it_is_not() {
    const NOTE: &str = "the rest is in <a href=\"../../report.json\">";
    let told = |change: fn(&mut thirdtrail::finding::assessment::Finding)| {
        let mut assessment = sample::assessment();
        assessment.findings.truncate(1);
        let finding = &mut assessment.findings[0];
        finding.subject = assessment.roles.last().unwrap().arn.clone();
        change(finding);
        rendered(assessment)["report/roles/012345678901-Trial.html"].clone()
    };
    let page = told(|finding| finding.title = "t".repeat(599));
    assert!(page.contains(&format!("{}</h3>", "t".repeat(598))) && !page.contains(NOTE));
    assert!(told(|finding| finding.title = "t".repeat(601)).contains(NOTE));
    assert!(told(|finding| finding.detail = "d".repeat(1_801)).contains(NOTE));
    assert!(told(|finding| finding.remediation = "r".repeat(1_801)).contains(NOTE));
    assert!(told(|finding| finding.evidence = "e".repeat(400).into()).contains(NOTE));
    assert!(told(|finding| finding.evidence = vec!["e"; 41].into()).contains(NOTE));
}

/// What the findings can be filtered by is theirs: accounts without a role, and severities that only suppressed ones have.
#[test]
fn findings_are_filtered_by_what_is_theirs() {
    let mut assessment = sample::assessment();
    let mark = SuppressedBy { by: "f:1".into(), owner: "o".into(), reason: "r".into(), expires: None };
    let one = &mut assessment.findings[0];
    (one.severity, one.suppressed) = ("info".to_owned(), Some(mark));
    one.account_id = thirdtrail::aws::AccountId::parse("999988887777");
    let files = rendered(assessment);
    let index = &files["report/index.html"];
    let form = |of: &str| {
        let from = index.find(&format!("data-for=\"{of}\"")).unwrap();
        index[from..].split("</form>").next().unwrap().to_owned()
    };
    for choice in ["<option>info</option>", "<option>999988887777</option>"] {
        assert!(form("t-findings").contains(choice), "{choice}");
        assert!(!form("t-roles").contains(choice), "{choice}");
    }
}

/// S44: a page of a role with an enormous ledger and endless names stays one that a browser likes, and says what it left out.
#[test]
fn an_enormous_role_has_a_page_of_bearable_size() {
    let mut assessment = sample::assessment();
    let role = assessment.roles.last_mut().unwrap();
    let long = "<&".repeat(50_000);
    role.actions = (0..5_000).map(|at| sample::entry(&format!("s3:Action{at}"), "unused", 0, 0)).collect();
    for (at, action) in role.actions.iter_mut().enumerate() {
        if at % 97 == 0 {
            (action.reason, action.resources) = (long.clone(), vec![long.clone(); 2]);
        }
    }
    role.policies.iter_mut().for_each(|policy| policy.name = long.clone());
    role.daily = role
        .actions
        .iter()
        .take(900)
        .map(|entry| {
            let mut days = assessment.parties[0].days.clone();
            days.truncate(1);
            thirdtrail::finding::assessment::ActionDays { action: entry.action.as_str().to_owned(), days }
        })
        .collect();
    let files = rendered(assessment);
    let page = &files["report/roles/012345678901-Trial.html"];
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.contains("the least telling ones: every line stands in the table parquet/permissions"));
    assert!(!files["report/index.html"].contains(&long[..2_000]));
}

/// Only our own style, script, policy and charts pass a template unescaped.
#[test]
fn nothing_else_is_called_safe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/html/templates");
    let mut safe = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        safe.extend(all(r"\{\{\s*([^}]*?)\s*\|\s*safe\s*\}\}", &text));
        assert!(!text.contains("{% autoescape") && !text.contains("escape("));
    }
    safe.sort();
    assert_eq!(safe, ["drawn.svg", "shell.policy", "shell.script", "shell.style"]);
}

/// What pages of a bundled trail say, word by word. `THIRDTRAIL_WRITE=1` writes it anew.
#[test]
fn pages_of_a_bundled_trail_read_as_they_did() {
    let (_, files) = &of_trail("vendors");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/html");
    for (page, golden) in [
        ("report/index.html", "index.txt"),
        ("report/roles/012345678901-GitHubDeploy.html", "role.txt"),
        ("report/parties/464622532012.html", "party.txt"),
    ] {
        let (said, path) = (words(&files[page]), folder.join(golden));
        if std::env::var_os("THIRDTRAIL_WRITE").is_some() {
            std::fs::write(&path, &said).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = said.lines().zip(known.lines()).find(|(now, then)| now != then);
        assert!(said == known, "{page} says something else, run with THIRDTRAIL_WRITE=1 and look: {differs:?}");
    }
}
