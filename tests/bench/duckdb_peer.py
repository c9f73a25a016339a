#!/usr/bin/env python3
"""The reshaping and typing of feed air_city_hourly as one DuckDB statement: what a careful hand would write.

Reads every file of INBOX and writes OUT/data_month=…/*.parquet with the declared columns of table air_hourly. It keeps
no provenance, no copy of the files and no record of them, checks no header, and has no second run to be equal to.
"""

import argparse
from pathlib import Path

import duckdb

from columns import MEASURES

STATEMENT = """
COPY (
    WITH line AS (
        SELECT
            c.region_code,
            w."城市" AS geo_name,
            -- The label is the end of the hour; Beijing is UTC+8 all year.
            CAST(strptime(w.date, '%Y%m%d') + to_hours(CAST(w.hour AS INTEGER) - 8) AS TIMESTAMPTZ) AS obs_time,
            CAST(strptime(w.date, '%Y%m%d') AS DATE) - CAST(w.hour = '0' AS INTEGER) AS data_date,
            CASE WHEN w.hour = '0' THEN 24 ELSE CAST(w.hour AS INTEGER) END AS hour_label,
            {values}
        FROM read_csv($files, header = true, delim = ',', auto_detect = false,
                      columns = {columns}) AS w
        LEFT JOIN read_csv($cities, header = true, all_varchar = true) AS c ON c.city = w."城市"
    ),
    long AS (
        FROM line UNPIVOT INCLUDE NULLS (raw_text FOR type IN ({names}))
    )
    SELECT
        'city' AS geo_kind,
        coalesce(region_code, geo_name) AS geo_id,
        geo_name,
        region_code,
        obs_time,
        data_date,
        hour_label,
        strftime(data_date, '%Y-%m') AS data_month,
        m.measure,
        m.averaging,
        'realtime' AS data_kind,
        CASE WHEN data_date <= DATE '2018-08-31' THEN 'std273' ELSE 'ref298_actual' END AS reference_state,
        CASE WHEN raw_text NOT IN ('', 'NA', '-', '--', '—') THEN CAST(raw_text AS DECIMAL(12, 4)) END AS value,
        m.unit,
        CASE WHEN raw_text IN ('', 'NA', '-', '--', '—') THEN 'missing' ELSE 'value' END AS value_state,
        raw_text
    FROM long JOIN (VALUES {measures}) AS m(type, measure, averaging, unit) USING (type)
    {order}
) TO '{out}' (FORMAT parquet, PARTITION_BY (data_month), WRITE_PARTITION_COLUMNS true, {compression})
"""


def statement(out, compression, order):
    """The statement with its lists filled in."""
    codec, _, level = compression.partition(":")
    columns = ["date", "hour", "城市"] + [measure[0] for measure in MEASURES]
    return STATEMENT.format(
        columns="{" + ", ".join(f"'{name}': 'VARCHAR'" for name in columns) + "}",
        values=", ".join(f"coalesce(w.\"{name}\", '') AS \"{name}\"" for name, *_ in MEASURES),
        names=", ".join(f'"{name}"' for name, *_ in MEASURES),
        measures=", ".join(str(measure) for measure in MEASURES),
        order="ORDER BY obs_time, geo_id, measure, averaging" if order == "key" else "",
        out=out,
        compression=f"COMPRESSION {codec}" + (f", COMPRESSION_LEVEL {level}" if level else ""),
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("inbox", type=Path)
    arguments.add_argument("cities", type=Path, help="CSV of city and region_code")
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--memory", default="2GiB")
    arguments.add_argument("--compression", default="zstd:3", help="codec, or codec:level")
    arguments.add_argument("--order", choices=["any", "key"], default="any")
    options = arguments.parse_args()
    connection = duckdb.connect()
    connection.execute(f"SET threads = {options.threads}")
    connection.execute(f"SET memory_limit = '{options.memory}'")
    connection.execute(f"SET temp_directory = '{options.out}.spill'")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET preserve_insertion_order = {str(options.order == 'key').lower()}")
    files = sorted(str(path) for path in options.inbox.glob("*.csv"))
    named = {"files": files, "cities": str(options.cities)}
    connection.execute(statement(options.out, options.compression, options.order), named)


if __name__ == "__main__":
    main()
