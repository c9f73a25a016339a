"""psycopg, asyncpg and SQLAlchemy against the served instance."""

import asyncio
import threading
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import asyncpg
import psycopg
import sqlalchemy
from psycopg import errors
from served import check, equal, refused, run, served
from statements import ENDLESS, columns, get, rows

SHANGHAI = timezone(timedelta(hours=8))
# The answer of each statement in one cell, whatever the value's type.
TYPES = [
    ("SELECT count(*) FROM debt_stock WHERE as_of_year = %s", 2022, "SELECT count(*) FROM debt_stock WHERE as_of_year = 2022"),
    (
        "SELECT count(*) FROM debt_stock WHERE amount_yuan = %s",
        Decimal("25540000000.00"),
        "SELECT count(*) FROM debt_stock WHERE amount_yuan = 25540000000.00",
    ),
    ("SELECT count(*) FROM debt_stock WHERE region_name = %s", "攀枝花市", "SELECT count(*) FROM debt_stock WHERE region_name = '攀枝花市'"),
    (
        "SELECT count(*) FROM ref.calendar WHERE cal_date = %s",
        date(2024, 5, 1),
        "SELECT count(*) FROM ref.calendar WHERE cal_date = DATE '2024-05-01'",
    ),
    (
        "SELECT count(*) FROM catalog.release WHERE recorded_at > %s",
        datetime(2020, 1, 1, 8, tzinfo=SHANGHAI),
        "SELECT count(*) FROM catalog.release WHERE recorded_at > TIMESTAMP '2020-01-01T00:00:00Z'",
    ),
    (
        "SELECT count(*) FROM catalog.release WHERE is_synthetic = %s",
        True,
        "SELECT count(*) FROM catalog.release WHERE is_synthetic",
    ),
    ("SELECT count(*) FROM debt_stock WHERE region_name = %s", None, "SELECT 0"),
]


def connect(**more):
    return psycopg.connect(**served.postgres(**more), autocommit=True)


def keyed(**more):
    return connect(user=served.key_user, password=served.token, sslmode="require", **more)


def one(connection, sql, values=None, **how):
    return connection.execute(sql, values, **how).fetchone()[0]


@check
def parameters_of_each_type_are_taken():
    with connect() as connection:
        for sql, value, literal in TYPES:
            expected = rows(literal)[0][0]
            assert value is None or expected > 0, f"{literal} answers nothing"
            for how in ({}, {"prepare": True}, {"binary": True}):
                equal(one(connection, sql, (value,), **how), expected, f"{sql} {value!r} {how}")
            with psycopg.ClientCursor(connection) as cursor:
                equal(cursor.execute(sql, (value,)).fetchone()[0], expected, f"{sql} {value!r} in the text")
            with connection.cursor() as cursor:
                binary = cursor.execute(sql.replace("%s", "%b"), (value,)).fetchone()[0]
                equal(binary, expected, f"{sql} {value!r} in binary")


@check
def values_come_back_as_they_are():
    given = [
        ("INTEGER", -7, -7),
        ("BIGINT", 9007199254740993, 9007199254740993),
        ("DECIMAL(38,10)", Decimal("-1234567890123456789012345678.0123456789"), Decimal("-1234567890123456789012345678.0123456789")),
        ("DOUBLE", 0.1, 0.1),
        ("TEXT", "中文 '引号' \\ \n ü 𠮷", "中文 '引号' \\ \n ü 𠮷"),
        ("TEXT", "", ""),
        ("DATE", date(1949, 10, 1), date(1949, 10, 1)),
        ("TIMESTAMP WITH TIME ZONE", datetime(2024, 2, 29, 23, 59, 59, 123456, SHANGHAI), datetime(2024, 2, 29, 23, 59, 59, 123456, SHANGHAI)),
        ("BOOLEAN", False, False),
        ("BOOLEAN", None, None),
        ("DECIMAL(20,2)", None, None),
    ]
    with connect() as connection:
        for kind, value, expected in given:
            for binary in (False, True):
                found = one(connection, f"SELECT CAST(%s AS {kind})", (value,), binary=binary)
                equal(found, expected, f"{kind} {value!r}, binary={binary}")
                if isinstance(expected, Decimal):
                    equal(f"{found:f}", f"{expected:f}", kind)


@check
def prepared_statements_stay_on_the_server():
    sql = "SELECT count(*) FROM debt_stock WHERE as_of_year = %s"
    with connect() as connection:
        connection.prepare_threshold = 1
        first = [one(connection, sql, (year,)) for year in (2021, 2022, 2023, 2022)]
        expected = dict(rows("SELECT as_of_year, count(*) FROM debt_stock GROUP BY as_of_year"))
        equal(first, [expected.get(year, 0) for year in (2021, 2022, 2023, 2022)])
        connection.execute("DEALLOCATE ALL")
        equal(one(connection, "SELECT 1"), 1)


@check
def statements_go_through_in_a_pipeline():
    with connect() as connection, connection.pipeline():
        cursors = [connection.execute("SELECT %s + 1", (number,)) for number in range(20)]
        equal([cursor.fetchone()[0] for cursor in cursors], list(range(1, 21)))


@check
def a_statement_is_cancelled_and_the_connection_goes_on():
    with connect() as connection:
        timer = threading.Timer(1, connection.cancel_safe)
        begun = time.monotonic()
        timer.start()
        refused(errors.QueryCanceled, "57014", lambda: one(connection, ENDLESS))
        took = time.monotonic() - begun
        assert 0.9 < took < 3, f"ended after {took:.1f} s"
        equal(one(connection, "SELECT 1"), 1)
        timer.join()


@check
def a_statement_waiting_in_its_preparation_is_cancelled():
    with connect() as connection:
        timer = threading.Timer(1, connection.cancel_safe)
        begun = time.monotonic()
        timer.start()
        refused(errors.QueryCanceled, "57014", lambda: one(connection, ENDLESS, prepare=True))
        took = time.monotonic() - begun
        assert took < 3, f"ended after {took:.1f} s"
        equal(one(connection, "SELECT 1"), 1)
        timer.join()


@check
def transactions_are_blocks_without_effect():
    with psycopg.connect(**served.postgres()) as connection:
        status = psycopg.pq.TransactionStatus
        equal(one(connection, "SELECT 1"), 1)
        equal(connection.info.transaction_status, status.INTRANS)
        refused(errors.UndefinedTable, "42P01", lambda: connection.execute("SELECT * FROM no_such_table"))
        equal(connection.info.transaction_status, status.INERROR, "after an error")
        refused(errors.InFailedSqlTransaction, "25P02", lambda: connection.execute("SELECT 1"))
        connection.rollback()
        equal(connection.info.transaction_status, status.IDLE)
        equal(one(connection, "SELECT 2"), 2)
        connection.commit()
        with connection.transaction():
            equal(one(connection, "SELECT 3"), 3)
        connection.commit()
    with psycopg.connect(**served.postgres()) as connection:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        equal(one(connection, "SELECT 4"), 4)


@check
def the_time_of_questions_can_be_set():
    count = "SELECT count(*) FROM debt_stock"
    with connect() as connection, connect() as other:
        now = one(connection, count)
        assert now > 0
        for day, expected in (("2000-01-01", 0), ("2019-01-01", rows(count, "2019-01-01")[0][0])):
            assert expected < now, day
            connection.execute(f"SET gongkai.as_of = '{day}'")
            equal(one(connection, count), expected, day)
            equal(one(connection, count, prepare=True), expected, f"{day}, prepared")
            equal(one(connection, "SHOW gongkai.as_of"), day)
        equal(one(other, count), now, "another connection")
        connection.execute("RESET gongkai.as_of")
        equal(one(connection, count), now, "after the reset")
        refused(errors.InvalidParameterValue, "22023", lambda: connection.execute("SET gongkai.as_of = 'yesterday'"))
    with connect(options="-c gongkai.as_of=2000-01-01") as connection:
        equal(one(connection, count), 0, "named in the connection's options")


@check
def names_without_a_schema_are_looked_for_along_the_path():
    datasets, stocks, regions = (rows(f"SELECT count(*) FROM {name}")[0][0] for name in ("catalog.dataset", "open.debt_stock", "ref.region"))
    count = "SELECT count(*) FROM {}"

    def missing(connection, name, **how):
        refused(errors.UndefinedTable, "42P01", lambda: connection.execute(count.format(name), **how))

    with connect() as connection, connect() as other:
        equal(one(connection, "SHOW search_path"), "open")
        missing(connection, "dataset")
        connection.execute("SET search_path TO catalog, nowhere, open")
        equal(one(connection, "SHOW search_path"), "catalog, nowhere, open")
        equal(one(connection, "SELECT current_schema()"), "catalog")
        equal(one(connection, "SELECT array_to_string(current_schemas(true), ',')"), "pg_catalog,catalog,open")
        equal(one(connection, "SELECT current_setting('search_path')"), "catalog, nowhere, open")
        for how in ({}, {"prepare": True}, {"binary": True}):
            equal(one(connection, count.format("dataset"), **how), datasets, f"{how}")
            equal(one(connection, count.format("debt_stock"), **how), stocks, f"{how}")
            equal(one(connection, count.format("(WITH dataset AS (SELECT 1) SELECT * FROM dataset) AS x"), **how), 1, f"{how}")
            missing(connection, "region", **how)
        missing(other, "dataset")
        equal(one(connection, "SELECT set_config('search_path', 'ref', false)"), "ref")
        equal(one(connection, count.format("region"), prepare=True), regions)
        missing(connection, "debt_stock", prepare=True)
        with connection.transaction():
            connection.execute("SET LOCAL search_path = open")
            equal(one(connection, count.format("debt_stock")), stocks)
        equal(one(connection, "SHOW search_path"), "ref", "after the transaction")
        refused(errors.InvalidParameterValue, "22023", lambda: connection.execute("SELECT set_config('search_path', 'a,,b', false)"))
        connection.execute("RESET search_path")
        equal(one(connection, "SHOW search_path"), "open")
        missing(connection, "dataset", prepare=True)
    with connect(options="-c search_path=ref,open") as connection:
        equal(one(connection, count.format("region")), regions)
        connection.execute("SET search_path = catalog")
        connection.execute("RESET ALL")
        equal(one(connection, "SHOW search_path"), "ref,open", "what the connection began with")
        equal(one(connection, count.format("debt_stock")), stocks)


@check
def lists_are_passed_as_parameters():
    of_years = "SELECT count(*) FROM debt_stock WHERE as_of_year IN (2021, 2022)"
    cases = [
        ("SELECT count(*) FROM debt_stock WHERE region_name = ANY(%s)", ["攀枝花市", "no such place"], "SELECT count(*) FROM debt_stock WHERE region_name = '攀枝花市'"),
        ("SELECT count(*) FROM debt_stock WHERE as_of_year = ANY(%s)", [2021, 2022], of_years),
        ("SELECT count(*) FROM debt_stock WHERE as_of_year <> ALL(%s)", [2021, 2022], "SELECT count(*) FROM debt_stock WHERE as_of_year NOT IN (2021, 2022)"),
        ("SELECT count(*) FROM debt_stock WHERE amount_yuan = ANY(%s)", [Decimal("25540000000.00")], "SELECT count(*) FROM debt_stock WHERE amount_yuan = 25540000000.00"),
        ("SELECT count(*) FROM ref.calendar WHERE cal_date = ANY(%s)", [date(2024, 5, 1)], "SELECT count(*) FROM ref.calendar WHERE cal_date = DATE '2024-05-01'"),
        ("SELECT count(*) FROM debt_stock WHERE region_name = ANY(%s)", [], "SELECT 0"),
        ("SELECT count(*) FROM debt_stock WHERE region_name = ANY(%s)", None, "SELECT 0"),
    ]
    with connect() as connection:
        for sql, value, literal in cases:
            expected = rows(literal)[0][0]
            assert not value or expected > 0, f"{literal} answers nothing"
            for how in ({}, {"prepare": True}, {"binary": True}):
                equal(one(connection, sql, (value,), **how), expected, f"{sql} {value!r} {how}")
            with connection.cursor() as cursor:
                equal(cursor.execute(sql.replace("%s", "%b"), (value,)).fetchone()[0], expected, f"{sql} {value!r} in binary")

    async def converse():
        connection = await asyncpg.connect(host=served.pg_host, port=served.pg_port, database="gongkai", user="public", ssl="disable")
        for sql, value, literal in cases:
            equal(await connection.fetchval(sql.replace("%s", "$1"), value), rows(literal)[0][0], f"asyncpg: {sql} {value!r}")
        equal(await connection.fetchval("SELECT $1::bigint + 1", 41), 42)
        await connection.close()

    asyncio.run(converse())


LISTS = [
    ("make_array('a', NULL, 'b,\"c')", ["a", None, 'b,"c']),
    ("make_array(1, NULL, 3)", [1, None, 3]),
    ("make_array(CAST(1 AS INTEGER), CAST(2 AS INTEGER))", [1, 2]),
    ("make_array(true, false)", [True, False]),
    ("make_array(CAST(0.5 AS DOUBLE))", [0.5]),
    ("make_array(CAST('12345678901234567890123456789.01' AS DECIMAL(38,2)), NULL)", [Decimal("12345678901234567890123456789.01"), None]),
    ("make_array(DATE '2024-02-29')", [date(2024, 2, 29)]),
]


@check
def lists_come_back_as_they_are():
    with connect() as connection:
        for sql, expected in LISTS:
            for binary in (False, True):
                equal(one(connection, f"SELECT {sql}", binary=binary), expected, f"{sql}, binary={binary}")
        nested = one(connection, "SELECT make_array(make_array(1, 2), make_array(3))")
        equal(nested, "[[1, 2], [3]]", "a list of lists is a text")

    async def converse():
        connection = await asyncpg.connect(host=served.pg_host, port=served.pg_port, database="gongkai", user="public", ssl="disable")
        for sql, expected in LISTS:
            equal(await connection.fetchval(f"SELECT {sql}"), expected, f"asyncpg: {sql}")
        names = await connection.fetchval("SELECT array_agg(region_name) FROM debt_stock WHERE as_of_year = 2022")
        equal(sorted(names), sorted(row[0] for row in rows("SELECT region_name FROM debt_stock WHERE as_of_year = 2022")))
        await connection.close()
        path = {"search_path": "catalog"}
        connection = await asyncpg.connect(host=served.pg_host, port=served.pg_port, database="gongkai", user="public", ssl="disable", server_settings=path)
        await connection.reset()
        assert await connection.fetchval("SELECT count(*) FROM dataset") > 0, "along the path that the pool set"
        await connection.close()

    asyncio.run(converse())


@check
def a_client_shortens_the_time_of_its_statements():
    with connect() as connection:
        connection.execute("SET statement_timeout = 500")
        begun = time.monotonic()
        refused(errors.QueryCanceled, "57014", lambda: one(connection, ENDLESS))
        took = time.monotonic() - begun
        assert 0.4 < took < 3, f"ended after {took:.1f} s"
        connection.execute("RESET statement_timeout")
        equal(one(connection, "SELECT 1"), 1)
    with connect(options="-c statement_timeout=500") as connection:
        begun = time.monotonic()
        refused(errors.QueryCanceled, "57014", lambda: one(connection, ENDLESS))
        assert time.monotonic() - begun < 3, "named in the connection's options"


STATES = [
    ("SELEC 1", "42601"),
    ("SELECT 1 +", "42601"),
    ("SELECT " + "(" * 300 + "1" + ")" * 300, "54001"),
    ("INSERT INTO debt_stock (row_no) VALUES (1)", "25006"),
    ("UPDATE debt_stock SET row_no = 1", "25006"),
    ("DELETE FROM debt_stock", "25006"),
    ("CREATE TABLE x (a INTEGER)", "25006"),
    ("DROP TABLE debt_stock", "25006"),
    ("COPY debt_stock FROM STDIN", "25006"),
    ("SELECT no_such_function(1)", "42883"),
    ("SELECT * FROM no_such_table", "42P01"),
    ("SELECT * FROM staging.debt_stock", "42P01"),
    ("SELECT no_such_column FROM debt_stock", "42703"),
    ("SELECT 1 / (row_no - row_no) FROM debt_stock", "22012"),
    ("SELECT CAST(region_name AS INTEGER) FROM debt_stock", ("22000", "22P02", "22018")),
    ("SELECT CAST(amount_yuan AS INTEGER) FROM debt_stock WHERE amount_yuan > 25000000000", ("22000", "22003")),
]


@check
def errors_have_the_states_of_the_table():
    wrong = []
    with connect() as connection:
        for sql, state in STATES:
            for how in ({"prepare": False}, {"prepare": True}, {"binary": True}):
                try:
                    refused(psycopg.Error, state, lambda: connection.execute(sql, **how).fetchall())
                except AssertionError as error:
                    wrong.append(f"{sql[:60]} {how}: {error}")
        equal(one(connection, "SELECT 1"), 1)
    assert not wrong, "; ".join(wrong)


@check
def messages_name_no_place_of_the_machine():
    with connect() as connection:
        for sql, state in STATES:
            said = str(refused(psycopg.Error, state, lambda: connection.execute(sql).fetchall()))
            assert len(said) < 4096 and "/src/" not in said and ".rs" not in said and served.data not in said, said


@check
def too_large_answers_end_with_their_state():
    sql = "SELECT a.name FROM catalog.source_file a, catalog.source_file b, catalog.source_file c, catalog.source_file d"
    with connect() as connection:
        refused(psycopg.Error, ("54000", "57014"), lambda: [None for _ in connection.execute(sql)])
        equal(one(connection, "SELECT 1"), 1)


@check
def keys_are_asked_for_their_password():
    with keyed() as connection:
        assert connection.pgconn.ssl_in_use
        equal(one(connection, "SELECT 1"), 1)

    def state(**more):
        try:
            connect(**more)
        except psycopg.OperationalError as error:
            return str(error)
        raise AssertionError("it was let in")

    assert "the key is not valid" in state(user=served.key_user, password="wrong", sslmode="require")
    assert "TLS only" in state(user=served.key_user, password=served.token, sslmode="disable")


@check
def rows_are_copied_out():
    sql = "SELECT region_name, amount_yuan FROM debt_stock ORDER BY release_id, row_no"
    with connect() as connection:
        expected = [(name, amount and str(amount)) for name, amount in connection.execute(sql).fetchall()]
        with connection.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT") as copy:
            equal(list(copy.rows()), expected)
        equal(one(connection, "SELECT 1"), 1)


@check
def asyncpg_prepares_passes_values_and_cancels():
    async def converse():
        where = {"host": served.pg_host, "port": served.pg_port, "database": "gongkai"}
        connection = await asyncpg.connect(**where, user="public", ssl="disable")
        for sql, value, literal in TYPES:
            equal(await connection.fetchval(sql.replace("%s", "$1"), value), rows(literal)[0][0], f"{sql} {value!r}")
        statement = await connection.prepare("SELECT region_name, amount_yuan FROM debt_stock WHERE as_of_year = $1")
        equal([value.type.name for value in [*statement.get_attributes()]], ["text", "numeric"])
        assert await statement.fetch(2022)
        async with connection.transaction(readonly=True):
            seen = [row async for row in connection.cursor("SELECT row_no FROM debt_stock ORDER BY release_id, row_no")]
            equal(len(seen), await connection.fetchval("SELECT count(*) FROM debt_stock"))
        await connection.execute("SET gongkai.as_of = '2000-01-01'")
        equal(await connection.fetchval("SELECT count(*) FROM debt_stock"), 0)
        await connection.reset()
        assert await connection.fetchval("SELECT count(*) FROM debt_stock") > 0
        begun = time.monotonic()
        try:
            await connection.fetchval(ENDLESS, timeout=1)
            raise AssertionError("the endless statement ended")
        except asyncio.TimeoutError:
            assert time.monotonic() - begun < 3, "cancelled late"
        equal(await connection.fetchval("SELECT 1"), 1)
        try:
            await connection.fetch("SELECT * FROM no_such_table")
            raise AssertionError("a missing table answered")
        except asyncpg.UndefinedTableError as error:
            equal(error.sqlstate, "42P01")
        await connection.close()
        try:
            await asyncpg.connect(**where, user=served.key_user, password="wrong", ssl="require")
            raise AssertionError("a wrong password was taken")
        except asyncpg.InvalidPasswordError as error:
            equal(error.sqlstate, "28P01")
        try:
            await asyncpg.connect(**where, user=served.key_user, password=served.token, ssl="disable")
            raise AssertionError("a key was taken without TLS")
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            equal(error.sqlstate, "28000")
        connection = await asyncpg.connect(**where, user=served.key_user, password=served.token, ssl="require")
        equal(await connection.fetchval("SELECT 1"), 1)
        await connection.close()

    asyncio.run(converse())


def engine():
    return sqlalchemy.create_engine(f"postgresql+psycopg://public@{served.pg}/gongkai")


@check
def sqlalchemy_reflects_schemas_tables_and_columns():
    inspector = sqlalchemy.inspect(engine())
    names = set(inspector.get_schema_names())
    assert {"open", "catalog", "ref"} <= names and not names & {"staging", "restricted"}, names
    equal(inspector.default_schema_name, "open")
    known = columns()
    for schema in ("open", "catalog", "ref"):
        found = {*inspector.get_table_names(schema), *inspector.get_view_names(schema)}
        equal(found, {table for of, table in known if of == schema}, schema)
    for table in ("debt_stock", "air_hourly"):
        record = get(f"/api/v1/tables/open.{table}")
        found = inspector.get_columns(table, schema="open")
        equal([column["name"] for column in found], known["open", table])
        comments = {column["name"]: column["comment"] or "" for column in found}
        for column in record["columns"]:
            assert column["label"]["zh"] in comments[column["name"]], f"{column['name']}: {comments[column['name']]!r}"
        key = inspector.get_pk_constraint(table, schema="open")
        assert key["constrained_columns"] in ([], record["key"]), key
        equal(inspector.get_foreign_keys(table, schema="open"), [])
        # The index that PostgreSQL would have for the key; there are no others.
        indexes = inspector.get_indexes(table, schema="open")
        equal([(index["column_names"], index["unique"]) for index in indexes], [(record["key"], True)] if record["key"] else [])
        comment = inspector.get_table_comment(table, schema="open")["text"] or ""
        assert record["label"]["zh"] in comment, comment
    assert inspector.has_table("debt_stock", schema="open") and not inspector.has_table("no_such_table", schema="open")


@check
def sqlalchemy_loads_a_table_and_asks_it():
    metadata = sqlalchemy.MetaData()
    where = engine()
    table = sqlalchemy.Table("debt_stock", metadata, schema="open", autoload_with=where)
    amount = table.c.amount_yuan
    assert isinstance(amount.type, sqlalchemy.Numeric) and (amount.type.precision, amount.type.scale) == (20, 2), repr(amount.type)
    question = sqlalchemy.select(table.c.region_name, sqlalchemy.func.count()).where(table.c.as_of_year == 2022)
    question = question.group_by(table.c.region_name).order_by(table.c.region_name)
    with where.connect() as connection:
        found = [list(row) for row in connection.execute(question)]
    equal(found, rows("SELECT region_name, count(*) FROM debt_stock WHERE as_of_year = 2022 GROUP BY region_name ORDER BY region_name"))
    bare = sqlalchemy.Table("debt_stock", sqlalchemy.MetaData(), autoload_with=where)
    equal(bare.columns.keys(), table.columns.keys(), "without a schema")


run()
