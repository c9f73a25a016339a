"""ADBC's driver and pyarrow's client of Arrow Flight against the served instance."""

import os
from datetime import date, datetime, timezone
from decimal import Decimal

import adbc_driver_manager
import pyarrow
from adbc import connect
from adbc_driver_manager import AdbcStatusCode
from pyarrow import flight
from served import check, equal, run, served
from statements import ENDLESS, columns, get, rows

TABLES = [("open", "debt_stock"), ("catalog", "release"), ("catalog", "obligation"), ("ref", "calendar")]


def client():
    with open(served.certificate, "rb") as file:
        return flight.FlightClient(f"grpc+tls://{served.flight}", tls_root_certs=file.read())


def table(connection, sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetch_arrow_table()


def one(connection, sql, values=None):
    return table(connection, sql, values).column(0)[0].as_py()


def refused(code, act, kind=adbc_driver_manager.Error):
    """The act is refused with this status; gives the error."""
    try:
        answer = act()
    except kind as error:
        equal(getattr(error, "status_code", None), code, str(error)[:200])
        return error
    raise AssertionError(f"answered {str(answer)[:200]!r} instead of {code}")


def refused_call(kinds, act):
    """The call of pyarrow's client fails in one of these ways."""
    try:
        answer = act()
    except kinds as error:
        return str(error)
    except Exception as error:  # noqa: BLE001: any other is wrong
        raise AssertionError(f"{type(error).__name__} instead of {kinds}: {str(error)[:200]}") from error
    raise AssertionError(f"answered {str(answer)[:200]!r} instead of {kinds}")


@check
def a_statement_answers_with_its_announced_schema():
    with connect() as connection:
        for schema, name in TABLES:
            sql = f'SELECT * FROM {schema}."{name}"'
            with connection.cursor() as cursor:
                announced = cursor.adbc_execute_schema(sql)
                cursor.execute(sql)
                found = cursor.fetch_arrow_table()
            assert announced.equals(found.schema, check_metadata=True), f"{name}: {announced} and {found.schema}"
            equal(found.column_names, columns()[schema, name])
            equal(found.num_rows, int(rows(f'SELECT count(*) FROM {schema}."{name}"')[0][0]), name)
        amount = table(connection, "SELECT amount_yuan FROM debt_stock").schema.field(0)
        equal(amount.type, pyarrow.decimal128(20, 2))
        assert amount.metadata, "no unit and no comment"


@check
def statements_of_computed_columns_are_announced_as_they_come():
    asked = [
        "SELECT sum(amount_yuan) AS total FROM debt_stock WHERE as_of_year = 2022 AND measure = 'balance' AND debt_kind = 'total'",
        "SELECT count(*), max(as_of_year), avg(as_of_year), NULL, 'x', 1.5, true FROM debt_stock",
        "SELECT DISTINCT region_code FROM debt_stock ORDER BY region_code LIMIT 3",
        "SELECT region_name, count(*) AS n FROM debt_stock GROUP BY region_name UNION ALL SELECT 'x', 0",
        "SELECT 1 WHERE false",
    ]
    with connect() as connection:
        for sql in asked:
            with connection.cursor() as cursor:
                announced = cursor.adbc_execute_schema(sql)
            found = table(connection, sql)
            assert announced.equals(found.schema, check_metadata=True), f"{sql}: {announced} and {found.schema}"


@check
def prepared_statements_take_parameters():
    asked = [
        ("SELECT count(*) FROM debt_stock WHERE as_of_year = $1", 2022, "as_of_year = 2022"),
        ("SELECT count(*) FROM debt_stock WHERE region_name = $1", "攀枝花市", "region_name = '攀枝花市'"),
        ("SELECT count(*) FROM debt_stock WHERE amount_yuan = $1", Decimal("25540000000.00"), "amount_yuan = 25540000000.00"),
    ]
    with connect() as connection:
        for sql, value, where in asked:
            expected = int(rows(f"SELECT count(*) FROM debt_stock WHERE {where}")[0][0])
            assert expected > 0, where
            equal(one(connection, sql, (value,)), expected, sql)
        equal(one(connection, "SELECT count(*) FROM debt_stock WHERE region_name = $1", (None,)), 0)
        equal(one(connection, "SELECT count(*) FROM ref.calendar WHERE cal_date = $1", (date(2024, 5, 1),)), 1)
        since = datetime(2020, 1, 1, tzinfo=timezone.utc)
        all_of_them = int(rows("SELECT count(*) FROM catalog.release")[0][0])
        equal(one(connection, "SELECT count(*) FROM catalog.release WHERE recorded_at > $1", (since,)), all_of_them)
        yes = int(rows("SELECT count(*) FROM catalog.release WHERE is_synthetic")[0][0])
        equal(one(connection, "SELECT count(*) FROM catalog.release WHERE is_synthetic = $1", (True,)), yes)
        with connection.cursor() as cursor:
            parameters = cursor.adbc_prepare("SELECT count(*) FROM debt_stock WHERE as_of_year = $1 AND region_name = $2")
            equal(len(parameters), 2)
            assert pyarrow.types.is_integer(parameters.field(0).type), str(parameters)
            for year in (2021, 2022, 2022):
                cursor.execute("SELECT count(*) FROM debt_stock WHERE as_of_year = $1 AND region_name = $2", (year, "攀枝花市"))
                expected = rows(f"SELECT count(*) FROM debt_stock WHERE as_of_year = {year} AND region_name = '攀枝花市'")
                equal(cursor.fetchone()[0], int(expected[0][0]), year)


@check
def objects_are_listed():
    with connect() as connection:
        found = connection.adbc_get_objects(depth="columns").read_all().to_pylist()
        equal(len(found), 1, "catalogues")
        listed = {
            (schema["db_schema_name"], name["table_name"]): [column["column_name"] for column in name["table_columns"]]
            for schema in found[0]["catalog_db_schemas"]
            for name in schema["db_schema_tables"]
        }
        for known, names in columns().items():
            equal(listed.get(known), names, known)
        assert not {schema for schema, _ in listed} & {"staging", "restricted"}, sorted(listed)
        one_of = connection.adbc_get_objects(depth="tables", db_schema_filter="open", table_name_filter="debt_st%").read_all().to_pylist()
        names = [name["table_name"] for schema in one_of[0]["catalog_db_schemas"] for name in schema["db_schema_tables"]]
        assert "debt_stock" in names and all(name.startswith("debt_st") for name in names), names


@check
def schemas_of_tables_are_those_of_their_rows():
    with connect() as connection:
        for schema, name in TABLES:
            found = connection.adbc_get_table_schema(name, db_schema_filter=schema)
            rows_of = table(connection, f'SELECT * FROM {schema}."{name}" LIMIT 0').schema
            equal([(field.name, field.type) for field in found], [(field.name, field.type) for field in rows_of], name)
        refused(AdbcStatusCode.NOT_FOUND, lambda: connection.adbc_get_table_schema("no_such_table", db_schema_filter="open"))


@check
def kinds_of_tables_and_the_server_are_named():
    with connect() as connection:
        equal(sorted(connection.adbc_get_table_types()), ["TABLE", "VIEW"])
        told = connection.adbc_get_info()
        assert "Gongkai" in told["vendor_name"] and told["vendor_version"], told


@check
def a_key_is_taken_and_a_wrong_one_refused():
    with connect(served.token) as connection:
        equal(one(connection, "SELECT 1"), 1)
    for wrong in (f"{served.token}x", "gk_00000000_wrong", "x"):
        with connect(wrong) as connection:
            refused(AdbcStatusCode.UNAUTHENTICATED, lambda: one(connection, "SELECT 1"))
    bearer = client().authenticate_basic_token(served.key_user, served.token)
    options = flight.FlightCallOptions(headers=[bearer])
    info = client().get_flight_info(statement("SELECT 1"), options)
    equal(client().do_get(info.endpoints[0].ticket, options).read_all().num_rows, 1)
    refused_call(flight.FlightUnauthenticatedError, lambda: client().authenticate_basic_token(served.key_user, "wrong"))


@check
def what_was_set_aside_is_shown_to_those_who_publish():
    sql = "SELECT count(*) > 0 FROM staging.source_file WHERE status = $1"
    with connect(served.publisher) as connection:
        equal(one(connection, sql, ("matched",)), True)
        equal(one(connection, sql.replace("$1", "'matched'")), True)
    for token in (served.token, None):
        with connect(token) as connection:
            refused(AdbcStatusCode.NOT_FOUND, lambda: one(connection, sql.replace("$1", "'matched'")))


@check
def a_time_can_be_asked_for():
    sql = "SELECT count(*) FROM debt_stock"
    day = "2019-01-01"
    with connect() as now, connect(gongkai_as_of=day) as then, connect(gongkai_as_of="2000-01-01") as before:
        expected = get(f"/api/v1/sql?q=SELECT%20count(*)%20FROM%20debt_stock&format=json&as_of={day}")["rows"][0][0]
        equal(one(then, sql), int(expected))
        equal(one(before, sql), 0)
        assert one(now, sql) > one(then, sql)
        equal(one(then, "SELECT count(*) FROM debt_stock WHERE row_no >= $1", (0,)), int(expected), "prepared")
    with connect(gongkai_as_of="yesterday") as wrong:
        refused(AdbcStatusCode.INVALID_ARGUMENT, lambda: one(wrong, sql))


STATES = [
    ("SELEC 1", AdbcStatusCode.INVALID_ARGUMENT),
    ("SELECT " + "(" * 300 + "1" + ")" * 300, AdbcStatusCode.INVALID_ARGUMENT),
    ("INSERT INTO debt_stock (row_no) VALUES (1)", AdbcStatusCode.UNAUTHORIZED),
    ("CREATE TABLE x (a INTEGER)", AdbcStatusCode.UNAUTHORIZED),
    ("SELECT no_such_function(1)", AdbcStatusCode.INVALID_ARGUMENT),
    ("SELECT * FROM no_such_table", AdbcStatusCode.NOT_FOUND),
    ("SELECT * FROM staging.debt_stock", AdbcStatusCode.NOT_FOUND),
    ("SELECT no_such_column FROM debt_stock", AdbcStatusCode.INVALID_ARGUMENT),
    ("SELECT 1 / (row_no - row_no) FROM debt_stock", AdbcStatusCode.INVALID_ARGUMENT),
    ("SELECT CAST(region_name AS INTEGER) FROM debt_stock", AdbcStatusCode.INVALID_ARGUMENT),
    (ENDLESS, AdbcStatusCode.TIMEOUT),
]


@check
def errors_have_the_statuses_of_the_table():
    wrong = []
    with connect() as connection:
        for sql, status in STATES:
            try:
                said = str(refused(status, lambda: table(connection, sql)))
                assert served.data not in said and "/src/" not in said and len(said) < 4096, said
            except AssertionError as error:
                wrong.append(f"{sql[:50]}: {error}")
        equal(one(connection, "SELECT 1"), 1)
    assert not wrong, "; ".join(wrong)


def message(number, payload):
    """A field of a protocol buffer that holds bytes."""
    length, bytes_of_length = len(payload), b""
    while length > 127:
        bytes_of_length += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + bytes_of_length + bytes([length]) + payload


def command(kind, payload=b""):
    """A command of Flight SQL."""
    name = f"type.googleapis.com/arrow.flight.protocol.sql.{kind}".encode()
    return message(1, name) + message(2, payload)


def statement(sql):
    return flight.FlightDescriptor.for_command(command("CommandStatementQuery", message(1, sql.encode())))


UNIMPLEMENTED = pyarrow.ArrowNotImplementedError
# What pyarrow makes of INVALID_ARGUMENT.
INVALID = pyarrow.ArrowInvalid


@check
def what_is_not_offered_is_unimplemented():
    server = client()
    refused_call((UNIMPLEMENTED, INVALID), lambda: list(server.do_action(flight.Action("no_such_action", b"x"))))
    for kind in ("BeginTransaction", "EndTransaction", "BeginSavepoint", "CreatePreparedSubstraitPlan", "CancelQuery"):
        body = command(f"Action{kind}Request")
        refused_call(UNIMPLEMENTED, lambda: list(server.do_action(flight.Action(kind, body))))
    refused_call((UNIMPLEMENTED, INVALID), lambda: server.get_flight_info(flight.FlightDescriptor.for_path("open", "debt_stock")))
    for kind in ("CommandStatementSubstraitPlan", "CommandGetPrimaryKeys", "CommandGetCrossReference"):
        refused_call(UNIMPLEMENTED, lambda: server.get_flight_info(flight.FlightDescriptor.for_command(command(kind))))
    refused_call(UNIMPLEMENTED, lambda: list(server.list_flights()))


@check
def nothing_is_taken_in():
    batch = pyarrow.record_batch({"a": [1, 2]})

    def put(descriptor):
        writer, reader = client().do_put(descriptor, batch.schema)
        writer.write_batch(batch)
        writer.done_writing()
        answer = reader.read()
        writer.close()
        return answer

    refused_call((UNIMPLEMENTED, INVALID), lambda: put(flight.FlightDescriptor.for_path("t")))
    for kind, payload in [("StatementUpdate", message(1, b"SELECT 1")), ("PreparedStatementUpdate", message(1, b"x")), ("StatementIngest", b"")]:
        refused_call(UNIMPLEMENTED, lambda: put(flight.FlightDescriptor.for_command(command(f"Command{kind}", payload))))

    def exchange():
        writer, reader = client().do_exchange(flight.FlightDescriptor.for_path("t"))
        writer.begin(batch.schema)
        writer.write_batch(batch)
        writer.done_writing()
        return reader.read_all()

    refused_call(UNIMPLEMENTED, exchange)


@check
def a_command_that_cannot_be_read_is_the_clients_fault():
    broken = flight.FlightDescriptor.for_command(command("CommandStatementQuery", b"\x0a\x7fSELECT 1"))
    refused_call(INVALID, lambda: client().get_flight_info(broken))
    refused_call(INVALID, lambda: client().get_flight_info(flight.FlightDescriptor.for_command(os.urandom(64))))


@check
def tickets_of_others_give_no_rows():
    server = client()
    tickets = [b"", b"x", os.urandom(64), os.urandom(4096), command("TicketStatementQuery"), command("NoSuchTicket")]
    tickets += [command("TicketStatementQuery", message(1, handle)) for handle in (b"{}", b"\xff", b'{"sql":1}', b'{"sql":"","role":"admin"}')]
    tickets += [command("CommandPreparedStatementQuery", message(1, os.urandom(32)))]
    for ticket in tickets:
        refused_call((INVALID, UNIMPLEMENTED), lambda: server.do_get(flight.Ticket(ticket)).read_all())
    hidden = command("TicketStatementQuery", message(1, b'{"sql":"SELECT * FROM staging.debt_stock"}'))
    refused_call((KeyError, pyarrow.ArrowKeyError), lambda: server.do_get(flight.Ticket(hidden)).read_all())
    written = command("TicketStatementQuery", message(1, b'{"sql":"DROP TABLE debt_stock"}'))
    refused_call(flight.FlightUnauthorizedError, lambda: server.do_get(flight.Ticket(written)).read_all())
    info = server.get_flight_info(statement("SELECT 1 AS one"))
    equal(server.do_get(info.endpoints[0].ticket).read_all().to_pylist(), [{"one": 1}], "it still answers")


run()
