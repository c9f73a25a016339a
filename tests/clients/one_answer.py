"""One statement has one answer behind every door and in every format."""

import asyncio
import io
import json
import os

import asyncpg
import psycopg
import pyarrow.ipc
import pyarrow.parquet
from adbc import connect
from canonical import canonical, digest, fields, of_arrow, read, unguarded
from served import check, run, served
from statements import ask, questions, tables


# Types of the columns of the statement that was last asked over JSON; CSV names none.
KINDS = {}


def over_json(sql):
    answer = json.loads(ask(sql, format="json"))
    assert not answer["truncated"], f"{answer['row_count']} rows of more"
    kinds = [column["type"] for column in answer["columns"]]
    KINDS.clear()
    KINDS[sql] = kinds
    rows = [[read(value, kind) for value, kind in zip(row, kinds)] for row in answer["rows"]]
    return canonical([column["name"] for column in answer["columns"]], rows)


def over_csv(sql):
    kinds = KINDS[sql]
    names, *rows = fields(ask(sql, format="csv").decode())
    texts = [[value and unguarded(value) if kind == "text" else value for value, kind in zip(row, kinds)] for row in rows]
    return canonical(names, [[read(value, kind) for value, kind in zip(row, kinds)] for row in texts])


def over_arrow(sql):
    return of_arrow(pyarrow.ipc.open_stream(ask(sql, format="arrow")).read_all())


def over_parquet(sql):
    return of_arrow(pyarrow.parquet.read_table(io.BytesIO(ask(sql, format="parquet"))))


class Psycopg:
    """A connection over which statements go in one way."""

    def __init__(self, **how):
        self.connection = psycopg.connect(**served.postgres(), autocommit=True)
        self.how = how

    def __call__(self, sql):
        cursor = self.connection.execute(sql, **self.how)
        return canonical([column.name for column in cursor.description], cursor.fetchall())


class Asyncpg:
    """A connection that prepares every statement and takes values in their binary form."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.connection = self.loop.run_until_complete(
            asyncpg.connect(host=served.pg_host, port=served.pg_port, user="public", database="gongkai", ssl="disable")
        )

    def __call__(self, sql):
        return self.loop.run_until_complete(self.answer(sql))

    async def answer(self, sql):
        statement = await self.connection.prepare(sql)
        rows = await statement.fetch()
        return canonical([column.name for column in statement.get_attributes()], [tuple(row) for row in rows])


class FlightSql:
    """A connection of ADBC."""

    def __init__(self):
        self.connection = connect()

    def __call__(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return of_arrow(cursor.fetch_arrow_table())


DOORS = {
    "HTTP JSON": over_json,
    "HTTP CSV": over_csv,
    "HTTP Arrow": over_arrow,
    "HTTP Parquet": over_parquet,
    "psycopg simple": Psycopg(),
    "psycopg prepared, text": Psycopg(prepare=True),
    "psycopg prepared, binary": Psycopg(prepare=True, binary=True),
    "asyncpg": Asyncpg(),
    "ADBC": FlightSql(),
}


# All doors are asked everything in the deep run; else one door of each protocol.
IS_DEEP = bool(os.environ.get("GONGKAI_DEEP"))
FEW = ("HTTP JSON", "psycopg prepared, binary", "ADBC")


def differences(asked):
    """How a door's answer differs from that of JSON, or fails."""
    wanted = None
    for door, answer in DOORS.items():
        if door not in FEW and (asked.is_slow or not IS_DEEP):
            continue
        try:
            lines = answer(asked.sql)
        except Exception as error:  # noqa: BLE001: each driver has its own
            yield f"{asked.name} over {door}: {type(error).__name__}: {str(error)[:200]}"
            continue
        if not asked.is_ordered:
            lines[1:] = sorted(lines[1:])
        if wanted is None:
            wanted = lines
            continue
        if digest(lines) != digest(wanted):
            at = next((place for place, pair in enumerate(zip(lines, wanted)) if pair[0] != pair[1]), min(len(lines), len(wanted)))
            yield f"{asked.name} over {door}: line {at} of {len(lines)} and {len(wanted)}: {lines[at:at + 1]} and {wanted[at:at + 1]}"


def compare(asks, at_least):
    asks = list(asks)
    assert len(asks) >= at_least, f"only {len(asks)} statements"
    found = [difference for asked in asks for difference in differences(asked)]
    assert not found, f"{len(found)} differences in {len(asks)} statements: " + "; ".join(found[:10])


@check
def every_table_is_the_same_behind_every_door():
    compare(tables(), 60)


@check
def every_question_is_answered_the_same_behind_every_door():
    compare(questions(), 42)


run()
