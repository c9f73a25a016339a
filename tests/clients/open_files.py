"""The Delta tables of the open folder and the released files over HTTP, read by polars, delta-rs, duckdb and pyarrow: what they
hold is what SQL answers."""

import csv
import hashlib
import io
import urllib.error
import urllib.request
from pathlib import Path

import duckdb
import fsspec
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
from canonical import canonical, digest, of_arrow
from deltalake import DeltaTable
from served import check, equal, run, served
from statements import ask, columns, get

OPEN = Path(served.data) / "open"
ORDER = "release_id, row_no"


def answer(source, names):
    """Rows of a table in the order of their release, over HTTP."""
    listed = ", ".join(f'"{name}"' for name in names)
    sql = f"SELECT {listed} FROM open.{source} ORDER BY {ORDER}"
    return of_arrow(pyarrow.ipc.open_stream(ask(sql, format="arrow")).read_all())


def ordered(table, names):
    """An Arrow table of a reader in the same columns and order."""
    return of_arrow(table.select(names).sort_by([("release_id", "ascending"), ("row_no", "ascending")]))


def delta_tables():
    """Name, path and columns of each Delta table; there is one for each table with released rows."""
    found = sorted(path.name for path in OPEN.iterdir())
    released = {table["name"] for table in get("/api/v1/tables")["tables"] if table["kind"] == "released" and table["rows"]}
    equal(set(found), released, "tables of the open folder")
    known = columns()
    for name in found:
        yield name, OPEN / name, known["open", name]


def compare(read):
    """Reads each Delta table in one way and compares it with SQL."""
    wrong = []
    for name, path, names in delta_tables():
        try:
            table = read(str(path))
            equal(sorted(table.column_names), sorted(names), "columns")
            found, wanted = ordered(table, names), answer(f'"{name}"', names)
            at = next((place for place, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1]), None)
            assert digest(found) == digest(wanted), f"row {at} of {len(found)} and {len(wanted)}: {found[at or 0]} and {wanted[at or 0]}"
        except Exception as error:  # noqa: BLE001: each reader has its own
            wrong.append(f"{name}: {type(error).__name__}: {str(error)[:400]}")
    assert not wrong, f"{len(wrong)} tables: " + "; ".join(wrong[:5])


@check
def delta_rs_reads_what_sql_answers():
    compare(lambda path: pyarrow.table(DeltaTable(path).to_pyarrow_table()))


@check
def polars_reads_what_sql_answers():
    compare(lambda path: polars.read_delta(path).to_arrow())


@check
def duckdb_reads_what_sql_answers():
    # Its extension for Delta would be fetched; the log names the files as well.
    def read(path):
        files = DeltaTable(path).file_uris()
        read = duckdb.read_parquet(files, hive_partitioning=True)
        return read.to_arrow_table()

    compare(read)


@check
def delta_tables_tell_their_columns_apart_in_words():
    table = DeltaTable(str(OPEN / "debt_stock"))
    fields = {field.name: field for field in table.schema().fields}
    equal(str(fields["amount_yuan"].type.type), "decimal(20,2)")
    equal(list(table.metadata().partition_columns), ["release_id"])


def files():
    """The files of the current releases of some datasets, with the table that they are part of."""
    for dataset in ("debt_limit_balance_final", "air_city_hourly", "cpi_monthly", "admin_decisions"):
        record = get(f"/api/v1/datasets/{dataset}")
        table = record["table"]
        for release in get(f"/api/v1/datasets/{dataset}/releases")["releases"]:
            for file in release["files"] if release["is_current"] else []:
                yield table, release, file


def send(path, method="GET", **headers):
    """Status, headers and body, whatever the status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{served.http}{path}", method=method, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@check
def released_files_are_sent_whole_and_in_parts():
    count = 0
    for _, _, file in files():
        count += 1
        path, size = file["href"], file["bytes"]
        status, headers, body = send(path)
        equal((status, len(body), hashlib.sha256(body).hexdigest()), (200, size, file["sha256"]), path)
        status, head, nothing = send(path, "HEAD")
        equal((status, nothing, head["content-length"], head["accept-ranges"]), (200, b"", str(size), "bytes"), path)
        equal((head["etag"], head["content-type"]), (headers["etag"], file["media_type"]), path)
        for wanted, start, end in [("bytes=0-3", 0, 3), ("bytes=-4", size - 4, size - 1), ("bytes=2-", 2, size - 1), ("bytes=5-999999999", 5, size - 1)]:
            status, part, piece = send(path, range=wanted)
            equal((status, part["content-range"], piece), (206, f"bytes {start}-{end}/{size}", body[start : end + 1]), f"{path} {wanted}")
        status, part, _ = send(path, range=f"bytes={size}-")
        equal((status, part["content-range"]), (416, f"bytes */{size}"), path)
        equal(send(path, range="bytes=0-3", if_range='"another"')[0], 200, f"{path}, another version")
        equal(send(path, range="bytes=0-3", if_range=headers["etag"])[0], 206, f"{path}, the same version")
        equal(send(path, if_none_match=headers["etag"])[0], 304, path)
    assert count >= 8, f"{count} files"


def release_table(table, release):
    return f'"{table}@{release["id"]}"', columns()["open", table]


@check
def parquet_files_over_http_hold_what_sql_answers():
    count = 0
    for table, release, file in files():
        if file["name"] != "data.parquet":
            continue
        count += 1
        source, names = release_table(table, release)
        wanted = digest(answer(source, names))
        url = f"{served.http}{file['href']}"
        with fsspec.open(url) as opened:
            in_parts = pyarrow.parquet.ParquetFile(opened)
            found = in_parts.read()
        held = [name for name in names if name in found.column_names]
        assert len(held) >= len(names) - 1, f"{url} lacks {set(names) - set(held)}"
        if "release_id" not in held:
            found = found.append_column("release_id", [[release["id"]] * found.num_rows])
        equal(digest(ordered(found, names)), wanted, f"pyarrow, {url}")
        frame = polars.read_parquet(url)
        if "release_id" not in frame.columns:
            frame = frame.with_columns(polars.lit(release["id"]).alias("release_id"))
        equal(digest(ordered(frame.to_arrow(), names)), wanted, f"polars, {url}")
    assert count >= 4, f"{count} files"


@check
def csv_files_over_http_have_the_rows_of_sql():
    for table, release, file in files():
        if file["name"] == "data.csv":
            source, _ = release_table(table, release)
            names, *rows = csv.reader(io.StringIO(send(file["href"])[2].decode()))
            amounts = ["row_no", *(name for name in names if name in ("amount_yuan", "value", "index_value"))]
            found = sorted(([row[names.index(name)] or None for name in amounts] for row in rows), key=lambda row: int(row[0]))
            equal(canonical(amounts, found), answer(source, amounts), file["href"])


run()
