"""Reads every table of one output with several engines, which must find the promised types, and tells how many rows there are.

Usage: engines.py OUTPUT_FOLDER ENGINE...; the promised types come as JSON on standard input, table by table. Engines:
pyarrow, duckdb, spark.
"""

import json
import pathlib
import sys

ARROW = {
    "string": "string",
    "int64": "bigint",
    "bool": "boolean",
    "timestamp[us, tz=UTC]": "timestamp",
    "timestamp[us, tz=+00:00]": "timestamp",
    "list<element: string not null>": "array<string>",
    "list<element: string>": "array<string>",
    "list<element: int64 not null>": "array<bigint>",
}
DUCKDB = {
    "VARCHAR": "string",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "VARCHAR[]": "array<string>",
    "BIGINT[]": "array<bigint>",
}


def pyarrow(folder):
    import pyarrow.parquet as parquet

    rows, types = 0, set()
    for file in sorted(folder.rglob("*.parquet")):
        metadata = parquet.read_metadata(file)
        rows += metadata.num_rows
        # As it is stored: nothing of it may come from a schema that Arrow left for itself.
        assert b"ARROW:schema" not in (metadata.metadata or {}), file
        schema = parquet.read_schema(file)
        types.add(tuple((field.name, ARROW[str(field.type)]) for field in schema))
    (only,) = types
    return dict(only), rows


def duckdb(folder):
    import duckdb as engine

    connection = engine.connect()
    files = f"'{folder}/*/*.parquet'"
    found = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({files}, hive_partitioning = false)").fetchall()
    (rows,) = connection.execute(f"SELECT count(*) FROM read_parquet({files})").fetchone()
    return {row[0]: DUCKDB[row[1]] for row in found}, rows


def spark(folder):
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    frame = session.read.parquet(*[str(file) for file in sorted(folder.rglob("*.parquet"))])
    return dict(frame.dtypes), frame.count()


def main(out, engines):
    promised = json.load(sys.stdin)
    counted = {}
    for name, columns in promised.items():
        folder = out / "parquet" / name
        for engine in engines:
            types, rows = {"pyarrow": pyarrow, "duckdb": duckdb, "spark": spark}[engine](folder)
            assert types == columns, (engine, name, types, columns)
            assert counted.setdefault(name, rows) == rows, (engine, name, rows, counted[name])
    assert all(counted.values()), counted
    print(", ".join(f"{rows} {name}" for name, rows in counted.items()))


main(pathlib.Path(sys.argv[1]), sys.argv[2:])
