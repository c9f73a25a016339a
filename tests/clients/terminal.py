"""psql against the served instance: what it shows, copies, refuses and cancels."""

import csv
import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

from psql import command, psql
from served import check, equal, run, served, user_of
from statements import ENDLESS, ask, columns, get



def cells(text):
    """Lines of an aligned table as their cells."""
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if "|" in line]


@check
def lists_of_relations_name_every_open_table():
    listed = {row[1] for row in cells(psql("\\d")) if row[0] == "open"}
    opened = {table for schema, table in columns() if schema == "open"}
    assert opened <= listed, f"without {sorted(opened - listed)}"


@check
def lists_of_tables_show_their_chinese_comments():
    listed = {row[1]: row for row in cells(psql("\\dt+ open.*")) if row[0] == "open"}
    tables = [table for table in get("/api/v1/tables")["tables"] if table["schema"] == "open" and table["kind"] == "released"]
    assert len(tables) > 20, f"{len(tables)} tables"
    for table in tables:
        row, record = listed.get(table["name"]), get(f"/api/v1/tables/open.{table['name']}")
        assert row and record["description"]["zh"] in row[-1], f"{table['name']}: {row}"


@check
def a_table_shows_types_and_chinese_comments_of_its_columns():
    shown = {row[0]: row for row in cells(psql("\\d+ open.debt_stock"))}
    record = get("/api/v1/tables/open.debt_stock")
    assert len(record["columns"]) > 10
    for column in record["columns"]:
        row = shown.get(column["name"])
        assert row, f"{column['name']} is not shown"
        assert column["label"]["zh"] in row[-1], f"{column['name']}: {row}"
    equal(shown["amount_yuan"][1], "numeric(20,2)", "type of amount_yuan")
    equal(shown["as_of_year"][1], "integer", "type of as_of_year")
    equal(shown["region_code"][1], "text", "type of region_code")


@check
def schemas_are_listed():
    schemas = {row[0] for row in cells(psql("\\dn"))}
    assert {"open", "catalog", "ref"} <= schemas, schemas
    assert not schemas & {"staging", "restricted"}, schemas


@check
def databases_are_listed():
    databases = [row[0] for row in cells(psql("\\l"))[1:]]
    assert "gongkai" in databases, databases


@check
def other_lists_are_answered():
    for text in ("\\d ref.region", "\\d+ catalog.obligation", "\\dv catalog.*", "\\di", "\\ds", "\\dm", "\\dE", "\\dx", "\\db", "\\conninfo", "\\encoding"):
        psql(text)


@check
def a_missing_relation_is_said_to_be_missing():
    said = psql("\\d open.no_such_table", expected=1)
    assert 'Did not find any relation named "open.no_such_table"' in said, said


@check
def a_copied_file_holds_the_answer():
    sql = "SELECT region_code, region_name, amount_yuan, published_value, CAST(NULL AS TEXT) AS missing, '' AS empty, '=1' AS formula FROM open.debt_stock ORDER BY release_id, row_no LIMIT 50"
    path = Path(served.scratch) / "copied.csv"
    said = psql(f"\\copy ({sql}) TO '{path}' csv header")
    with open(path, newline="") as file:
        names, *rows = csv.reader(file)
    answer = json.loads(ask(sql))
    equal(said.strip(), f"COPY {len(answer['rows'])}")
    equal(names, [column["name"] for column in answer["columns"]])
    equal(rows, [["" if value is None else str(value) for value in row] for row in answer["rows"]])
    assert ',,"",' in path.read_text(), "a missing value and an empty text look the same"


@check
def a_key_opens_over_tls():
    said = psql("SELECT 1 AS one", user=served.key_user, tls="require", password=served.token)
    assert "(1 row)" in said, said


@check
def what_was_set_aside_is_shown_to_those_who_publish():
    sql = ("SELECT count(*) > 0 AS files FROM staging.source_file", "SET search_path = staging", "SELECT count(*) FROM set_aside")
    said = psql(*sql, user=user_of(served.publisher), tls="require", password=served.publisher)
    assert " t" in said and said.count("(1 row)") == 2, said
    for user, tls, password in ((served.key_user, "require", served.token), ("public", "disable", None)):
        said = psql(sql[0], user=user, tls=tls, password=password, expected=1)
        assert "ERROR:  42P01: " in said, said


@check
def the_certificate_can_be_verified():
    start, environment = command(served.key_user, "verify-full")
    start[-1] += f" sslrootcert={served.certificate}"
    environment["PGPASSWORD"] = served.token
    ended = subprocess.run([*start, "-Atc", "SELECT 41 + 1"], env=environment, capture_output=True, text=True, timeout=60)
    equal((ended.stdout.strip(), ended.stderr), ("42", ""))


@check
def a_wrong_password_is_refused():
    said = psql("SELECT 1", user=served.key_user, tls="require", password=f"{served.token}x", expected=2)
    assert "FATAL" in said and "the key is not valid" in said, said
    unknown = psql("SELECT 1", user="gk_00000000", tls="require", password=served.token, expected=2)
    assert "FATAL" in unknown and "the key is not valid" in unknown, unknown


@check
def a_key_without_tls_is_refused():
    said = psql("SELECT 1", user=served.key_user, password=served.token, expected=2)
    assert "FATAL" in said and "TLS only" in said, said


@check
def errors_carry_their_state():
    said = psql("SELECT * FROM open.no_such_table", expected=1)
    assert "ERROR:  42P01: " in said, said


def until(screen, words, seconds):
    """What a terminal shows until it shows the words."""
    shown, end = "", time.monotonic() + seconds
    while words not in shown:
        left = end - time.monotonic()
        assert left > 0 and select.select([screen], [], [], left)[0], f"no {words!r} within {seconds} s: {shown[-500:]}"
        shown += os.read(screen, 65536).decode(errors="replace")
    return shown


@check
def an_interrupt_cancels_the_statement_and_the_connection_goes_on():
    start, environment = command()
    screen, keyboard = pty.openpty()
    process = subprocess.Popen(
        [*start, "-n", "-A", "-t"],
        env=environment | {"TERM": "dumb"},
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        start_new_session=True,
    )
    try:
        os.write(screen, b"SELECT 'rea' || 'dy';\n")
        until(screen, "ready", 20)
        os.write(screen, f"{' '.join(ENDLESS.split())};\n".encode())
        time.sleep(1.5)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        until(screen, "57014", 2)
        took = time.monotonic() - begun
        assert took < 2, f"cancelled after {took:.1f} s"
        os.write(screen, b"SELECT 'goes' || ' on';\n")
        until(screen, "goes on", 20)
    finally:
        process.kill()
        process.wait()
        os.close(screen)
        os.close(keyboard)


run()
