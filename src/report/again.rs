//! `rerender.json.zst`: what the outputs need beside `report.json`, so that they can be rendered again from an output alone.
//!
//! `report.json` is the answer for programs, and leaves out what only the other outputs show: policy documents, the lines
//! that a very large ledger sums, calls by day, the latest sessions. Those lie here, role by role in the order of the
//! report. External ids do not (S42): of trust policies that hold some, what lies here has fingerprints in their place.
//! What only the tables hold is left to them.

use std::borrow::Cow;
use std::io::{BufReader, BufWriter, Read};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zstd::stream::{read::Decoder, write::Encoder};

use crate::finding::assessment::{
    ActionDays, ActionEntry, Assessment, DayCalls, LatestSessions, PartyReport, PolicyReport, RoleReport,
    StatementChange,
};

use super::trust_files::documents;
use super::{OutputFile, RenderError};

/// The path of the file.
pub const PATH: &str = "rerender.json.zst";
/// Name and version of its form.
const SCHEMA: &str = "thirdtrail.rerender/1";
/// The most that it can be when unpacked: far more than the largest organization makes of it (S44).
const UNPACKED_BYTES: u64 = 1 << 30;
/// How hard to compress: beyond this it takes much longer and gains little.
const LEVEL: i32 = 3;

/// Why an assessment cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum NoAssessment {
    /// The report is none, or of another schema.
    #[error("`report.json`: {0}")]
    Report(serde_json::Error),
    /// What stands beside it is damaged, or of another schema.
    #[error("`{PATH}`: {0}")]
    Beside(String),
}

#[derive(Serialize, Deserialize)]
struct Beside<'a> {
    schema: Cow<'a, str>,
    roles: Vec<RoleBeside<'a>>,
    parties: Vec<PartyBeside<'a>>,
}

#[derive(Serialize, Deserialize)]
struct RoleBeside<'a> {
    actions_beyond: Cow<'a, [ActionEntry]>,
    policies: Vec<PolicyBeside<'a>>,
    boundary: Cow<'a, Option<Value>>,
    deny: Cow<'a, [Value]>,
    trust: Option<TrustBeside<'a>>,
    daily: Cow<'a, [ActionDays]>,
    latest: Cow<'a, LatestSessions>,
}

#[derive(Serialize, Deserialize)]
struct PolicyBeside<'a> {
    current: Cow<'a, Value>,
    rightsized: Cow<'a, [Value]>,
    statements: Cow<'a, [StatementChange]>,
}

#[derive(Serialize, Deserialize)]
struct TrustBeside<'a> {
    current: Cow<'a, Value>,
    narrowed: Cow<'a, Value>,
    ids_are_hidden: bool,
}

#[derive(Serialize, Deserialize)]
struct PartyBeside<'a> {
    days: Cow<'a, [DayCalls]>,
    latest: Cow<'a, LatestSessions>,
}

impl<'a> RoleBeside<'a> {
    fn of(role: &'a RoleReport) -> Self {
        let guardrail = &role.rightsizing.guardrail;
        let trust = role.trust_narrowing.as_deref().map(|report| {
            let shown = documents(report, false);
            TrustBeside { current: shown.current, narrowed: shown.narrowed, ids_are_hidden: shown.ids_are_hidden }
        });
        Self {
            actions_beyond: Cow::Borrowed(&role.actions_beyond),
            policies: role.policies.iter().map(PolicyBeside::of).collect(),
            boundary: Cow::Borrowed(&guardrail.boundary),
            deny: Cow::Borrowed(&guardrail.deny),
            trust,
            daily: Cow::Borrowed(&role.daily),
            latest: Cow::Borrowed(&role.latest),
        }
    }

    fn fill(self, role: &mut RoleReport) -> Option<()> {
        role.actions_beyond = self.actions_beyond.into_owned();
        for (policy, beside) in pairs(&mut role.policies, self.policies)? {
            beside.fill(policy);
        }
        let guardrail = &mut role.rightsizing.guardrail;
        (guardrail.boundary, guardrail.deny) = (self.boundary.into_owned(), self.deny.into_owned());
        if let Some(report) = role.trust_narrowing.as_deref_mut() {
            let trust = self.trust?;
            (report.current, report.narrowed) = (trust.current.into_owned(), trust.narrowed.into_owned());
            report.ids_are_hidden = trust.ids_are_hidden;
        }
        (role.daily, role.latest) = (self.daily.into_owned(), self.latest.into_owned());
        Some(())
    }
}

impl<'a> PolicyBeside<'a> {
    fn of(policy: &'a PolicyReport) -> Self {
        Self {
            current: Cow::Borrowed(&policy.current),
            rightsized: Cow::Borrowed(&policy.rightsized),
            statements: Cow::Borrowed(&policy.statements),
        }
    }

    fn fill(self, policy: &mut PolicyReport) {
        policy.current = self.current.into_owned();
        (policy.rightsized, policy.statements) = (self.rightsized.into_owned(), self.statements.into_owned());
    }
}

impl<'a> PartyBeside<'a> {
    fn of(party: &'a PartyReport) -> Self {
        Self { days: Cow::Borrowed(&party.days), latest: Cow::Borrowed(&party.latest) }
    }

    fn fill(self, party: &mut PartyReport) {
        (party.days, party.latest) = (self.days.into_owned(), self.latest.into_owned());
    }
}

/// Each with what stands beside it; nothing where their numbers differ.
fn pairs<T, B>(all: &mut [T], beside: Vec<B>) -> Option<impl Iterator<Item = (&mut T, B)>> {
    (all.len() == beside.len()).then(|| all.iter_mut().zip(beside))
}

/// Renders the file.
///
/// # Errors
/// [`RenderError::Json`].
pub fn render(assessment: &Assessment) -> Result<OutputFile, RenderError> {
    let beside = Beside {
        schema: Cow::Borrowed(SCHEMA),
        roles: assessment.roles.iter().map(RoleBeside::of).collect(),
        parties: assessment.parties.iter().map(PartyBeside::of).collect(),
    };
    // Straight into the compressor: the text would be many times larger than what is kept of it.
    let written = || -> Result<Vec<u8>, serde_json::Error> {
        let mut file = BufWriter::new(Encoder::new(Vec::new(), LEVEL).map_err(serde_json::Error::io)?);
        serde_json::to_writer(&mut file, &beside)?;
        let file = file.into_inner().map_err(|error| serde_json::Error::io(error.into_error()))?;
        file.finish().map_err(serde_json::Error::io)
    };
    let bytes = written().map_err(|source| RenderError::Json { path: PATH.to_owned(), source })?;
    Ok(OutputFile::new(PATH, bytes))
}

/// The assessment that `report.json` and the file beside it were rendered from, without what only the tables show.
///
/// # Errors
/// One of the two cannot be read, or they do not belong together.
pub fn read(report: &[u8], beside: &[u8]) -> Result<Assessment, NoAssessment> {
    let mut assessment: Assessment = serde_json::from_slice(report).map_err(NoAssessment::Report)?;
    let wrong = |reason: &dyn std::fmt::Display| NoAssessment::Beside(reason.to_string());
    let text = Decoder::new(beside).map_err(|error| wrong(&error))?.take(UNPACKED_BYTES);
    let beside: Beside<'_> = serde_json::from_reader(BufReader::new(text)).map_err(|error| wrong(&error))?;
    if beside.schema != SCHEMA {
        return Err(wrong(&format!("its schema is `{}`, not `{SCHEMA}`", beside.schema)));
    }
    fill(&mut assessment, beside).ok_or_else(|| wrong(&"it goes with another report"))?;
    Ok(assessment)
}

fn fill(assessment: &mut Assessment, beside: Beside<'_>) -> Option<()> {
    for (role, beside) in pairs(&mut assessment.roles, beside.roles)? {
        beside.fill(role)?;
    }
    for (party, beside) in pairs(&mut assessment.parties, beside.parties)? {
        beside.fill(party);
    }
    Some(())
}
