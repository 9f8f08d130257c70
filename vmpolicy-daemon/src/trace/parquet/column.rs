//! From a column of one row group to options of one type.

use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use ::parquet::data_type::DataType;
use ::parquet::errors::Result;

/// A column, read a batch at a time.
pub(super) trait Source<V> {
    /// Appends the next rows, as many as are wanted or there are.
    fn fill(&mut self, wanted: usize, to: &mut Vec<Option<V>>) -> Result<()>;
}

/// A column of one physical type, and what becomes of it.
struct Typed<T: DataType, F> {
    reader: ColumnReaderImpl<T>,
    nullable: bool,
    convert: F,
    present: Vec<i16>,
    values: Vec<T::T>,
}

/// The rows of a column.
pub(super) fn source<'a, T: DataType + 'a, V>(
    reader: ColumnReader,
    nullable: bool,
    convert: impl Fn(T::T) -> V + 'a,
) -> Box<dyn Source<V> + 'a> {
    let reader = get_typed_column_reader::<T>(reader);
    Box::new(Typed::<T, _> { reader, nullable, convert, present: Vec::new(), values: Vec::new() })
}

impl<T: DataType, V, F: Fn(T::T) -> V> Source<V> for Typed<T, F> {
    fn fill(&mut self, wanted: usize, to: &mut Vec<Option<V>>) -> Result<()> {
        self.present.clear();
        self.values.clear();
        let present = self.nullable.then_some(&mut self.present);
        let (rows, _, _) = self.reader.read_records(wanted, present, None, &mut self.values)?;
        let mut values = self.values.drain(..).map(&self.convert);
        if self.nullable {
            // A level of 1 says that there is a value.
            to.extend(
                self.present.iter().take(rows).map(|&level| if level > 0 { values.next() } else { None }),
            );
        } else {
            to.extend(values.take(rows).map(Some));
        }
        Ok(())
    }
}
