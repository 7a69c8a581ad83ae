//! Evidence as flat tables, and tables as bytes.
//!
//! A saved shard of evidence is the checkpoint of an interrupted run, the unit of a nightly run and what a cluster's
//! workers hand back. Names are written as their texts and rows are sorted, so evidence of equal content gives equal
//! bytes whatever its internal numbers are. [`columnar`] is the only module that knows Arrow and Parquet; `report`
//! writes its tables with it.

pub mod columnar;
mod read;
mod rows;
mod write;

use std::collections::BTreeMap;

use columnar::ColumnarError;

/// Name and version of the schema of saved evidence.
pub const SCHEMA: &str = "thirdtrail.evidence/1";

/// Parquet files by the name of their table.
pub type Tables = BTreeMap<String, Vec<u8>>;

/// Why evidence could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A table's bytes are not what they should be.
    #[error("table `{table}`: {source}")]
    Table {
        /// The table.
        table: &'static str,
        /// Why.
        source: ColumnarError,
    },
    /// A table is not there.
    #[error("table `{0}` is missing")]
    Missing(&'static str),
    /// A value that no evidence holds.
    #[error("table `{table}`: bad value `{value}`")]
    Value {
        /// The table.
        table: &'static str,
        /// The value as text.
        value: String,
    },
}
