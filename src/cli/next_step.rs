//! What to do next, after a run: first what makes the answer whole, then where taking back pays most.
//!
//! Nothing is named that was not written.

use crate::finding::assessment::{ActionEntry, Assessment, Finding, RoleReport};
use crate::finding::compare::rank;
use crate::run::analyze::{Format, Formats};
use crate::run::output::Target;

use super::summary::{counted, open};

/// One or two sentences, the first one first.
pub(super) fn next_steps(assessment: &Assessment, out: &Target, formats: &Formats) -> Vec<String> {
    let whole = make_whole(assessment);
    let scripts = formats.has(Format::Policies);
    let act = scripts
        .then(|| first_proposal(assessment, out))
        .flatten()
        .or_else(|| first_finding(assessment))
        .or_else(|| whole.is_none().then(|| keep_watch(out)));
    whole.into_iter().chain(act).collect()
}

/// What is missing, and how to give it.
fn make_whole(assessment: &Assessment) -> Option<String> {
    let coverage = &assessment.coverage;
    if !coverage.failed_inputs.is_empty() {
        return Some("allow the calls named above, and run this again".to_owned());
    }
    if !coverage.objects.failed.is_empty() || coverage.records.bad > 0 {
        let what = "copy the objects named above from the bucket once more, or allow `s3:GetObject` on them, and run \
                    this again; until then their days count as holes";
        return Some(what.to_owned());
    }
    if !coverage.complete {
        return Some("look into the objects and digests named above: the trail is not known to be whole".to_owned());
    }
    if !assessment.roles.is_empty() && !assessment.roles.iter().any(|role| role.in_inventory) {
        let what = "none of these roles is in an inventory, so what they grant and whom they trust could not be judged: \
                    give the output of `aws iam get-account-authorization-details` with --inventory";
        return Some(what.to_owned());
    }
    let holey = coverage.accounts.iter().filter(|account| account.hole_share > assessment.asked.max_holes).count();
    (holey > 0).then(|| {
        let accounts = counted(holey as u64, "account");
        format!("get the missing days of {accounts}, or choose a window without them (--since, --until): nothing is called unused there")
    })
}

/// Unused and dangerous, and gone with the proposal.
fn dangerous(role: &RoleReport) -> usize {
    let goes = |entry: &&ActionEntry| entry.danger.is_some() && entry.verdict == "unused" && !entry.kept;
    role.actions.iter().filter(goes).count()
}

/// The dry run of the proposal that takes the most dangerous permissions, where there is one.
fn first_proposal(assessment: &Assessment, out: &Target) -> Option<String> {
    let roles = assessment.roles.iter().filter(|role| role.rightsizing.status == "proposed");
    let written = roles.filter_map(|role| Some((role, role.rightsizing.remediation.apply.as_deref()?)));
    let by_weight = |(role, _): &(&RoleReport, &str)| {
        (dangerous(role), role.rightsizing.removed, std::cmp::Reverse(role.arn.clone()))
    };
    let (role, script) = written.max_by_key(by_weight)?;
    let what = match dangerous(role) {
        0 => counted(role.rightsizing.removed, "unused permission"),
        some => format!(
            "{} among {}",
            counted(some as u64, "dangerous permission"),
            counted(role.rightsizing.removed, "unused one")
        ),
    };
    let place = out.place_of(script);
    Some(match out {
        Target::Folder(..) => format!(
            "begin with role {} ({what}): `sh {}` shows what would go and changes nothing",
            role.name,
            quoted(&place)
        ),
        Target::Bucket(..) => {
            format!(
                "begin with role {} ({what}): fetch {place} and run it; it shows what would go and changes nothing",
                role.name
            )
        }
    })
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@,".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// What to do about the gravest finding.
fn first_finding(assessment: &Assessment) -> Option<String> {
    let grave = open(assessment).filter(|finding| rank(&finding.severity) < 3);
    let first: &Finding = grave.min_by_key(|finding| rank(&finding.severity))?;
    Some(format!("begin here: {}. {}", first.title, first.remediation))
}

/// Nothing presses.
fn keep_watch(out: &Target) -> String {
    let report = out.place_of("report.json");
    format!("nothing presses; --baseline {} shows next time what is new", quoted(&report))
}
