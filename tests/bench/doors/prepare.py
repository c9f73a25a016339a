"""Warehouses to ask, made once and kept: generated hours of air, and the samples that the product ships.

    {work}/{name}/data          the warehouse
    {work}/{name}/parquet/      its current row files under one folder, as links: what the peers read
    {work}/{name}/rows.sqlite   the same rows for Datasette
    {work}/{name}/made.json     what it was made from; anything else is made anew
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

BENCH = Path(__file__).resolve().parents[1]
DATASET = "air_city_hourly"
# Counted up where what is made here changes: warehouses are then made anew.
VERSION = 1

# Nothing that the benchmark asks is cut by time, size or rate. Memory, workers and queues are those of the product.
LIMITS = """\
[query]
timeout_ms = 900000
stream_rows = 1000000000
stream_bytes = 1099511627776

[limits]
queries_per_minute = 0
"""

# Columns that the statements name, in SQLite's types. The index is what a careful hand would add for points.
SQLITE = {
    "air_hourly": (
        {
            "geo_id": "TEXT",
            "obs_time": "TEXT",
            "data_date": "TEXT",
            "hour_label": "INTEGER",
            "data_month": "TEXT",
            "measure": "TEXT",
            "averaging": "TEXT",
            "unit": "TEXT",
            "value": "REAL",
        },
        "CREATE INDEX air_hourly_place ON air_hourly (geo_id, obs_time)",
    ),
    "debt_stock": (
        {
            "region_code": "TEXT",
            "region_name": "TEXT",
            "as_of_year": "INTEGER",
            "measure": "TEXT",
            "debt_kind": "TEXT",
            "amount_yuan": "REAL",
        },
        "CREATE INDEX debt_stock_region ON debt_stock (region_code)",
    ),
}


@dataclass(frozen=True)
class Prepared:
    """A warehouse that is ready."""

    name: str
    folder: Path
    table: str
    rows: int
    files: int

    @property
    def parquet(self) -> Path:
        return self.folder / "parquet"

    @property
    def database(self) -> Path:
        return self.folder / "rows.sqlite"


def run(command: list[object], folder: Path) -> None:
    """Runs a command to its end; says how long it took, and what it said where it fails."""
    words = [str(word) for word in command]
    start = time.monotonic()
    done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    # A release with findings is a release: 1 says that data is at fault.
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    print(f"    gongkai {words[1]}: {time.monotonic() - start:.0f} s", flush=True)


def checksum(path: Path) -> str:
    """The line that `tests/bench/run` keeps beside generated files."""
    return subprocess.run(["cksum"], stdin=path.open("rb"), capture_output=True, text=True, check=True).stdout.strip()


def generate(work: Path, days: int) -> Path:
    """Generated files, shared with the benchmark of ingest."""
    folder = work / f"files-{days}"
    mark, wanted = folder / "generator.cksum", checksum(BENCH / "generate.py")
    if mark.exists() and mark.read_text().strip() == wanted:
        print(f"reused: {folder.name}, {days} generated days", flush=True)
        return folder
    print(f"made:   {folder.name}, {days} generated days", flush=True)
    said = subprocess.run(
        [sys.executable, BENCH / "generate.py", folder, "--files", str(days)], capture_output=True, text=True, check=True
    )
    Path(f"{folder}.txt").write_text(said.stdout, encoding="utf-8")
    mark.write_text(wanted + "\n")
    return folder


def current_files(data: Path, table: str) -> list[Path]:
    """Row files of the current releases of a table, as the product's own catalogue names them."""
    lines = (data.parent / "releases.ndjson").read_text(encoding="utf-8").splitlines()
    current = [release for release in map(json.loads, lines) if release["table_name"] == table]
    return [data / "releases" / release["dataset"] / str(release["number"]) / "data.parquet" for release in current]


def link(data: Path, table: str, target: Path) -> int:
    """Puts the row files of a table into one folder; gives their number."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    files = current_files(data, table)
    for number, file in enumerate(files):
        os.link(file, target / f"{table}-{number:03}.parquet")
    return len(files)


def fill_sqlite(prepared: Path, table: str) -> None:
    """Writes the rows of the Parquet files into an SQLite file."""
    columns, index = SQLITE[table]
    path = prepared / "rows.sqlite"
    path.unlink(missing_ok=True)
    source = duckdb.connect()
    source.execute("SET TimeZone = 'UTC'")
    taken = ", ".join(f"CAST({name} AS {'DOUBLE' if kind == 'REAL' else kind}) AS {name}" for name, kind in columns.items())
    taken = taken.replace("CAST(obs_time AS TEXT)", "strftime(obs_time, '%Y-%m-%d %H:%M:%S')")
    rows = source.execute(f"SELECT {taken} FROM read_parquet('{prepared}/parquet/*.parquet', hive_partitioning = false)")
    target = sqlite3.connect(path)
    target.execute("PRAGMA journal_mode = off")
    target.execute("PRAGMA synchronous = off")
    target.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    while part := rows.fetchmany(100_000):
        target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", part)
    target.execute(index)
    target.execute("ANALYZE")
    target.commit()
    target.close()


def prepare(gongkai: Path, work: Path, name: str, days: int | None, with_sqlite: bool) -> Prepared:
    """A warehouse of so many generated days, or of the shipped samples; the one that is there where it was made alike."""
    folder, table = work / "doors" / name, "debt_stock" if days is None else "air_hourly"
    inbox = None if days is None else generate(work, days) / "inbox"
    mark = folder / "made.json"
    wanted = {"generator": checksum(BENCH / "generate.py"), "preparation": VERSION, "days": days}
    made = json.loads(mark.read_text(encoding="utf-8")) if mark.exists() else {}
    if all(made.get(key) == value for key, value in wanted.items()):
        print(f"reused: warehouse {name}, {made['rows']:,} rows, made by {made['by']} on {made['on']}", flush=True)
    else:
        print(f"made:   warehouse {name}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        data = folder / "data"
        if inbox is None:
            run([gongkai, "up", "--once", "--data", data], folder)
        else:
            run([gongkai, "ingest", DATASET, "--inbox", inbox, "--data", data], folder)
            run([gongkai, "release", DATASET, "--data", data], folder)
        listing = "SELECT dataset, number, table_name FROM catalog.release WHERE is_current"
        run([gongkai, "sql", listing, "--data", data, "--format", "ndjson", "--output", folder / "releases.ndjson"], folder)
        files = link(data, table, folder / "parquet")
        rows = duckdb.sql(f"SELECT count(*) FROM '{folder}/parquet/*.parquet'").fetchall()[0][0]
        if with_sqlite:
            fill_sqlite(folder, table)
        version = subprocess.run([gongkai, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        made = {**wanted, "rows": rows, "files": files, "by": version, "on": time.strftime("%Y-%m-%d")}
        mark.write_text(json.dumps(made, indent=1), encoding="utf-8")
    (folder / "gongkai.toml").write_text(LIMITS, encoding="utf-8")
    # Every system reads from the page cache, also the first.
    for file in [*(folder / "parquet").iterdir(), *folder.glob("rows.sqlite")]:
        with open(file, "rb") as content:
            while content.read(1 << 22):
                pass
    return Prepared(name, folder, table, made["rows"], made["files"])
