"""The statements that every door is asked: each table, and the questions of the `.slt` files."""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass

from served import root, served

SCHEMAS = ("catalog", "open", "ref")
ROWS = 200
# More texts than can be compared within any limit of time.
ENDLESS = """SELECT count(*) FROM catalog.source_file a, catalog.source_file b, catalog.source_file c, catalog.source_file d,
catalog.source_file e WHERE a.name || b.name || c.name || d.name || e.name = 'x'"""
# Files in `tests/slt` with the thirty questions and what goes with them.
QUESTIONS = ("questions_*.slt", "disclosure.slt", "debt_*.slt", "poverty_samples.slt", "prices_samples.slt", "water_sample.slt")


@dataclass(frozen=True)
class Ask:
    """A statement; whether its rows come in an order is part of it."""

    name: str
    sql: str
    is_ordered: bool = True

    @property
    def is_slow(self):
        """Whether it is reckoned over everything that was ever due."""
        return self.name in ("catalog.score", "catalog.item_completeness") or self.name.startswith("disclosure.slt")


def get(path):
    """JSON of the API."""
    with urllib.request.urlopen(f"{served.http}{path}", timeout=60) as response:
        return json.load(response)


def ask(sql, **more):
    """An answer over HTTP: its body as bytes."""
    body = json.dumps({"sql": sql, **more}).encode()
    request = urllib.request.Request(f"{served.http}/api/v1/sql", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        raise ValueError(f"{error.code} {error.read().decode()[:500]} to {sql[:200]}") from error


def rows(sql, as_of=None):
    """Rows over HTTP as JSON has them; what was public at a time."""
    return json.loads(ask(sql, **({"as_of": as_of} if as_of else {})))["rows"]


def columns():
    """Columns of each table of the public schemas, in order."""
    listed = rows(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns "
        "WHERE table_schema IN ('open', 'catalog', 'ref') ORDER BY table_schema, table_name, ordinal_position"
    )
    tables = {}
    for schema, table, column in listed:
        tables.setdefault((schema, table), []).append(column)
    return tables


def keys():
    """Declared keys of tables; tables of the catalogue that are listed nowhere have none."""
    listed = get("/api/v1/tables")["tables"]
    names = [(table["schema"], table["name"]) for table in listed]
    return {name: get(f"/api/v1/tables/{name[0]}.{name[1]}")["key"] for name in names}


def tables():
    """The first rows of each table, in the order of its key; equal keys follow their release and row."""
    declared = keys()
    for (schema, table), names in columns().items():
        order = [*declared.get((schema, table), [])]
        order += [name for name in ("release_id", "row_no") if name in names and name not in order]
        order = order if "row_no" in order else names
        listed = ", ".join(f'"{name}"' for name in order)
        yield Ask(f"{schema}.{table}", f'SELECT * FROM {schema}."{table}" ORDER BY {listed} LIMIT {ROWS}')


def questions():
    """The queries of the `.slt` files that answer rows."""
    folder = root / "tests" / "slt"
    for path in sorted({path for pattern in QUESTIONS for path in folder.glob(pattern)}):
        lines = path.read_text().split("\n")
        for number, line in enumerate(lines):
            head = re.fullmatch(r"query \w+( rowsort)?", line)
            if head:
                end = lines.index("----", number)
                yield Ask(f"{path.name}:{number + 1}", "\n".join(lines[number + 1 : end]), head[1] is None)
