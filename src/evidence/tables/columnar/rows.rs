//! Rows written a field at a time, for tables with so many of them that no text may be made between row and column.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use hashbrown::HashMap;
use parquet::arrow::ArrowWriter;

use super::fields::Fields;
use super::{Column, ColumnarError, Layout, ROWS_AT_A_TIME, ROWS_OF_A_GROUP, options, schema_of};

/// A Parquet file in the making, row after row.
pub struct RowWriter<W: Write + Send> {
    name: String,
    schema: SchemaRef,
    layout: Layout,
    own: Fields,
    shared: Vec<Shared>,
    /// For each column the group of shared ones that it is in, if any.
    places: Vec<Option<usize>>,
    rows: usize,
    /// Until the writer takes it.
    sink: Option<W>,
    /// Begins when the rows are many or all there: most files are small, and their bloom filters need no room for more.
    writer: Option<ArrowWriter<W>>,
}

/// Columns whose fields come together; here each only once for all rows in hand.
struct Shared {
    fields: Fields,
    /// Where in `fields` those of a key are.
    known: HashMap<u32, i32>,
    /// The same for each row.
    rows: Vec<i32>,
}

impl<W: Write + Send> RowWriter<W> {
    /// A file with these columns; `schema` is noted in its metadata.
    ///
    /// # Errors
    /// [`ColumnarError`] when a column is of a kind that is not written so.
    pub fn new(schema: &str, columns: &[Column], layout: Layout, sink: W) -> Result<Self, ColumnarError> {
        let group = |column: &Column| layout.shared.iter().position(|group| group.contains(&column.name));
        let places: Vec<Option<usize>> = columns.iter().map(group).collect();
        let fields = |group| {
            let those = columns.iter().zip(&places).filter(move |(_, place)| **place == group);
            Fields::new(those.map(|(column, _)| column))
        };
        let shared = |group| Ok(Shared { fields: fields(Some(group))?, known: HashMap::new(), rows: Vec::new() });
        let groups = 0..places.iter().flatten().max().map_or(0, |last| last + 1);
        Ok(Self {
            name: schema.to_owned(),
            schema: schema_with(columns, &places),
            layout,
            own: fields(None)?,
            shared: groups.map(shared).collect::<Result<_, ColumnarError>>()?,
            places,
            rows: 0,
            sink: Some(sink),
            writer: None,
        })
    }

    /// The fields of a row's own columns.
    pub const fn own(&mut self) -> &mut Fields {
        &mut self.own
    }

    /// The fields of a row's shared columns of a group: those of `key`, which `tell` tells when they are not known yet.
    pub fn shared(&mut self, group: usize, key: u32, tell: impl FnOnce(&mut Fields)) {
        let Some(Shared { fields, known, rows }) = self.shared.get_mut(group) else { return };
        // Not more than the rows in hand.
        let next = i32::try_from(known.len()).unwrap_or(i32::MAX);
        let row = *known.entry(key).or_insert_with(|| {
            fields.begin_row();
            tell(fields);
            next
        });
        rows.push(row);
    }

    /// Ends a row.
    ///
    /// # Errors
    /// [`ColumnarError`] when fields and columns do not fit, or the sink refuses.
    pub fn end_row(&mut self) -> Result<(), ColumnarError> {
        self.own.begin_row();
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

    /// Writes the rows in hand; a file that has not begun will have so many at most in a row group.
    fn flush(&mut self, rows_of_a_group: usize) -> Result<(), ColumnarError> {
        if let Some(sink) = self.sink.take() {
            let options = options(&self.name, self.layout, rows_of_a_group.max(1))?;
            self.writer = Some(ArrowWriter::try_new_with_options(sink, Arc::clone(&self.schema), options)?);
        }
        if self.rows == 0 {
            return Ok(());
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.arrays()?)?;
        Ok(self.writer.as_mut().ok_or_else(lost)?.write(&batch)?)
    }

    /// The rows in hand as columns, which leaves none in hand.
    fn arrays(&mut self) -> Result<Vec<ArrayRef>, ColumnarError> {
        let like_more = std::mem::take(&mut self.rows) == ROWS_AT_A_TIME;
        let mut own = self.own.finish(like_more).into_iter();
        let mut shared = self.shared.iter_mut().map(Shared::finish).collect::<Result<Vec<_>, _>>()?;
        let next = |place: &Option<usize>| match place {
            None => own.next(),
            Some(group) => shared.get_mut(*group)?.next(),
        };
        Ok(self.places.iter().filter_map(next).collect())
    }
}

impl Shared {
    /// The columns with a field for each row, which leaves none here.
    fn finish(&mut self) -> Result<std::vec::IntoIter<ArrayRef>, ColumnarError> {
        self.known.clear();
        let rows = Int32Array::from(std::mem::take(&mut self.rows));
        let columns = self.fields.finish(false).into_iter();
        let spread = |column| -> Result<ArrayRef, ColumnarError> {
            Ok(Arc::new(DictionaryArray::try_new(rows.clone(), column)?))
        };
        Ok(columns.map(spread).collect::<Result<Vec<_>, _>>()?.into_iter())
    }
}

/// The schema of `columns`, where shared ones are numbers of their different fields: the file does not show it.
fn schema_with(columns: &[Column], places: &[Option<usize>]) -> SchemaRef {
    let schema = schema_of(columns);
    let field = |(field, place): (&Arc<Field>, &Option<usize>)| match place {
        None => Arc::clone(field),
        Some(_) => {
            let shared = DataType::Dictionary(Box::new(DataType::Int32), Box::new(field.data_type().clone()));
            Arc::new(Field::clone(field).with_data_type(shared))
        }
    };
    Arc::new(Schema::new(schema.fields().iter().zip(places).map(field).collect::<Vec<_>>()))
}

/// A file that could not begin has been told of already.
fn lost() -> ColumnarError {
    parquet::errors::ParquetError::General("the file could not be begun".to_owned()).into()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::{Kind, decode};
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
    const MANY: i64 = ROWS_AT_A_TIME as i64 + 3;

    fn error_of(number: i64) -> Option<&'static str> {
        (number % 2 == 0).then_some("denied")
    }

    fn tags_of(number: i64) -> impl Iterator<Item = &'static str> {
        ["a", "b"].into_iter().take(number as usize % 3)
    }

    fn read_of(number: i64) -> Option<bool> {
        [None, Some(false), Some(true)][number as usize % 3]
    }

    /// A file of rows that say `known(number)` but for their own time and name.
    fn file(layout: Layout, known: impl Fn(i64) -> i64) -> Vec<u8> {
        let mut writer = RowWriter::new("test/1", &COLUMNS, layout, Vec::new()).unwrap();
        for number in 0..MANY {
            let known = known(number);
            let name = format!("n{number}");
            let own = writer.own();
            own.moment(number);
            own.text(Some(&name));
            if layout.shared.is_empty() {
                own.text(error_of(known));
                own.flag(read_of(known));
                own.texts(tags_of(known));
            } else {
                writer.shared(0, known as u32, |fields| {
                    fields.text(error_of(known));
                    fields.texts(tags_of(known));
                });
                writer.shared(1, known as u32, |fields| fields.flag(read_of(known)));
            }
            writer.end_row().unwrap();
        }
        writer.finish().unwrap()
    }

    fn rows_of(file: Vec<u8>) -> Vec<Row> {
        decode::<Row>("test/1", &COLUMNS, file).unwrap()
    }

    #[test]
    fn fields_come_back_as_rows() {
        let rows = rows_of(file(Layout::default(), |number| number));
        assert_eq!(rows.len() as i64, MANY);
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
    fn shared_columns_hold_what_each_row_would_have_said() {
        let layout = Layout { sought: &["name"], shared: &[&["error", "tags"], &["read"]], unlike: &["name"] };
        for different in [1, 7, MANY] {
            let known = |number: i64| number % different;
            assert_eq!(
                rows_of(file(layout, known)),
                rows_of(file(Layout::default(), known)),
                "{different} different ones"
            );
        }
    }

    #[test]
    fn fields_that_do_not_fit_the_columns_are_an_error() {
        let with = |columns: &[Column], shared| {
            RowWriter::new("test/1", columns, Layout { shared, ..Layout::default() }, Vec::new())
        };
        let mut other_kind = with(&COLUMNS[..2], &[]).unwrap();
        other_kind.own().text(Some("not a moment"));
        other_kind.own().text(Some("name"));
        other_kind.end_row().unwrap();
        assert!(other_kind.finish().is_err());
        let mut forgotten = with(&COLUMNS[..2], &[&["name"]]).unwrap();
        forgotten.own().moment(1);
        forgotten.end_row().unwrap();
        assert!(forgotten.finish().is_err());
        assert!(with(&[column("n", Kind::Number, false)], &[]).is_err());
    }
}
