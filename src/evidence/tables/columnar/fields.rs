//! The fields of rows, gathered column by column as Arrow keeps them.

use arrow::array::{ArrayBuilder, ArrayRef, BooleanBuilder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder};

use super::{Column, ColumnarError, Kind, ROWS_AT_A_TIME, UTC, element};

/// Takes the fields of one row after the other, each row's in the order of the columns.
pub struct Fields {
    columns: Vec<Builder>,
    /// The column of the next field.
    next: usize,
}

enum Builder {
    Text(StringBuilder),
    Moment(TimestampMicrosecondBuilder),
    Flag(BooleanBuilder),
    Texts(ListBuilder<StringBuilder>),
}

impl Fields {
    /// None yet.
    ///
    /// # Errors
    /// [`ColumnarError`] when a column is of a kind that is not written so.
    pub(super) fn new<'c>(columns: impl Iterator<Item = &'c Column>) -> Result<Self, ColumnarError> {
        Ok(Self { columns: columns.map(Builder::of).collect::<Result<_, _>>()?, next: 0 })
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

    /// The next field is the first one of a row.
    pub(super) const fn begin_row(&mut self) {
        self.next = 0;
    }

    /// The columns, which leaves none of their rows here; `like_more` makes room for as many again.
    pub(super) fn finish(&mut self, like_more: bool) -> Vec<ArrayRef> {
        self.columns.iter_mut().map(|column| column.finish(like_more)).collect()
    }

    /// The column of the next field; a field of another kind leaves its column short, which the end of the rows tells.
    fn column(&mut self) -> Option<&mut Builder> {
        self.next += 1;
        self.columns.get_mut(self.next - 1)
    }
}

impl Builder {
    fn of(column: &Column) -> Result<Self, ColumnarError> {
        match column.kind {
            Kind::Text => Ok(Self::Text(StringBuilder::new())),
            Kind::Moment => Ok(Self::Moment(TimestampMicrosecondBuilder::new().with_timezone(UTC))),
            Kind::Flag => Ok(Self::Flag(BooleanBuilder::new())),
            Kind::Texts => Ok(Self::Texts(ListBuilder::new(StringBuilder::new()).with_field(element(Kind::Text)))),
            Kind::Number | Kind::Numbers | Kind::Id => Err(ColumnarError::NoColumn(column.name.to_owned())),
        }
    }

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
