#!/usr/bin/env python3
"""Whether the three outputs hold the same rows, and what provenance costs in bytes.

Rows are compared by count, count of values and sum of values in every group of month, region, measure, averaging,
unit, reference state and state of the value, and by the first and last hour of the group. Exit code 1: they differ.
"""

import argparse
import json
from pathlib import Path

import duckdb

# What is stored of each row's origin. The digest of the file stands in the path of its part; the address follows from these.
PROVENANCE = ["source_sheet", "source_row", "source_column"]

GROUPS = """
    SELECT data_month, geo_id, region_code, geo_name, measure, averaging, unit, data_kind, reference_state, value_state,
           count(*) AS rows, count(value) AS "values", sum(value) AS total, min(obs_time) AS first, max(obs_time) AS last,
           sum(hour_label) AS hours, count(DISTINCT data_date) AS days
    FROM {rows} GROUP BY ALL
"""


def files_of_table(data, dataset):
    """Current files of a dataset in the Delta table air_hourly, found by replaying its log."""
    folder = data / "tables" / "air_hourly"
    current = {}
    for entry in sorted((folder / "_delta_log").glob("*.json")):
        for line in entry.read_text(encoding="utf-8").splitlines():
            action = json.loads(line)
            if "add" in action and action["add"]["partitionValues"].get("dataset_id") == dataset:
                current[action["add"]["path"]] = None
            elif "remove" in action:
                current.pop(action["remove"]["path"], None)
    return [str(folder / path) for path in current]


def rows_of(files):
    """A table function over files."""
    if not files:
        raise SystemExit("an output has no Parquet files")
    return f"read_parquet({files}, hive_partitioning = false)"


def compare(connection, outputs):
    """Prints counts and sums; gives whether they agree in every group."""
    agree = True
    for name, files in outputs.items():
        connection.execute(f"CREATE TABLE {name} AS {GROUPS.format(rows=rows_of(files))}")
        query = f'SELECT CAST(sum(rows) AS BIGINT), CAST(sum("values") AS BIGINT), sum(total) FROM {name}'
        rows, values, total = connection.execute(query).fetchone()
        size = sum(Path(file).stat().st_size for file in files)
        print(f"{name:8} {rows:>12,} rows {values:>12,} values, sum {total:>18,}; {size:>13,} bytes in {len(files)} files")
    first, *others = outputs
    for other in others:
        differing = connection.execute(
            f"SELECT count(*) FROM (FROM {first} EXCEPT ALL FROM {other} UNION ALL (FROM {other} EXCEPT ALL FROM {first}))"
        ).fetchone()[0]
        groups = connection.execute(f"SELECT count(*) FROM {first}").fetchone()[0]
        print(f"{first} and {other}: {differing} of {groups:,} groups differ")
        agree = agree and differing == 0
    return agree


def codecs(connection, files):
    """Codec and largest row group of files."""
    return connection.execute(
        f"SELECT string_agg(DISTINCT compression), max(row_group_num_rows) FROM parquet_metadata({files})"
    ).fetchone()


def provenance_as_written(connection, files):
    """Prints the share of each provenance column in the product's own files."""
    sizes = dict(
        connection.execute(
            f"SELECT path_in_schema, CAST(sum(total_compressed_size) AS BIGINT) FROM parquet_metadata({files}) "
            "GROUP BY 1 ORDER BY 2 DESC"
        ).fetchall()
    )
    own = sum(size for name, size in sizes.items() if name not in PROVENANCE)
    added = sum(size for name, size in sizes.items() if name in PROVENANCE)
    print(f"provenance as written: {added:,} bytes beside {own:,}, {added / own:.1%} more (to reach: at most 25 %)")
    for name, size in sizes.items():
        print(f"    {name:16} {size:>13,}  {size / own:6.1%}{'  provenance' if name in PROVENANCE else ''}")


def provenance_rewritten(connection, files, scratch, compression):
    """Prints the sizes of the product's rows written again by DuckDB, with the columns and without."""
    codec, _, level = compression.partition(":")
    settings = f"FORMAT parquet, COMPRESSION {codec}" + (f", COMPRESSION_LEVEL {level}" if level else "")
    sizes = {}
    for name, columns in (("with", "*"), ("without", f"* EXCLUDE ({', '.join(PROVENANCE)})")):
        out = scratch / f"{name}.parquet"
        connection.execute(f"COPY (SELECT {columns} FROM {rows_of(files)}) TO '{out}' ({settings})")
        sizes[name] = out.stat().st_size
        out.unlink()
    more = sizes["with"] / sizes["without"] - 1
    print(f"provenance rewritten:  {sizes['with']:,} bytes with, {sizes['without']:,} without, {more:.1%} more")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("gongkai", type=Path, help="the product's warehouse folder")
    arguments.add_argument("duckdb", type=Path)
    arguments.add_argument("polars", type=Path)
    arguments.add_argument("--scratch", type=Path, required=True)
    arguments.add_argument("--compression", default="zstd:3")
    arguments.add_argument("--dataset", default="air_city_hourly")
    options = arguments.parse_args()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET temp_directory = '{options.scratch}/spill'")
    outputs = {
        "gongkai": files_of_table(options.gongkai, options.dataset),
        "duckdb": sorted(str(path) for path in options.duckdb.rglob("*.parquet")),
        "polars": sorted(str(path) for path in options.polars.rglob("*.parquet")),
    }
    agree = compare(connection, outputs)
    for name, files in outputs.items():
        codec, largest = codecs(connection, files)
        print(f"{name:8} {codec}, row groups of {largest:,} rows at most")
    provenance_as_written(connection, outputs["gongkai"])
    provenance_rewritten(connection, outputs["gongkai"], options.scratch, options.compression)
    raise SystemExit(0 if agree else 1)


if __name__ == "__main__":
    main()
