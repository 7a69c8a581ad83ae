//! Evidence as flat tables, and tables as bytes.
//!
//! A saved shard of evidence is the checkpoint of an interrupted run, the unit of a nightly run and what a cluster's
//! workers hand back. [`columnar`] is the only module that knows Arrow and Parquet; `report` writes its tables with it.

pub mod columnar;
