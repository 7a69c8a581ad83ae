//! The files of the table `activity`: one for each account and day, row by row, because all may not fit memory.

use std::io::Write;

use chrono::NaiveDate;

use crate::aws::AccountId;
use crate::evidence::call::NO_ID;
use crate::evidence::tables::columnar::{ColumnarError, RowWriter};
use crate::finding::call_log::CallRow;

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

/// One file in the making.
pub struct ActivityFile<W: Write + Send>(RowWriter<W>);

impl<W: Write + Send> ActivityFile<W> {
    /// A file without rows.
    ///
    /// # Errors
    /// When `sink` refuses.
    pub fn new(sink: W) -> Result<Self, ColumnarError> {
        RowWriter::new(SCHEMA, ACTIVITY.columns, sink).map(Self)
    }

    /// Adds a call.
    ///
    /// # Errors
    /// When the sink refuses.
    pub fn add(&mut self, row: &CallRow<'_>) -> Result<(), ColumnarError> {
        let (writer, caller, api) = (&mut self.0, row.caller, row.api);
        let uuid = row.id.to_uuid();
        let event_id = match row.event {
            "" => &uuid,
            NO_ID => "",
            id => id,
        };
        let filled = |text: &str| !text.is_empty();
        writer.moment(row.seconds);
        for text in [
            event_id,
            &api.region,
            &caller.party_id,
            caller.party_kind,
            &caller.party_name,
            caller.channel,
            &caller.role_arn,
            &caller.role_id,
            row.session_id,
            row.session_name,
            &api.event_source,
            &api.event_name,
        ] {
            writer.text(Some(text));
        }
        writer.text(Some(&*api.via).filter(|via| filled(via)));
        writer.texts(api.actions.iter().map(AsRef::as_ref));
        writer.texts(row.resources.lines());
        for text in [row.network, row.agent, row.outcome.word()] {
            writer.text(Some(text));
        }
        writer.text(Some(row.error).filter(|error| filled(error)));
        writer.flag(row.read_only);
        writer.flag(Some(api.is_hand_off));
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
