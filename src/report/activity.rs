//! The files of the table `activity`: one for each account and day, row by row, because all may not fit memory.

use std::io::Write;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::aws::AccountId;
use crate::evidence::call::NO_ID;
use crate::evidence::tables::columnar::{ColumnarError, Layout, RowWriter};
use crate::finding::call_log::{CallRow, Caller};

use super::escape::visible_text;
use super::tables::{ACTIVITY, SCHEMA};

/// Where the calls of a day lie in the output folder.
#[must_use]
pub fn path(account: AccountId, day: NaiveDate) -> String {
    format!("parquet/{}/account_id={account}/{day}.parquet", ACTIVITY.name)
}

/// The day of a file, by its name.
#[must_use]
pub fn day_of(path: &str) -> Option<NaiveDate> {
    path.rsplit('/').next()?.strip_suffix(".parquet")?.parse().ok()
}

/// The names of all columns.
#[must_use]
pub fn columns() -> Vec<&'static str> {
    ACTIVITY.columns.iter().map(|column| column.name).collect()
}

/// A row that is read back. Its fields are the columns, each with the meaning in [`ACTIVITY`].
#[allow(missing_docs, reason = "the columns of the table tell their meaning")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityRow {
    pub time: String,
    pub event_id: String,
    /// The account whose trail holds the call; in a file's path and not in the file.
    #[serde(default)]
    pub account_id: String,
    pub region: String,
    pub party_id: String,
    pub party_kind: String,
    pub party_name: String,
    pub channel: String,
    pub role_arn: String,
    pub role_id: String,
    pub session_id: String,
    pub session_name: String,
    pub event_source: String,
    pub event_name: String,
    pub invoked_by: Option<String>,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    pub source_ip: String,
    pub user_agent: String,
    pub outcome: String,
    pub error_code: Option<String>,
    pub read_only: Option<bool>,
    pub hand_off: bool,
}

/// The columns that people see first, in [`cells`].
pub const HEADS: [&str; 7] = ["time", "party", "role", "call", "outcome", "from", "resources"];
/// How wide each of them is made; what is longer is not cut here.
pub const WIDTHS: [usize; 7] = [20, 18, 26, 34, 8, 15, 0];

/// What people see of a call first.
#[must_use]
pub fn cells(row: &ActivityRow) -> [String; 7] {
    let role = row.role_arn.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("-");
    let service = row.event_source.trim_end_matches(".amazonaws.com");
    let outcome = row.error_code.as_deref().filter(|_| row.outcome == "failed").unwrap_or(&row.outcome);
    let resources = row.resources.join(" ");
    let texts = [
        &row.time,
        &row.party_name,
        role,
        &format!("{service}:{}", row.event_name),
        outcome,
        &row.source_ip,
        &resources,
    ];
    texts.map(visible_text)
}

/// The heads of [`csv_cells`].
#[must_use]
pub fn csv_heads() -> Vec<&'static str> {
    let mut heads = columns();
    heads.insert(ACCOUNT_AT, "account_id");
    heads
}

/// Where in a line for spreadsheets the account stands: after time and event.
const ACCOUNT_AT: usize = 2;

/// All of a call, for a spreadsheet; lists with spaces between.
#[must_use]
pub fn csv_cells(row: &ActivityRow) -> Vec<String> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(row) else { return Vec::new() };
    let cell = |head: &str| match fields.get(head) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Array(texts)) => {
            texts.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(" ")
        }
        Some(serde_json::Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    csv_heads().into_iter().map(cell).collect()
}

/// How a file is laid out. Rows are in the order of time; few different callers and APIs are told by many of them.
pub const LAYOUT: Layout = Layout {
    sought: &["event_id", "session_id"],
    shared: &[
        &["party_id", "party_kind", "party_name", "channel", "role_arn", "role_id"],
        &["region", "event_source", "event_name", "invoked_by", "actions", "hand_off"],
    ],
    unlike: &["event_id"],
};

/// The places of the groups that are shared.
const CALLER: usize = 0;
const API: usize = 1;

/// One file in the making.
pub struct ActivityFile<W: Write + Send>(RowWriter<W>);

impl<W: Write + Send> ActivityFile<W> {
    /// A file without rows.
    ///
    /// # Errors
    /// When `sink` refuses.
    pub fn new(sink: W) -> Result<Self, ColumnarError> {
        RowWriter::new(SCHEMA, ACTIVITY.columns, LAYOUT, sink).map(Self)
    }

    /// Adds a call.
    ///
    /// # Errors
    /// When the sink refuses.
    pub fn add(&mut self, row: &CallRow<'_>) -> Result<(), ColumnarError> {
        let (writer, caller, api) = (&mut self.0, row.caller, row.api);
        let filled = |text: &&str| !text.is_empty();
        writer.shared(CALLER, row.kind.0, |fields| {
            let Caller { party_id, party_kind, party_name, channel, role_arn, role_id } = caller;
            [&**party_id, party_kind, party_name, channel, role_arn, role_id]
                .into_iter()
                .for_each(|text| fields.text(Some(text)));
        });
        writer.shared(API, row.kind.1, |fields| {
            [&*api.region, &api.event_source, &api.event_name].into_iter().for_each(|text| fields.text(Some(text)));
            fields.text(Some(&*api.via).filter(filled));
            fields.texts(api.actions.iter().map(AsRef::as_ref));
            fields.flag(Some(api.is_hand_off));
        });
        let mut uuid = [0; 36];
        let event_id = match row.event {
            "" => row.id.write_uuid(&mut uuid),
            NO_ID => "",
            id => id,
        };
        let fields = writer.own();
        fields.moment(row.seconds);
        [event_id, row.session_id, row.session_name].into_iter().for_each(|text| fields.text(Some(text)));
        fields.texts(row.resources.lines());
        [row.network, row.agent, row.outcome.word()].into_iter().for_each(|text| fields.text(Some(text)));
        fields.text(Some(row.error).filter(filled));
        fields.flag(row.read_only);
        writer.end_row()
    }

    /// Ends the file and gives the sink back.
    ///
    /// # Errors
    /// When the sink refuses.
    pub fn finish(self) -> Result<W, ColumnarError> {
        self.0.finish()
    }
}
