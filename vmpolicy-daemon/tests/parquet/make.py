#!/usr/bin/env python3
"""Writes the Parquet files that ../backtest_parquet.rs reads, into this folder.

    pip install pyarrow==26.0.1 pandas==3.1.1 duckdb==2.0.0 && python3 make.py

Every file but those in ODD holds the rows of rows.csv: two series, forty rows each, a
gap in each.
"""

import pathlib
import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
START = 1_241_568_000
ROWS = [
    (name, START + 60 * minute, None if (minute + 5 * web) % 17 == 16 else (minute * 7 + 30 * web) % 101)
    for minute in range(40)
    for web, name in enumerate(["db1", "web1"])
]
NAMES = pa.array([row[0] for row in ROWS])
VALUES = [row[2] for row in ROWS]


def seconds(factor=1):
    return [row[1] * factor for row in ROWS]


def stamps(unit, zone="UTC"):
    factor = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    return pa.array(seconds(factor), pa.timestamp(unit, tz=zone))


def write(name, times, values=None, series=NAMES, **options):
    values = pa.array(VALUES, pa.float64()) if values is None else values
    columns = {"series": series, "timestamp": times, "value": values}
    table = pa.table({key: column for key, column in columns.items() if column is not None})
    options = {"row_group_size": 33, "compression": "snappy", **options}
    pq.write_table(table, HERE / f"{name}.parquet", **options)


def main():
    (HERE / "rows.csv").write_text(
        "series,timestamp,value\n"
        + "".join(f"{name},{at},{'' if value is None else value}\n" for name, at, value in ROWS)
    )
    # How it is packed.
    for packed in ["none", "snappy", "gzip", "zstd"]:
        write(f"packed-{packed}", stamps("ms"), compression=packed)
    write("pages-v2", stamps("us"), data_page_version="2.0", compression="zstd", data_page_size=64)
    write("dictionary", stamps("us"), series=NAMES.dictionary_encode(), use_dictionary=True)
    write("plain", stamps("us"), use_dictionary=False)
    write(
        "delta",
        stamps("us"),
        use_dictionary=False,
        column_encoding={
            "timestamp": "DELTA_BINARY_PACKED",
            "series": "DELTA_BYTE_ARRAY",
            "value": "BYTE_STREAM_SPLIT",
        },
    )
    # How the times are written.
    for unit in ["ms", "us", "ns"]:
        write(f"times-{unit}", stamps(unit))
    write("times-no-zone", stamps("us", zone=None))
    write("times-int96", stamps("ns"), use_deprecated_int96_timestamps=True)
    write("times-int64", pa.array(seconds(), pa.int64()))
    write("times-uint32", pa.array(seconds(), pa.uint32()))
    write("times-double", pa.array([float(at) for at in seconds()]))
    write("times-text", pa.array([f"{pd.Timestamp(at, unit='s', tz='UTC').isoformat()}" for at in seconds()]))
    write("times-old", stamps("ms"), version="1.0")
    # How the values are written.
    for kind in ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "float32"]:
        write(f"values-{kind}", stamps("ms"), pa.array(VALUES, kind))
    halves = pa.array(VALUES, pa.float32()).cast(pa.float16())
    write("values-float16", stamps("ms"), halves)
    for digits in [9, 18, 38]:
        decimals = pa.array(VALUES, pa.int64()).cast(pa.decimal128(digits if digits > 20 else 21, 2))
        integer = digits < 38
        write(
            f"values-decimal{digits}",
            stamps("ms"),
            decimals.cast(pa.decimal128(digits, 2)),
            store_decimal_as_integer=integer,
        )
    # As others write it.
    frame = pd.DataFrame(
        {"series": [row[0] for row in ROWS], "value": VALUES},
        index=pd.DatetimeIndex(pd.to_datetime(seconds(), unit="s", utc=True), name="timestamp"),
    )
    frame.to_parquet(HERE / "pandas.parquet")
    csv = str(HERE / "rows.csv")
    for packed in ["zstd", "gzip", "snappy"]:
        duckdb.sql(
            f"copy (select series, make_timestamptz(timestamp * 1000000) as timestamp,"
            f" cast(value as decimal(5, 2)) as value from read_csv('{csv}'))"
            f" to '{HERE}/duckdb-{packed}.parquet' (format parquet, codec '{packed}')"
        )
    odd()


def odd():
    """Files with something the matter, or with other rows."""
    write("odd-times", pa.array([at * 1_000 for at in seconds()], pa.int64()))
    write("odd-null-time", pa.array([None if i == 70 else at for i, at in enumerate(seconds())], pa.int64()))
    write("odd-null-name", stamps("ms"), series=pa.array([None if i == 40 else "a" for i in range(80)]))
    write("odd-value-text", stamps("ms"), pa.array([str(value) for value in VALUES]))
    write("odd-time-date", pa.array([14_370] * 80, pa.date32()))
    write("odd-value-list", stamps("ms"), pa.array([[value] for value in VALUES]))
    write("odd-codec", stamps("ms"), compression="brotli")
    write("odd-empty", stamps("ms")[:0], pa.array([], pa.float64()), series=NAMES[:0])
    less = pa.array([None if value is None else -value - 0.25 for value in VALUES])
    write("odd-negative-float16", stamps("ms"), less.cast(pa.float32()).cast(pa.float16()))
    write("odd-negative-decimal", stamps("ms"), less.cast(pa.decimal128(21, 2)))
    write("odd-not-finite", stamps("ms"), pa.array([float("nan"), float("inf")] + [1.0] * 78))
    pq.write_table(
        pa.table({"ts": stamps("ms")[::2], "cpu": pa.array(VALUES[::2], pa.int16()), "core": [1] * 40}),
        HERE / "odd-columns.parquet",
    )


if __name__ == "__main__":
    sys.exit(main())
