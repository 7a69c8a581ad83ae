//! The HTML report in a browser, from `file://`: everything on its pages works, nothing is asked of the network, and no
//! stranger's script runs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod beside;
mod browser;
mod bundled;
mod sample;

use std::path::Path;

use thirdtrail::finding::assessment::Assessment;
use thirdtrail::finding::suppress::SuppressionOutcome;
use thirdtrail::report::pack::{self, Input, Origin};
use thirdtrail::report::{OutputFile, render};
use thirdtrail::run::analyze::analyze;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

fn write(folder: &Path, files: &[OutputFile]) {
    for file in files.iter().filter(|file| !file.path.starts_with("parquet/")) {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.bytes).unwrap();
    }
}

/// Every text that can be a stranger's is one that would run, or would leave its attribute.
fn hostile() -> Assessment {
    let mut assessment = sample::assessment();
    let texts = [
        "\"><img src=x onerror=alert(1)>",
        "'-alert(1)-'",
        "</script><script>alert(2)</script>",
        "javascript:alert(3)",
    ];
    let mut texts = texts.iter().cycle();
    let mut next = |slot: &mut String| *slot = format!("{}{slot}", texts.next().unwrap());
    for finding in &mut assessment.findings {
        [&mut finding.title, &mut finding.detail, &mut finding.remediation].into_iter().for_each(&mut next);
        finding.evidence = serde_json::json!({"</pre><img src=x onerror=alert(4)>": sample::HOSTILE});
    }
    assessment.findings[1].subject = assessment.roles[3].arn.clone();
    for role in &mut assessment.roles {
        next(&mut role.name);
        role.trust.iter_mut().for_each(|entry| next(&mut entry.principal));
        role.policies.iter_mut().for_each(|policy| next(&mut policy.name));
        for action in &mut role.actions {
            next(&mut action.reason);
            action.resources.iter_mut().for_each(&mut next);
            action.sample_event_ids.iter_mut().for_each(&mut next);
        }
    }
    for party in &mut assessment.parties {
        next(&mut party.name);
        party.agents.iter_mut().chain(&mut party.networks).chain(&mut party.channels).for_each(&mut next);
    }
    assessment
}

/// The page of an evidence pack, of which every text is that one.
fn sign_off(text: &str) -> OutputFile {
    let text = format!("{text} \"><img src=x onerror=alert(5)></script><script>alert(6)</script>");
    let options = serde_json::json!({"config": text, "regions": [text], "verify_digests": true});
    let origin = Origin {
        source: &text,
        options: options.as_object(),
        inputs: vec![Input::new(&text, 7, &text)],
        objects: Some(Input::new("inputs/objects.csv", 7, &text)),
        keep: &[],
        suppressions: &[SuppressionOutcome {
            file: text.clone(),
            line: 1,
            code: text.clone(),
            owner: text.clone(),
            state: "expired".to_owned(),
            expires: Some(text.clone()),
            findings: 0,
        }],
        left_out: 3,
    };
    pack::sign_off(&sample::assessment(), &origin, &text, &|_| true).unwrap()
}

/// S43: pages of a bundled trail work, and so do pages that are full of hostile names; one browser at a time.
#[test]
fn pages_work_in_a_browser() {
    let store = LocalStore::open(&bundled::folder("vendors")).unwrap();
    let outcome = analyze(&store, &bundled::options("vendors", 2), &Silent).unwrap();
    let hostile = render(&mut hostile()).unwrap();
    let role_of_hostile =
        hostile.iter().find(|file| file.path.starts_with("report/roles/") && file.path.contains("Trial")).unwrap();
    let role_of_hostile = role_of_hostile.path.rsplit('/').next().unwrap().to_owned();
    for (what, files, role, thorough) in [
        ("a bundled trail", &outcome.files, "012345678901-GitHubDeploy.html", true),
        ("hostile names", &hostile, role_of_hostile.as_str(), false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), files);
        write(folder.path(), &[sign_off(what)]);
        match browser::problems(&folder.path().join("report"), role, "464622532012.html", thorough) {
            Ok(problems) => assert!(problems.is_empty(), "{what}:\n{}", problems.join("\n")),
            Err(absent) => beside::say(&format!("NOT RUN: HTML report in a browser absent: {absent}")),
        }
    }
}
