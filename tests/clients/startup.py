"""Sends what tools ask after they connect, and prints one JSON line for each answer.

    startup.py HOST PORT [TOOL …]

The statements are in startup/{tool}.sql, each followed by a line with `;`. Lines that begin with `--` say what belongs to the
statement after them; the first lines of a file, up to its first statement, say which tool it is:

    -- parameters: ["r", null]    values of $1, $2, …, as text
    -- row: a | b                 one row of the answer has a cell `a` and a cell `b`
    -- comment: a                 one row has a cell `a` and a cell with a comment in both languages
    -- none                       the answer has no row
    -- simple only                the statement is several, which only the simple protocol takes

`{oid:name}` stands for the number of a table or a schema, in statements, parameters and comments. Every statement goes through
the simple protocol, with its parameters written out, and through the extended one, with parameters of unknown type; a failed one
does not end the others.
"""

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import pq

FOLDER = Path(__file__).parent / "startup"


@dataclass
class Question:
    """A statement with what its answer must have."""

    sql: str
    parameters: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    comments: list = field(default_factory=list)
    is_empty: bool = False
    is_simple: bool = False


def read(path):
    """The questions of a file, in order."""
    for part in re.split(r"^;$", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        question = Question("")
        lines = part.strip("\n").split("\n")
        while lines and lines[0].startswith("--"):
            words = lines.pop(0)[2:].strip()
            kind, _, value = words.partition(":")
            if kind == "parameters":
                question.parameters = json.loads(value)
            elif kind == "row":
                question.rows.append([cell.strip() for cell in value.split("|")])
            elif kind == "comment":
                question.comments.append(value.strip())
            question.is_empty |= words == "none"
            question.is_simple |= words == "simple only"
        question.sql = "\n".join(lines).strip()
        if question.sql:
            yield question


def literal(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def written_out(question):
    """The statement with its parameters in the text."""
    return re.sub(r"\$(\d+)", lambda found: literal(question.parameters[int(found[1]) - 1]), question.sql)


def ask(connection, question, protocol):
    """The rows of the answer, or the error as text."""
    if protocol == "simple":
        result = connection.exec_(written_out(question).encode())
    else:
        values = [None if value is None else value.encode() for value in question.parameters]
        result = connection.exec_params(question.sql.encode(), values)
    if result.status == pq.ExecStatus.TUPLES_OK:
        cells = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
        return [[cell if cell is None else cell.decode() for cell in row] for row in cells]
    if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY):
        return []
    raise ValueError(result.error_message.decode(errors="replace").strip() or str(result.status))


def is_comment(cell):
    """Comments have both languages, with a stroke between them."""
    return cell is not None and " / " in cell and any("\u4e00" <= character <= "\u9fff" for character in cell)


def problems(question, rows):
    """What the answer lacks."""
    for wanted in question.rows:
        if not any(all(cell in row for cell in wanted) for row in rows):
            yield f"no row has {' | '.join(wanted)}"
    for wanted in question.comments:
        if not any(wanted in row and any(is_comment(cell) for cell in row) for row in rows):
            yield f"{wanted} has no comment"
    if question.is_empty and rows:
        yield f"{len(rows)} rows where there is none to be: {rows[0]}"


def connect(host, port):
    text = f"host={host} port={port} user=public dbname=gongkai sslmode=disable connect_timeout=10"
    connection = pq.PGconn.connect(text.encode())
    if connection.status != pq.ConnStatus.OK:
        sys.exit(connection.get_error_message())
    return connection


def numbers(connection):
    """The numbers of tables and schemas by name."""
    tables = (
        "SELECT c.relname, c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname IN ('open', 'catalog', 'ref')"
    )
    schemas = "SELECT nspname, oid FROM pg_catalog.pg_namespace"
    return dict(ask(connection, Question(tables), "simple") + ask(connection, Question(schemas), "simple"))


def numbered(text, oids):
    """The text with numbers for names."""
    return re.sub(r"\{oid:(\w+)\}", lambda name: oids.get(name[1], "0"), text)


def check(tool, number, question, protocol, connection):
    found = {"tool": tool, "number": number, "protocol": protocol, "rows": 0, "problem": None}
    found["sql"] = " ".join(question.sql.split())[:160]
    try:
        rows = ask(connection, question, protocol)
        found["rows"] = len(rows)
        found["problem"] = "; ".join(problems(question, rows)) or None
    except ValueError as error:
        found["problem"] = str(error)
    return found


def main():
    host, port, *tools = sys.argv[1:]
    oids = numbers(connect(host, port))
    for path in sorted(FOLDER.glob("*.sql")):
        if tools and path.stem not in tools:
            continue
        for protocol in ("simple", "extended"):
            connection = connect(host, port)
            for number, question in enumerate(read(path), start=1):
                if protocol == "extended" and question.is_simple:
                    continue
                question.sql = numbered(question.sql, oids)
                question.parameters = [value and numbered(value, oids) for value in question.parameters]
                question.comments = [numbered(cell, oids) for cell in question.comments]
                print(json.dumps(check(path.stem, number, question, protocol, connection), ensure_ascii=False))
            connection.finish()


if __name__ == "__main__":
    main()
