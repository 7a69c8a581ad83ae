//! Rows written a field at a time, for tables with so many of them that no text may be made between row and column.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, ListBuilder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;

use super::{Column, ColumnarError, Kind, ROWS_AT_A_TIME, ROWS_OF_A_GROUP, element, options, schema_of};

/// A Parquet file in the making: fields come in the order of the columns, row after row.
pub struct RowWriter<W: Write + Send> {
    name: String,
    schema: SchemaRef,
    sought: Vec<String>,
    columns: Vec<Builder>,
    /// The column of the next field.
    next: usize,
    rows: usize,
    /// Until the writer takes it.
    sink: Option<W>,
    /// Begins when the rows are many or all there: most files are small, and their bloom filters need no room for more.
    writer: Option<ArrowWriter<W>>,
}

enum Builder {
    Text(StringBuilder),
    Moment(TimestampMicrosecondBuilder),
    Flag(BooleanBuilder),
    Texts(ListBuilder<StringBuilder>),
}

impl<W: Write + Send> RowWriter<W> {
    /// A file with these columns, of which some are `sought` by single values; `schema` is noted in its metadata.
    ///
    /// # Errors
    /// [`ColumnarError`] when a column is of a kind that is not written so, or `sink` refuses.
    pub fn new(schema: &str, columns: &[Column], sought: &[&str], sink: W) -> Result<Self, ColumnarError> {
        Ok(Self {
            name: schema.to_owned(),
            schema: schema_of(columns),
            sought: sought.iter().map(|column| (*column).to_owned()).collect(),
            columns: columns.iter().map(Builder::of).collect::<Result<_, _>>()?,
            next: 0,
            rows: 0,
            sink: Some(sink),
            writer: None,
        })
    }

    /// A text; `None` where the column may hold nothing.
    pub fn text(&mut self, text: Option<&str>) {
        if let Some(Builder::Text(column)) = self.column() {
            column.append_option(text);
        }
    }

    /// A point in time, in seconds since 1970.
    pub fn moment(&mut self, seconds: i64) {
        if let Some(Builder::Moment(column)) = self.column() {
            column.append_value(seconds.saturating_mul(1_000_000));
        }
    }

    /// Yes, no, or nothing.
    pub fn flag(&mut self, flag: Option<bool>) {
        if let Some(Builder::Flag(column)) = self.column() {
            column.append_option(flag);
        }
    }

    /// A list of texts.
    pub fn texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        if let Some(Builder::Texts(column)) = self.column() {
            texts.for_each(|text| column.values().append_value(text));
            column.append(true);
        }
    }

    /// Ends a row.
    ///
    /// # Errors
    /// [`ColumnarError`] when fields and columns do not fit, or the sink refuses.
    pub fn end_row(&mut self) -> Result<(), ColumnarError> {
        self.next = 0;
        self.rows += 1;
        if self.rows == ROWS_AT_A_TIME { self.flush(ROWS_OF_A_GROUP) } else { Ok(()) }
    }

    /// Ends the file and gives the sink back.
    ///
    /// # Errors
    /// As [`Self::end_row`].
    pub fn finish(mut self) -> Result<W, ColumnarError> {
        self.flush(self.rows)?;
        self.writer.map_or_else(|| Err(lost()), |writer| Ok(writer.into_inner()?))
    }

    /// The column of the next field; a field of another kind leaves its column short, which the end of the row tells.
    fn column(&mut self) -> Option<&mut Builder> {
        self.next += 1;
        self.columns.get_mut(self.next - 1)
    }

    /// Writes the rows in hand; a file that has not begun will have so many at most in a row group.
    fn flush(&mut self, rows_of_a_group: usize) -> Result<(), ColumnarError> {
        if let Some(sink) = self.sink.take() {
            let sought: Vec<&str> = self.sought.iter().map(String::as_str).collect();
            let options = options(&self.name, &sought, rows_of_a_group.max(1))?;
            self.writer = Some(ArrowWriter::try_new_with_options(sink, Arc::clone(&self.schema), options)?);
        }
        if self.rows == 0 {
            return Ok(());
        }
        let like_more = self.rows == ROWS_AT_A_TIME;
        self.rows = 0;
        let arrays = self.columns.iter_mut().map(|column| column.finish(like_more)).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)?;
        Ok(self.writer.as_mut().ok_or_else(lost)?.write(&batch)?)
    }
}

/// A file that could not begin has been told of already.
fn lost() -> ColumnarError {
    parquet::errors::ParquetError::General("the file could not be begun".to_owned()).into()
}

impl Builder {
    fn of(column: &Column) -> Result<Self, ColumnarError> {
        match column.kind {
            Kind::Text => Ok(Self::Text(StringBuilder::new())),
            Kind::Moment => Ok(Self::Moment(TimestampMicrosecondBuilder::new().with_timezone(super::UTC))),
            Kind::Flag => Ok(Self::Flag(BooleanBuilder::new())),
            Kind::Texts => Ok(Self::Texts(ListBuilder::new(StringBuilder::new()).with_field(element(Kind::Text)))),
            Kind::Number | Kind::Numbers | Kind::Id => Err(ColumnarError::NoColumn(column.name.to_owned())),
        }
    }

    /// What is in it, which leaves it empty; `like_more` makes room for as much again.
    fn finish(&mut self, like_more: bool) -> ArrayRef {
        match self {
            Self::Text(column) if like_more => {
                let room = StringBuilder::with_capacity(ROWS_AT_A_TIME, column.values_slice().len());
                ArrayBuilder::finish(&mut std::mem::replace(column, room))
            }
            Self::Text(column) => ArrayBuilder::finish(column),
            Self::Moment(column) => ArrayBuilder::finish(column),
            Self::Flag(column) => ArrayBuilder::finish(column),
            Self::Texts(column) => ArrayBuilder::finish(column),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, PartialEq, Debug)]
    struct Row {
        at: String,
        name: String,
        error: Option<String>,
        read: Option<bool>,
        tags: Vec<String>,
    }

    const fn column(name: &'static str, kind: Kind, optional: bool) -> Column {
        Column { name, kind, optional, meaning: "" }
    }

    const COLUMNS: [Column; 5] = [
        column("at", Kind::Moment, false),
        column("name", Kind::Text, false),
        column("error", Kind::Text, true),
        column("read", Kind::Flag, true),
        column("tags", Kind::Texts, false),
    ];

    #[test]
    fn fields_come_back_as_rows() {
        let mut writer = RowWriter::new("test/1", &COLUMNS, &["name"], Vec::new()).unwrap();
        let count = ROWS_AT_A_TIME as i64 + 3;
        for number in 0..count {
            writer.moment(number);
            writer.text(Some(&format!("n{number}")));
            writer.text((number % 2 == 0).then_some("denied"));
            writer.flag([None, Some(false), Some(true)][number as usize % 3]);
            writer.texts(["a", "b"].into_iter().take(number as usize % 3));
            writer.end_row().unwrap();
        }
        let rows = super::super::decode::<Row>("test/1", &COLUMNS, writer.finish().unwrap()).unwrap();
        assert_eq!(rows.len() as i64, count);
        assert_eq!(
            rows[5],
            Row {
                at: "1970-01-01T00:00:05Z".to_owned(),
                name: "n5".to_owned(),
                error: None,
                read: Some(true),
                tags: vec!["a".to_owned(), "b".to_owned()]
            }
        );
    }

    #[test]
    fn a_field_of_another_kind_is_an_error() {
        let mut writer = RowWriter::new("test/1", &COLUMNS[..2], &[], Vec::new()).unwrap();
        writer.text(Some("not a moment"));
        writer.text(Some("name"));
        writer.end_row().unwrap();
        assert!(writer.finish().is_err());
        assert!(RowWriter::new("test/1", &[column("n", Kind::Number, false)], &[], Vec::new()).is_err());
    }
}
