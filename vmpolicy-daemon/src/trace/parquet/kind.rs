//! Which types of columns hold times, numbers and names, and how they are read.

use super::super::time::{self, BadTime};
use super::column::{Source, source};
use super::error::ParquetError;
use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use ::parquet::column::reader::ColumnReader;
use ::parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use ::parquet::schema::types::ColumnDescriptor;

/// A time in milliseconds since the epoch, or why it is none and what stands there.
pub(super) type Stamp = Result<i64, (BadTime, Box<[u8]>)>;

/// How a column's times are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    kind: TimeKind,
    nullable: bool,
    zone: bool,
}

#[derive(Clone, Copy, Debug)]
enum TimeKind {
    /// Whole seconds.
    Seconds32 {
        signed: bool,
    },
    Seconds64 {
        signed: bool,
    },
    /// So many of them are a millisecond, or none: then they are milliseconds.
    Units(i64),
    /// As Impala and older Sparks had it.
    Int96,
    Float,
    Double,
    Text,
}

/// How a column's numbers are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    kind: NumberKind,
    nullable: bool,
}

#[derive(Clone, Copy, Debug)]
enum NumberKind {
    Int32 {
        signed: bool,
        scale: f64,
    },
    Int64 {
        signed: bool,
        scale: f64,
    },
    Float,
    Double,
    Half,
    /// Decimals of up to 16 bytes, the most significant first.
    Decimal {
        fixed: bool,
        scale: f64,
    },
}

/// How a column's names are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    kind: NameKind,
    nullable: bool,
}

#[derive(Clone, Copy, Debug)]
enum NameKind {
    Text,
    Int32,
    Int64,
}

const TIMES: &str = "a timestamp, seconds since the epoch as a number, or RFC 3339 as text";
const NUMBERS: &str = "a number";
const NAMES: &str = "text or whole numbers";

/// What is wrong with the column, in the words of the format.
fn unfit(column: &ColumnDescriptor, expected: &'static str) -> ParquetError {
    let physical = column.physical_type();
    let found = match (column.max_rep_level(), column.logical_type_ref(), column.converted_type()) {
        (1.., _, _) => "lists".to_owned(),
        (_, Some(logical), _) => format!("{logical:?} ({physical})"),
        (_, None, ConvertedType::NONE) => physical.to_string(),
        (_, None, converted) => format!("{converted} ({physical})"),
    };
    ParquetError::Kind { column: column.path().string(), found, expected }
}

/// Whether the column is plain, and may have nulls; nothing where it is a list or within a structure.
fn nullable(column: &ColumnDescriptor) -> Option<bool> {
    match (column.max_rep_level(), column.max_def_level()) {
        (0, 0) => Some(false),
        (0, 1) => Some(true),
        _ => None,
    }
}

/// Whether a column of integers is of plain integers, and whether they are signed.
fn integers(column: &ColumnDescriptor) -> Option<bool> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Integer(int)), _) => Some(int.is_signed),
        (Some(_), _) => None,
        (None, ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32) => Some(false),
        (None, ConvertedType::UINT_64) => Some(false),
        (None, ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32) => Some(true),
        (None, ConvertedType::INT_64 | ConvertedType::NONE) => Some(true),
        _ => None,
    }
}

fn is_text(column: &ColumnDescriptor) -> bool {
    matches!(column.logical_type_ref(), None | Some(LogicalType::String | LogicalType::Enum))
        && matches!(column.converted_type(), ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM)
}

impl Times {
    pub(super) fn of(column: &ColumnDescriptor) -> Result<Self, ParquetError> {
        let bad = || unfit(column, TIMES);
        let nullable = nullable(column).ok_or_else(bad)?;
        let unit = |unit| match unit {
            TimeUnit::MILLIS => 1,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1_000_000,
        };
        let mut zone = true;
        let kind = match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
            (Type::INT64, Some(LogicalType::Timestamp(stamp)), _) => {
                zone = stamp.is_adjusted_to_u_t_c;
                TimeKind::Units(unit(stamp.unit))
            }
            (Type::INT64, None, ConvertedType::TIMESTAMP_MILLIS) => TimeKind::Units(1),
            (Type::INT64, None, ConvertedType::TIMESTAMP_MICROS) => TimeKind::Units(1_000),
            (Type::INT96, ..) => {
                zone = false;
                TimeKind::Int96
            }
            (Type::FLOAT, None, _) => TimeKind::Float,
            (Type::DOUBLE, None, _) => TimeKind::Double,
            (Type::INT32, ..) => TimeKind::Seconds32 { signed: integers(column).ok_or_else(bad)? },
            (Type::INT64, ..) => TimeKind::Seconds64 { signed: integers(column).ok_or_else(bad)? },
            (Type::BYTE_ARRAY, ..) if is_text(column) => TimeKind::Text,
            _ => return Err(bad()),
        };
        Ok(Self { kind, nullable, zone })
    }

    /// Whether it is left open in which zone they are.
    pub(super) const fn lack_a_zone(self) -> bool {
        !self.zone
    }

    pub(super) fn source<'a>(self, reader: ColumnReader) -> Box<dyn Source<Stamp> + 'a> {
        fn told<N: ToString>(read: Result<i64, BadTime>, number: N) -> Stamp {
            read.map_err(|why| (why, number.to_string().into_bytes().into()))
        }
        let n = self.nullable;
        match self.kind {
            TimeKind::Seconds32 { signed } => source::<Int32Type, _>(reader, n, move |number| {
                let number = if signed { i64::from(number) } else { i64::from(number.cast_unsigned()) };
                told(time::of_seconds(number), number)
            }),
            TimeKind::Seconds64 { signed: true } => {
                source::<Int64Type, _>(reader, n, |number| told(time::of_seconds(number), number))
            }
            TimeKind::Seconds64 { signed: false } => source::<Int64Type, _>(reader, n, |number| {
                let number = number.cast_unsigned();
                told(time::of_seconds(i64::try_from(number).unwrap_or(i64::MAX)), number)
            }),
            TimeKind::Units(a_milli) => source::<Int64Type, _>(reader, n, move |number| {
                told(time::of_millis(number.div_euclid(a_milli)), number)
            }),
            TimeKind::Int96 => {
                source::<Int96Type, _>(reader, n, |stamp| told(time::of_millis(stamp.to_millis()), stamp))
            }
            TimeKind::Float => {
                source::<FloatType, _>(reader, n, |number| told(time::of_float(f64::from(number)), number))
            }
            TimeKind::Double => {
                source::<DoubleType, _>(reader, n, |number| told(time::of_float(number), number))
            }
            TimeKind::Text => source::<ByteArrayType, _>(reader, n, |text| {
                time::parse(text.data()).map_err(|why| (why, text.data().into()))
            }),
        }
    }
}

impl Numbers {
    pub(super) fn of(column: &ColumnDescriptor) -> Result<Self, ParquetError> {
        let bad = || unfit(column, NUMBERS);
        let nullable = nullable(column).ok_or_else(bad)?;
        let is_decimal = matches!(column.logical_type_ref(), Some(LogicalType::Decimal(_)))
            || column.converted_type() == ConvertedType::DECIMAL;
        // No decimal has more than 38 digits, so each of these powers is a number.
        let scale = if is_decimal { ten_to(column.type_scale()).ok_or_else(bad)? } else { 1.0 };
        let signed = || if is_decimal { Some(true) } else { integers(column) }.ok_or_else(bad);
        let is_half = matches!(column.logical_type_ref(), Some(LogicalType::Float16));
        let kind = match column.physical_type() {
            Type::INT32 => NumberKind::Int32 { signed: signed()?, scale },
            Type::INT64 => NumberKind::Int64 { signed: signed()?, scale },
            Type::FLOAT => NumberKind::Float,
            Type::DOUBLE => NumberKind::Double,
            Type::FIXED_LEN_BYTE_ARRAY if is_half && column.type_length() == 2 => NumberKind::Half,
            Type::FIXED_LEN_BYTE_ARRAY if is_decimal && column.type_length() <= 16 => {
                NumberKind::Decimal { fixed: true, scale }
            }
            Type::BYTE_ARRAY if is_decimal => NumberKind::Decimal { fixed: false, scale },
            _ => return Err(bad()),
        };
        Ok(Self { kind, nullable })
    }

    pub(super) fn source<'a>(self, reader: ColumnReader) -> Box<dyn Source<f64> + 'a> {
        let n = self.nullable;
        match self.kind {
            NumberKind::Int32 { signed: true, scale } => {
                source::<Int32Type, _>(reader, n, move |number| f64::from(number) / scale)
            }
            NumberKind::Int32 { signed: false, .. } => {
                source::<Int32Type, _>(reader, n, |number| f64::from(number.cast_unsigned()))
            }
            NumberKind::Int64 { signed: true, scale } => {
                source::<Int64Type, _>(reader, n, move |number| number as f64 / scale)
            }
            NumberKind::Int64 { signed: false, .. } => {
                source::<Int64Type, _>(reader, n, |number| number.cast_unsigned() as f64)
            }
            NumberKind::Float => source::<FloatType, _>(reader, n, f64::from),
            NumberKind::Double => source::<DoubleType, _>(reader, n, |number| number),
            NumberKind::Half => source::<FixedLenByteArrayType, _>(reader, n, |bytes| half(bytes.data())),
            NumberKind::Decimal { fixed: true, scale } => {
                source::<FixedLenByteArrayType, _>(reader, n, move |bytes| decimal(bytes.data(), scale))
            }
            NumberKind::Decimal { fixed: false, scale } => {
                source::<ByteArrayType, _>(reader, n, move |bytes| decimal(bytes.data(), scale))
            }
        }
    }
}

impl Names {
    pub(super) fn of(column: &ColumnDescriptor) -> Result<Self, ParquetError> {
        let bad = || unfit(column, NAMES);
        let nullable = nullable(column).ok_or_else(bad)?;
        let kind = match column.physical_type() {
            Type::BYTE_ARRAY if is_text(column) => NameKind::Text,
            Type::INT32 if integers(column) == Some(true) => NameKind::Int32,
            Type::INT64 if integers(column) == Some(true) => NameKind::Int64,
            _ => return Err(bad()),
        };
        Ok(Self { kind, nullable })
    }

    pub(super) fn source<'a>(self, reader: ColumnReader) -> Box<dyn Source<ByteArray> + 'a> {
        let n = self.nullable;
        let written = |number: i64| ByteArray::from(number.to_string().into_bytes());
        match self.kind {
            NameKind::Text => source::<ByteArrayType, _>(reader, n, |text| text),
            NameKind::Int32 => source::<Int32Type, _>(reader, n, move |number| written(i64::from(number))),
            NameKind::Int64 => source::<Int64Type, _>(reader, n, written),
        }
    }
}

/// A power of ten that a decimal can have.
fn ten_to(scale: i32) -> Option<f64> {
    let scale = u32::try_from(scale).ok().filter(|&scale| scale <= 38)?;
    Some((0..scale).fold(1.0, |power, _| power * 10.0))
}

/// Two's complement, the most significant byte first. More than 16 bytes is no decimal of this format.
fn decimal(bytes: &[u8], scale: f64) -> f64 {
    let Some(&first) = bytes.first() else { return f64::NAN };
    if bytes.len() > 16 {
        return f64::NAN;
    }
    let sign = if first & 0x80 == 0 { 0 } else { -1_i128 };
    bytes.iter().fold(sign, |sum, &byte| (sum << 8) | i128::from(byte)) as f64 / scale
}

/// IEEE 754 binary16, the least significant byte first.
fn half(bytes: &[u8]) -> f64 {
    let [low, high] = *bytes else { return f64::NAN };
    let bits = u16::from_le_bytes([low, high]);
    let (exponent, fraction) = ((bits >> 10) & 0x1f, f64::from(bits & 0x3ff) / 1_024.0);
    let size = match exponent {
        0 => fraction / 16_384.0,
        31 => return f64::NAN,
        _ => (1.0 + fraction) * f64::from(1_u32 << exponent) / 32_768.0,
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
