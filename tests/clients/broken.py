"""Answers that fail when a part of them has been sent: each format and protocol says so.

A statement fails at a late row, and a worker is killed while its answer is on the way. The client must end with an error, or
with a file that its format calls incomplete; never with fewer rows that look whole.
"""

import gzip
import http.client
import io
import json
import os
import signal
import socket
import time
import urllib.parse
import zipfile
import zlib

import adbc_driver_manager
import psycopg
import pyarrow
import pyarrow.parquet
from adbc import connect
from hostile_watch import children, resident
from psql import psql
from served import check, equal, run, served

MEBIBYTE = 1 << 20
# What is collected before the first byte is sent.
COLLECTED = 32 * MEBIBYTE
ROWS = 100_000
FAILS_AT = 95_000
# Numbers that do not compress, a text that does not either, and a quotient that fails at a late row.
NUMBERS = ", ".join(f"CAST(n * {2654435761 + 2 * number} % 4294967291 AS BIGINT) AS c{number}" for number in range(56))
COUNTED = f"SELECT row_number() OVER () AS n FROM ref.calendar AS a CROSS JOIN ref.calendar AS b LIMIT {ROWS}"
FAILING = f"SELECT n, {NUMBERS}, 1 / CAST({FAILS_AT} - n AS BIGINT) AS q FROM ({COUNTED}) AS counted"
WHOLE = f"SELECT n, {NUMBERS} FROM ({COUNTED}) AS counted"
# What ends the statement: its own failure, or, where an answer is collected, the bound of its bytes, which may come first.
FAILURES = [(400, "query_failed"), (422, "result_too_large")]
ADDRESS = urllib.parse.urlsplit(served.http)


def ask(sql, format, encoding=None):
    """Status, headers, the bytes that came, and what ended them where it was not their end."""
    connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=120)
    query = urllib.parse.urlencode({"q": sql, "format": format})
    headers = {"Accept-Encoding": encoding} if encoding else {}
    connection.request("GET", f"/api/v1/sql?{query}", headers=headers)
    response = connection.getresponse()
    body, error = io.BytesIO(), None
    try:
        while part := response.read(MEBIBYTE):
            body.write(part)
    except (http.client.IncompleteRead, ConnectionError) as broken:
        body.write(getattr(broken, "partial", b""))
        error = broken
    connection.close()
    return response.status, response.headers, body.getvalue(), error


def breaks(format, encoding=None):
    """The answer breaks off after more than what is collected; gives its bytes."""
    status, headers, body, error = ask(FAILING, format, encoding)
    equal(status, 200, body[:300])
    assert error is not None, f"{format}: {len(body)} bytes came as if they were all"
    assert "x-gongkai-digest" not in headers, f"{format}: a digest of what is not whole"
    assert headers["transfer-encoding"] == "chunked", headers
    return body


def refuses(format):
    """What cannot be sent before it is whole is answered with the error alone."""
    status, _, body, error = ask(FAILING, format)
    assert error is None, error
    assert (status, json.loads(body)["code"]) in FAILURES, f"{status}: {body[:300]}"


@check
def csv_and_ndjson_break_off():
    for format in ["csv", "ndjson"]:
        body = breaks(format)
        assert len(body) >= COLLECTED, f"{format}: {len(body)} bytes"


@check
def a_compressed_answer_breaks_off():
    body = breaks("csv", "gzip")
    inflate = zlib.decompressobj(wbits=31)
    inflate.decompress(body)
    assert not inflate.eof, "the compressed file looks whole"
    try:
        gzip.decompress(body)
    except EOFError:
        return
    raise AssertionError("gzip takes it for whole")


@check
def arrow_breaks_off_without_its_end():
    body = breaks("arrow")
    reader = pyarrow.ipc.open_stream(body)
    rows = 0
    try:
        for batch in reader:
            rows += batch.num_rows
    except (pyarrow.ArrowInvalid, OSError):
        # It is cut within a batch; a cut between two of them is no error for this reader, which is why the end is looked at below.
        pass
    assert 0 < rows < ROWS, f"{rows} rows"
    # The end of a stream is a marker and a length of zero.
    assert not body.endswith(b"\xff\xff\xff\xff\x00\x00\x00\x00"), "the stream has its end"


@check
def parquet_is_never_readable():
    status, _, body, error = ask(FAILING, "parquet")
    if status == 200:
        assert error is not None, f"{len(body)} bytes came as if they were all"
        try:
            pyarrow.parquet.read_table(io.BytesIO(body))
        except pyarrow.ArrowInvalid:
            return
        raise AssertionError("a file that broke off is read")
    # Less than what is collected was written when it failed.
    equal((status, error, json.loads(body)["code"]), (400, None, "query_failed"))


@check
def json_and_xlsx_are_sent_when_they_are_whole():
    for format in ["json", "xlsx"]:
        refuses(format)
    status, _, body, error = ask("SELECT 1 / (n - 5) FROM (SELECT row_number() OVER () AS n FROM ref.calendar) AS x", "xlsx")
    equal((status, error, json.loads(body)["code"]), (400, None, "query_failed"))
    assert not zipfile.is_zipfile(io.BytesIO(body))


@check
def clients_of_http_1_0_see_a_reset():
    query = urllib.parse.urlencode({"q": FAILING, "format": "csv"})
    with socket.create_connection((ADDRESS.hostname, ADDRESS.port), timeout=120) as connection:
        connection.sendall(f"GET /api/v1/sql?{query} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        length, is_reset = 0, False
        try:
            while part := connection.recv(MEBIBYTE):
                length += len(part)
        except ConnectionResetError:
            is_reset = True
    assert length > 0, "nothing came before the end"
    assert is_reset, f"{length} bytes and a clean end"


@check
def a_worker_that_is_killed_breaks_its_answer():
    query = urllib.parse.urlencode({"q": WHOLE, "format": "csv"})
    connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=120)
    connection.connect()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.request("GET", f"/api/v1/sql?{query}")
    response = connection.getresponse()
    equal(response.status, 200)
    begun = response.read(1 << 16)
    assert begun, "nothing came"
    workers = children(served.pid)
    assert workers, "no worker"
    os.kill(max(workers, key=resident), signal.SIGKILL)
    time.sleep(0.2)
    try:
        while response.read(MEBIBYTE):
            pass
    except (http.client.IncompleteRead, ConnectionError):
        connection.close()
        return
    raise AssertionError("the answer of a dead worker ended as if it were whole")


@check
def postgresql_ends_with_an_error():
    with psycopg.connect(**served.postgres(), autocommit=True) as connection:
        for act in [
            lambda: connection.execute(FAILING),
            lambda: psycopg.ClientCursor(connection).execute(FAILING),
            lambda: copied(connection),
        ]:
            try:
                answer = act()
            except psycopg.Error as error:
                # The standard's state for a division by zero.
                equal(error.sqlstate, "22012", str(error))
                continue
            raise AssertionError(f"answered {str(answer)[:100]}")
        equal(connection.execute("SELECT 1").fetchone(), (1,), "the connection is as before")


def copied(connection):
    length = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY ({FAILING}) TO STDOUT (FORMAT csv)") as copy:
        for part in copy:
            length += len(part)
    return length


@check
def psql_says_that_its_copy_failed():
    path = os.path.join(served.scratch, "broken.csv")
    said = psql(f"\\copy ({FAILING}) TO '{path}' CSV", expected=1, seconds=300)
    assert "ERROR:  22012: " in said, said[:300]


@check
def arrow_flight_ends_with_an_error():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(FAILING)
        reader = cursor.fetch_record_batch()
        rows = 0
        try:
            for batch in reader:
                rows += batch.num_rows
        except (adbc_driver_manager.Error, pyarrow.ArrowException, OSError) as error:
            assert 0 < rows < ROWS, f"{rows} rows before {error}"
            assert "InvalidArgument" in str(error) or "INVALID_ARGUMENT" in str(error), error
            return
    raise AssertionError(f"{rows} rows came as if they were all")


run()
