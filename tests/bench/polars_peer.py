#!/usr/bin/env python3
"""The reshaping and typing of feed air_city_hourly in polars' streaming engine: what a careful hand would write.

Reads every file of INBOX and writes OUT/data_month=…/*.parquet with the declared columns of table air_hourly. It keeps
no provenance, no copy of the files and no record of them, checks no header, and has no second run to be equal to.

The number of threads is the environment's: POLARS_MAX_THREADS.
"""

import argparse
from pathlib import Path

import polars as pl

from columns import MEASURES

MISSING = ["", "NA", "-", "--", "—"]


def long_rows(inbox, cities):
    """Rows of table air_hourly, one for each cell of every file."""
    codes = pl.read_csv(cities, infer_schema=False).rename({"city": "城市"}).lazy()
    measures = pl.LazyFrame(MEASURES, schema=["type", "measure", "averaging", "unit"], orient="row")
    day = pl.col("date").str.to_date("%Y%m%d")
    hour = pl.col("hour").cast(pl.Int32)
    lines = (
        pl.scan_csv(sorted(inbox.glob("*.csv")), infer_schema=False, empty_string_is_null=False)
        .join(codes, on="城市", how="left")
        .select(
            # The label is the end of the hour; Beijing is UTC+8 all year.
            (day.cast(pl.Datetime("us")) + pl.duration(hours=hour - 8)).dt.replace_time_zone("UTC").alias("obs_time"),
            (day - pl.duration(days=(hour == 0).cast(pl.Int32))).cast(pl.Date).alias("data_date"),
            pl.when(hour == 0).then(24).otherwise(hour).cast(pl.Int32).alias("hour_label"),
            pl.col("城市").alias("geo_name"),
            "region_code",
            *[name for name, *_ in MEASURES],
        )
        .with_columns(
            pl.col("data_date").dt.strftime("%Y-%m").alias("data_month"),
            pl.coalesce("region_code", "geo_name").alias("geo_id"),
            pl.when(pl.col("data_date") <= pl.date(2018, 8, 31))
            .then(pl.lit("std273"))
            .otherwise(pl.lit("ref298_actual"))
            .alias("reference_state"),
        )
    )
    of_line = ["obs_time", "data_date", "hour_label", "geo_name", "region_code", "data_month", "geo_id", "reference_state"]
    is_missing = pl.col("raw_text").is_in(MISSING)
    return (
        lines.unpivot(on=[name for name, *_ in MEASURES], index=of_line, variable_name="type", value_name="raw_text")
        .join(measures, on="type", how="left")
        .select(
            pl.lit("city").alias("geo_kind"),
            "geo_id",
            "geo_name",
            "region_code",
            "obs_time",
            "data_date",
            "hour_label",
            "data_month",
            "measure",
            "averaging",
            pl.lit("realtime").alias("data_kind"),
            "reference_state",
            pl.when(~is_missing).then(pl.col("raw_text")).cast(pl.Decimal(12, 4)).alias("value"),
            "unit",
            pl.when(is_missing).then(pl.lit("missing")).otherwise(pl.lit("value")).alias("value_state"),
            "raw_text",
        )
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("inbox", type=Path)
    arguments.add_argument("cities", type=Path, help="CSV of city and region_code")
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--compression", default="zstd:3", help="codec, or codec:level")
    arguments.add_argument("--order", choices=["any", "key"], default="any")
    options = arguments.parse_args()
    codec, _, level = options.compression.partition(":")
    rows = long_rows(options.inbox, options.cities)
    if options.order == "key":
        rows = rows.sort("obs_time", "geo_id", "measure", "averaging")
    rows.sink_parquet(
        pl.PartitionBy(options.out, key="data_month", include_key=True),
        compression=codec,
        compression_level=int(level) if level else None,
        maintain_order=options.order == "key",
        mkdir=True,
        engine="streaming",
    )


if __name__ == "__main__":
    main()
