//! What can be the matter with a Parquet file.

use ::parquet::errors::ParquetError as Fault;

/// Why a Parquet file can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParquetError {
    /// The file's directory, at its end, can't be read.
    #[error("the Parquet file is torn or damaged: {detail}")]
    Whole {
        /// What is wrong.
        detail: String,
    },
    /// A row group can't be read.
    #[error("row group {group}, column `{column}`: can't be read after {rows} rows: {detail}")]
    Group {
        /// Which one, counted from 1.
        group: usize,
        /// The column.
        column: String,
        /// Rows of the file that could be read before.
        rows: u64,
        /// What is wrong.
        detail: String,
    },
    /// A compression that this program does not have.
    #[error("column `{column}` is packed with {codec}; expected none, snappy, gzip or zstd")]
    Codec {
        /// The column.
        column: String,
        /// How it is packed.
        codec: String,
    },
    /// A column of a type that is of no use.
    #[error("column `{column}` holds {found}; expected {expected}")]
    Kind {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
        /// What would be of use.
        expected: &'static str,
    },
}

impl ParquetError {
    pub(super) fn whole(fault: Fault) -> Self {
        Self::Whole { detail: said(&fault) }
    }
}

/// What a fault says, in one line and without the crate's own heading.
pub(super) fn said(fault: &Fault) -> String {
    let text = match fault {
        Fault::General(text) | Fault::NYI(text) | Fault::EOF(text) => text.clone(),
        other => other.to_string(),
    };
    super::excerpt(text.lines().next().unwrap_or_default().as_bytes())
}
