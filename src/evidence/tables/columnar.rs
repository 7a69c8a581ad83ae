//! Rows to Parquet bytes and back: the only module that knows Arrow.
//!
//! A row is a serde struct whose fields have the names of columns; fields without a column are left out. The bytes
//! depend on rows and columns alone. Types are those that every reader knows, Athena (Trino) among them: no unsigned
//! numbers, times in microseconds UTC, UTF-8 texts, lists of texts.

mod fields;
mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::json::{LineDelimitedWriter, ReaderBuilder};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use rows::RowWriter;

/// Rows turned into columns at a time; bounds memory, does not show in the bytes' meaning.
const ROWS_AT_A_TIME: usize = 8_192;
/// Rows of one row group: about 128 MiB of the widest table.
const ROWS_OF_A_GROUP: usize = 500_000;
/// How often a bloom filter lets a row group be read in vain.
const WRONGLY_FOUND: f64 = 0.01;
/// The metadata key that names the schema of a file.
pub const SCHEMA_KEY: &str = "thirdtrail.schema";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A signed 64-bit number.
    Number,
    /// A point in time, microseconds UTC; the row's field is an RFC 3339 text.
    Moment,
    /// Yes or no.
    Flag,
    /// A list of texts, never null.
    Texts,
    /// A list of numbers, never null.
    Numbers,
    /// Sixteen bytes; the row's field is their 32 hexadecimal digits.
    Id,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name, and that of the row's field.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing.
    pub optional: bool,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// Bytes that are no such table, or rows that do not fit one.
#[derive(Debug, thiserror::Error)]
pub enum ColumnarError {
    /// Rows and columns do not fit.
    #[error("rows and columns do not fit: {0}")]
    Columns(#[from] arrow::error::ArrowError),
    /// Not readable, or not writable, as Parquet.
    #[error("bad Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A row is not what it should be.
    #[error("bad row: {0}")]
    Row(#[from] serde_json::Error),
    /// A column is not there, or holds something else.
    #[error("column `{0}` is missing")]
    NoColumn(String),
    /// The file is of another schema.
    #[error("schema `{found}` where `{expected}` is needed")]
    OtherSchema {
        /// In the file.
        found: String,
        /// Known here.
        expected: String,
    },
}

/// The Parquet file of `rows`, in the order given; `schema` is noted in its metadata.
///
/// # Errors
/// [`ColumnarError`] when a row does not fit the columns.
pub fn encode<T: Serialize>(
    schema: &str,
    columns: &[Column],
    rows: impl IntoIterator<Item = T>,
) -> Result<Vec<u8>, ColumnarError> {
    let arrow_schema = schema_of(columns);
    let mut writer = ArrowWriter::try_new_with_options(
        Vec::new(),
        Arc::clone(&arrow_schema),
        options(schema, Layout::default(), ROWS_OF_A_GROUP)?,
    )?;
    let mut decoder = ReaderBuilder::new(arrow_schema).with_batch_size(ROWS_AT_A_TIME).build_decoder()?;
    let mut rows = rows.into_iter();
    loop {
        let some: Vec<T> = rows.by_ref().take(ROWS_AT_A_TIME).collect();
        if some.is_empty() {
            return Ok(writer.into_inner()?);
        }
        decoder.serialize(&some)?;
        if let Some(batch) = decoder.flush()? {
            writer.write(&batch)?;
        }
    }
}

/// The rows of a Parquet file of that schema with these columns.
///
/// # Errors
/// [`ColumnarError`] when the bytes are not such a file.
pub fn decode<T: DeserializeOwned>(
    schema: &str,
    columns: &[Column],
    bytes: impl Into<Bytes>,
) -> Result<Vec<T>, ColumnarError> {
    let options = ArrowReaderOptions::new().with_schema(schema_of(columns));
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.into(), options)?;
    check_schema(schema, &reader)?;
    let mut rows = Vec::new();
    for batch in reader.with_batch_size(ROWS_AT_A_TIME).build()? {
        append(&batch?, &mut rows)?;
    }
    Ok(rows)
}

/// A file's own schema; `UTC` by its offset, the only form of a time zone that can be written as text here.
fn with_offsets(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            Field::new(field.name(), DataType::Timestamp(*unit, Some(UTC.into())), field.is_nullable())
        }
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn check_schema(schema: &str, reader: &ParquetRecordBatchReaderBuilder<Bytes>) -> Result<(), ColumnarError> {
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    let found = metadata.into_iter().flatten().find(|pair| pair.key == SCHEMA_KEY);
    let found = found.and_then(|pair| pair.value.clone()).unwrap_or_default();
    if found == schema { Ok(()) } else { Err(ColumnarError::OtherSchema { found, expected: schema.to_owned() }) }
}

/// Rows are wanted whose text in a column is one of these; of several, one is enough.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The column; it holds texts.
    pub column: &'a str,
    /// The texts.
    pub texts: &'a BTreeSet<String>,
}

/// The rows of a Parquet file of that schema that are wanted, with the named columns; others of the file are not looked
/// at, so a file that has more of them is read all the same.
///
/// # Errors
/// [`ColumnarError`] when the bytes are not such a file, or one that lacks a column.
pub fn decode_wanted<T: DeserializeOwned>(
    schema: &str,
    columns: &[&str],
    wanted: &[Wanted<'_>],
    bytes: impl Into<Bytes>,
) -> Result<Vec<T>, ColumnarError> {
    let mut rows = Vec::new();
    let wants = |cells: &Cells<'_>, row| {
        wanted.iter().any(|one| cells.text(one.column, row).is_some_and(|text| one.texts.contains(text)))
    };
    decode_where::<T, ColumnarError>(schema, columns, wants, bytes, |some| {
        rows.extend(some);
        Ok(())
    })?;
    Ok(rows)
}

/// The cells of some rows, by name of column and number of row; nothing where there is no such cell.
#[derive(Debug)]
pub struct Cells<'a>(&'a RecordBatch);

impl<'a> Cells<'a> {
    fn column<A: Array + 'static>(&self, column: &str) -> Option<&'a A> {
        self.0.column_by_name(column)?.as_any().downcast_ref()
    }

    /// A text.
    #[must_use]
    pub fn text(&self, column: &str, row: usize) -> Option<&'a str> {
        let column: &StringArray = self.column(column)?;
        (row < column.len() && column.is_valid(row)).then(|| column.value(row))
    }

    /// A list of texts.
    #[must_use]
    pub fn texts(&self, column: &str, row: usize) -> Vec<&'a str> {
        let list = || {
            let column: &ListArray = self.column(column)?;
            let (from, to) = (column.value_offsets().get(row)?, column.value_offsets().get(row + 1)?);
            let texts: &StringArray = column.values().as_any().downcast_ref()?;
            let places = usize::try_from(*from).ok()?..usize::try_from(*to).ok()?;
            Some(places.map(|at| texts.value(at)).collect())
        };
        list().unwrap_or_default()
    }

    /// Yes or no.
    #[must_use]
    pub fn flag(&self, column: &str, row: usize) -> Option<bool> {
        let column: &BooleanArray = self.column(column)?;
        (row < column.len() && column.is_valid(row)).then(|| column.value(row))
    }

    /// A point in time, in seconds since 1970.
    #[must_use]
    pub fn seconds(&self, column: &str, row: usize) -> Option<i64> {
        let column: &TimestampMicrosecondArray = self.column(column)?;
        (row < column.len() && column.is_valid(row)).then(|| column.value(row).div_euclid(1_000_000))
    }
}

/// Takes the rows of a Parquet file that are wanted some at a time; otherwise as [`decode_wanted`].
///
/// # Errors
/// As [`decode_wanted`], and what `take` says.
pub fn decode_where<T: DeserializeOwned, E: From<ColumnarError>>(
    schema: &str,
    columns: &[&str],
    wants: impl Fn(&Cells<'_>, usize) -> bool,
    bytes: impl Into<Bytes>,
    mut take: impl FnMut(Vec<T>) -> Result<(), E>,
) -> Result<(), E> {
    for batch in batches(schema, columns, bytes.into())? {
        let batch = batch.map_err(ColumnarError::from)?;
        let cells = Cells(&batch);
        let keep: Vec<bool> = (0..batch.num_rows()).map(|row| wants(&cells, row)).collect();
        if keep.contains(&true) {
            let mut rows = Vec::new();
            let kept = filter_record_batch(&batch, &BooleanArray::from(keep)).map_err(ColumnarError::from)?;
            append(&kept, &mut rows)?;
            take(rows)?;
        }
    }
    Ok(())
}

/// The named columns of a file.
fn batches(schema: &str, columns: &[&str], bytes: Bytes) -> Result<ParquetRecordBatchReader, ColumnarError> {
    let own = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?;
    let options = ArrowReaderOptions::new().with_schema(with_offsets(own.schema()));
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)?;
    check_schema(schema, &reader)?;
    if let Some(missing) = columns.iter().find(|name| reader.schema().field_with_name(name).is_err()) {
        return Err(ColumnarError::NoColumn((*missing).to_owned()));
    }
    let mask = ProjectionMask::columns(reader.parquet_schema(), columns.iter().copied());
    Ok(reader.with_projection(mask).with_batch_size(ROWS_AT_A_TIME).build()?)
}

fn append<T: DeserializeOwned>(batch: &RecordBatch, rows: &mut Vec<T>) -> Result<(), ColumnarError> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let lines = writer.into_inner();
    for row in serde_json::Deserializer::from_slice(&lines).into_iter() {
        rows.push(row?);
    }
    Ok(())
}

/// The only form of the time zone that can be written as text here.
const UTC: &str = "+00:00";

/// One element of a list.
fn element(kind: Kind) -> Field {
    let data_type = if kind == Kind::Text { DataType::Utf8 } else { DataType::Int64 };
    Field::new("element", data_type, false)
}

fn schema_of(columns: &[Column]) -> SchemaRef {
    let list = |of: Kind| DataType::List(Arc::new(element(of)));
    let fields = columns.iter().map(|column| {
        let data_type = match column.kind {
            Kind::Text => DataType::Utf8,
            Kind::Number => DataType::Int64,
            Kind::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Kind::Flag => DataType::Boolean,
            Kind::Texts => list(Kind::Text),
            Kind::Numbers => list(Kind::Number),
            Kind::Id => DataType::FixedSizeBinary(16),
        };
        Field::new(column.name, data_type, column.optional)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Arrow's own copy of the schema is left out: it says nothing that Parquet's does not.
fn options(schema: &str, layout: Layout, rows_of_a_group: usize) -> Result<ArrowWriterOptions, ColumnarError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(rows_of_a_group))
        .set_key_value_metadata(Some(vec![KeyValue::new(SCHEMA_KEY.to_owned(), schema.to_owned())]));
    let properties = layout.apply(properties).build();
    Ok(ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true))
}

/// How some columns of a table, given by their names, are written otherwise than the others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Sought by single values: these have bloom filters, by which an engine passes over row groups without reading them.
    pub sought: &'static [&'static str],
    /// Groups whose fields always come together, again and again: each row only says which.
    pub shared: &'static [&'static [&'static str]],
    /// No value comes twice: a dictionary of them would be one thing more to write.
    pub unlike: &'static [&'static str],
}

impl Layout {
    /// The properties of a file that is laid out so.
    #[must_use]
    pub fn apply(self, properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        let path = |column: &&str| ColumnPath::from(*column);
        // The filter's room for different values is that of a row group.
        let filtered =
            |properties: WriterPropertiesBuilder, column| properties.set_column_bloom_filter_fpp(column, WRONGLY_FOUND);
        let plain =
            |properties: WriterPropertiesBuilder, column| properties.set_column_dictionary_enabled(column, false);
        let properties = self.sought.iter().map(path).fold(properties, filtered);
        self.unlike.iter().map(path).fold(properties, plain)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Row {
        id: String,
        text: Option<String>,
        number: i64,
        flag: bool,
        moment: String,
        texts: Vec<String>,
        numbers: Vec<i64>,
    }

    const COLUMNS: [Column; 7] = [
        Column { name: "id", kind: Kind::Id, optional: false, meaning: "" },
        Column { name: "text", kind: Kind::Text, optional: true, meaning: "" },
        Column { name: "number", kind: Kind::Number, optional: false, meaning: "" },
        Column { name: "flag", kind: Kind::Flag, optional: false, meaning: "" },
        Column { name: "moment", kind: Kind::Moment, optional: false, meaning: "" },
        Column { name: "texts", kind: Kind::Texts, optional: false, meaning: "" },
        Column { name: "numbers", kind: Kind::Numbers, optional: false, meaning: "" },
    ];

    fn row(number: i64) -> Row {
        Row {
            id: format!("{number:032x}"),
            text: (number % 2 == 0).then(|| format!("\u{1b}\"é\n{number}")),
            number: i64::MAX - number,
            flag: number % 3 == 0,
            moment: format!("2026-05-01T00:00:{:02}Z", number % 60),
            texts: vec![String::new(); usize::try_from(number % 3).unwrap()],
            numbers: vec![number],
        }
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let rows: Vec<Row> = (0..20_000).map(row).collect();
        let bytes = encode("test/1", &COLUMNS, &rows).unwrap();
        assert_eq!(bytes, encode("test/1", &COLUMNS, &rows).unwrap());
        assert_eq!(decode::<Row>("test/1", &COLUMNS, bytes.clone()).unwrap(), rows);
        assert!(matches!(decode::<Row>("test/2", &COLUMNS, bytes), Err(ColumnarError::OtherSchema { .. })));
        assert_eq!(decode::<Row>("test/1", &COLUMNS, encode("test/1", &COLUMNS, [] as [Row; 0]).unwrap()).unwrap(), []);
    }

    #[test]
    fn only_wanted_rows_come_back() {
        let rows: Vec<Row> = (0..20_000).map(row).collect();
        let bytes = encode("test/1", &COLUMNS, &rows).unwrap();
        #[derive(Deserialize, PartialEq, Debug)]
        struct Part {
            text: Option<String>,
            number: i64,
            moment: String,
        }
        let texts = BTreeSet::from([row(4).text.unwrap(), row(19_998).text.unwrap(), "no such".to_owned()]);
        let wanted = [Wanted { column: "text", texts: &texts }];
        let found: Vec<Part> = decode_wanted("test/1", &["number", "text", "moment"], &wanted, bytes.clone()).unwrap();
        let part = |number: i64| {
            let Row { text, number, moment, .. } = row(number);
            Part { text, number, moment }
        };
        assert_eq!(found, [part(4), part(19_998)]);
        let missing = decode_wanted::<Part>("test/1", &["tomorrow", "text"], &wanted, bytes);
        assert!(matches!(missing, Err(ColumnarError::NoColumn(name)) if name == "tomorrow"));
    }

    /// S44: bytes that are no table are an error, not a crash.
    #[test]
    fn anything_else_is_refused() {
        let bytes = encode("test/1", &COLUMNS, [row(1)]).unwrap();
        for cut in 0..bytes.len() {
            assert!(decode::<Row>("test/1", &COLUMNS, bytes.get(..cut).unwrap().to_vec()).is_err());
        }
    }
}
