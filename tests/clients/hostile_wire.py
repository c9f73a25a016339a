"""Hostile messages in the protocol of PostgreSQL, and hostile calls of Arrow Flight SQL.

Each function of `CHECKS` takes the attack and gives what went wrong, and figures.
"""

import os
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from hostile_doors import Flight, Postgres, command, grpc_failure, message, messages, part, ticket_of

CLOSED = {"closed"}
ENDLESS = "SELECT count(*) FROM air_hourly a, air_hourly b, air_hourly c WHERE a.value + b.value + c.value < 0"


def state(stream):
    """SQLSTATE of the first error up to ReadyForQuery or the end; empty for none."""
    _, error = messages(stream)
    return error["C"] if error else ""


def startup(attack, data, seconds=15):
    """Sends bytes as the first of a connection; gives the SQLSTATE, `closed`, or what else came."""
    host, _, port = attack.pg.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as sock:
        try:
            sock.sendall(data)
            stream = sock.makefile("rb")
            head = stream.read(1)
            if head in (b"", b"N", b"S"):
                return "closed" if not head else head.decode()
            length = struct.unpack("!I", stream.read(4))[0] - 4
            body = stream.read(min(length, 1 << 16))
            if head == b"E":
                return next((field[1:].decode() for field in body.split(b"\0") if field[:1] == b"C"), "E")
            return head.decode("latin-1")
        except TimeoutError:
            return "TIMEOUT"
        except OSError:
            return "closed"


# Messages that are shorter than they say.
WAITED_FOR = ("length 1 GiB", "HTTP", "password first", "no UTF-8", "length -1")


def postgres_startups_are_checked(attack):
    """H30, H31: the first message of a connection."""
    words = lambda version, *names: struct.pack("!I", version) + b"".join(name + b"\0" for name in names) + b"\0"
    framed = lambda body: struct.pack("!I", len(body) + 4) + body
    user = (b"user", b"public")
    ok, refused = {"R", "v"}, CLOSED | {"08P01", "54000", "0A000", "08004", "22000"}
    cases = [
        ("public", framed(words(196608, *user)), ok),
        ("postgres", framed(words(196608, b"user", b"postgres", b"database", b"internal")), ok),
        ("protocol 2", framed(words(131072, *user)), refused),
        ("protocol 3.9", framed(words(196617, *user)), ok | refused),
        ("protocol 9", framed(words(9 << 16, *user)), refused),
        ("length 0", struct.pack("!I", 0) + b"x" * 100, refused),
        ("length 3", struct.pack("!I", 3) + b"x" * 100, refused),
        ("length -1", struct.pack("!i", -1) + b"x" * 100, refused),
        ("length 1 GiB", struct.pack("!I", 1 << 30) + b"x" * 100, refused),
        ("1 MB of parameters", framed(words(196608, *user, b"application_name", b"x" * (1 << 20))), refused | ok),
        ("8 MB of parameters", framed(words(196608, *user, b"application_name", b"x" * (8 << 20))), refused),
        ("10,000 parameters", framed(words(196608, *user, *[b"p%d" % n for n in range(20_000)])), refused | ok),
        ("no UTF-8", framed(words(196608, b"user", b"\xff\xfe")), refused | ok),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", refused),
        ("zeroes", b"\0" * 4096, refused),
        ("a key without TLS", framed(words(196608, b"user", b"gk_00000000")), {"28000", "28P01"}),
        ("a key that is none", framed(words(196608, b"user", b"gk_" + b"x" * 1000)), {"28000", "28P01"}),
        ("replication", framed(words(196608, *user, b"replication", b"database")), refused | ok),
        ("options", framed(words(196608, *user, b"options", b"-c datafusion.runtime.memory_limit=900G")), ok | refused),
        ("password first", message(b"p", b"x\0"), refused),
        ("cancel of nothing", struct.pack("!IIII", 16, 80877102, 1, 1), CLOSED),
        ("GSS", struct.pack("!II", 8, 80877104), {"N"} | CLOSED),
    ]
    if not attack.is_deep:
        # The server waits for the rest of these, up to its time for a startup.
        cases = [case for case in cases if case[0] not in WAITED_FOR]
    else:
        cases.append(("no end", struct.pack("!II", 100, 196608) + b"user\0public", refused))
    problems = []
    with ThreadPoolExecutor(8) as pool:
        found_of = list(pool.map(lambda case: startup(attack, case[1]), cases))
    for (name, _, accepted), found in zip(cases, found_of):
        if found not in accepted:
            problems.append(f"{name}: {found}")
    for _ in range(200 if attack.is_deep else 50):
        # SSLRequest again and again.
        startup(attack, struct.pack("!II", 8, 80877103))
    with socket.create_connection((attack.pg.rpartition(":")[0], int(attack.pg.rpartition(":")[2])), timeout=10) as sock:
        try:
            sock.sendall(struct.pack("!II", 8, 80877103) * 10_000)
            sock.recv(1)
        except OSError:
            pass
    return problems, {"asked": len(cases)}


def postgres_messages_are_checked(attack):
    """H30: messages of a connection that is open."""
    door, problems = Postgres(attack.pg, False), []
    sync = message(b"S", b"")
    violation = CLOSED | {"08P01", "26000", "34000", "42601", "54000", "0A000", "22000", "XX000", "42P05"}
    parse = lambda name, sql: message(b"P", name + b"\0" + sql + b"\0\0\0")
    cases = [
        ("unknown type", message(b"!", b"x"), violation),
        ("Query without NUL", message(b"Q", b"SELECT 1"), violation | {""}),
        ("Query that is no UTF-8", message(b"Q", b"SELECT '\xff\xfe'\0"), violation | {"22021"}),
        ("length 0", b"Q" + struct.pack("!I", 0), CLOSED | {"08P01", "54000"}),
        ("length -1", b"Q" + struct.pack("!i", -1), CLOSED | {"08P01", "54000"}),
        ("1 GiB announced", b"Q" + struct.pack("!I", 1 << 30) + b"x" * 1000, CLOSED | {"08P01", "54000"}),
        ("8 MiB sent", message(b"Q", b"SELECT '" + b"x" * (8 << 20) + b"'\0"), CLOSED | {"08P01", "54000", "54001"}),
        ("Bind of nothing", message(b"B", b"\0none\0\0\0\0\0\0\0") + sync, violation),
        ("Bind of 65,535 parameters", parse(b"", b"SELECT 1") + message(b"B", b"\0\0\0\0\xff\xff" + b"\xff\xff\xff\xff" * 65_535 + b"\0\0") + sync, violation | {"54001"}),
        ("Bind that ends early", parse(b"", b"SELECT 1") + message(b"B", b"\0\0\0\0\xff\xff") + sync, violation),
        ("value of -2 bytes", parse(b"", b"SELECT $1") + message(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0") + sync, violation),
        ("value of 2 GiB", parse(b"", b"SELECT $1") + message(b"B", b"\0\0\0\0\0\1\x7f\xff\xff\xff\0\0") + sync, violation),
        ("Execute of nothing", message(b"E", b"none\0\0\0\0\0") + sync, violation),
        *(
            (f"Execute of {rows:,} rows", parse(b"", b"SELECT 1") + message(b"B", b"\0" * 8) + message(b"E", b"\0" + struct.pack("!i", rows)) + sync, {""})
            for rows in (2_147_483_647, -1, -2_147_483_648)
        ),
        ("Describe of nothing", message(b"D", b"Snone\0") + sync, violation),
        ("Describe of no kind", message(b"D", b"Xnone\0") + sync, violation),
        ("Close of nothing", message(b"C", b"Snone\0") + sync, {""}),
        ("data of a copy", message(b"d", b"1\t2\n") + message(b"c", b"") + sync, violation | {""}),
        ("function call", message(b"F", b"\0\0\0\1\0\0\0\0\0\0") + sync, violation),
        ("a password", message(b"p", b"x\0") + sync, violation | {""}),
        ("1000 statements", message(b"Q", b"SELECT 1;" * 1000 + b"\0"), {"25006", "54001"}),
        ("1000 settings", message(b"Q", b"SET a.b = 1;" * 1000 + b"\0"), {"25006", "54001", ""}),
        ("100,000 empty statements", message(b"Q", b";" * 60_000 + b"\0"), {"25006", "54001", ""}),
        ("Syncs", sync * 5_000, {""}),
    ]
    for name, data, accepted in cases:
        sock, stream = door.connect()
        try:
            state(stream)
            sock.settimeout(30)
            try:
                sock.sendall(data)
            except OSError:
                pass
            found = state(stream)
        except TimeoutError:
            found = "TIMEOUT"
        except OSError:
            found = "closed"
        finally:
            stream.close()
            sock.close()
        if found not in accepted:
            problems.append(f"{name}: {found or 'no error'}")
    problems += many_parses(door, 100_000 if attack.is_deep else 5_000)
    return problems, {"asked": len(cases) + 1}


def many_parses(door, count):
    """Statements prepared without a Sync in between: kept up to a number, then refused, and the rest is skipped."""
    sock, stream = door.connect()
    try:
        state(stream)
        sock.settimeout(120)
        for begin in range(0, count, 500):
            batch = b"".join(message(b"P", b"s%d\0SET a.b = 1\0\0\0" % n) for n in range(begin, begin + 500))
            sock.setblocking(True)
            sock.settimeout(120)
            sock.sendall(batch)
        sock.sendall(message(b"S", b""))
        found = state(stream)
    except OSError as error:
        found = "closed" if not isinstance(error, TimeoutError) else "TIMEOUT"
    finally:
        stream.close()
        sock.close()
    return [] if found in ("54001", "closed", "53200") else [f"{count} prepared statements: {found or 'no error'}"]


def ask(sock, stream, sql):
    sock.sendall(message(b"Q", sql.encode() + b"\0"))
    return state(stream)


def text_of(sock, sql):
    """Everything that comes back for a query, as bytes up to ReadyForQuery."""
    sock.sendall(message(b"Q", sql.encode() + b"\0"))
    got = b""
    while not got.endswith(b"Z\0\0\0\x05I"):
        chunk = sock.recv(65536)
        if not chunk:
            break
        got += chunk
    return got


def postgres_sessions_are_apart(attack):
    """H32: what one connection sets, another does not see; no setting lifts a limit."""
    door, problems = Postgres(attack.pg, False), []
    one, first = door.connect()
    two, second = door.connect()
    try:
        state(first), state(second)
        for sql in ["SET TIME ZONE 'Asia/Tokyo'", "SET application_name = 'one-of-two'", "SET gongkai.as_of = '2001-01-01'", "SET statement_timeout = '1min'"]:
            if found := ask(one, first, sql):
                problems.append(f"{sql}: {found}")
        for sql in ["SHOW timezone", "SHOW application_name", "SHOW gongkai.as_of"]:
            got = text_of(two, sql)
            if b"Tokyo" in got or b"one-of-two" in got or b"2001" in got:
                problems.append(f"another connection sees it: {sql}: {got!r}")
        ask(one, first, "SET gongkai.as_of = ''")
        ask(one, first, "SET statement_timeout = 0")
        one.settimeout(60)
        begun = time.monotonic()
        found = ask(one, first, ENDLESS)
        took = time.monotonic() - begun
        if found not in ("57014", "53300") or took > attack.timeout_ms / 1000 + 8:
            problems.append(f"an endless query without a timeout of the client: {found} after {took:.1f} s")
        if found := ask(two, second, "SELECT 1"):
            problems.append(f"the other connection: {found}")
        for number in range(2_000 if attack.is_deep else 200):
            ask(two, second, f"SET search_path = 's{number}'")
        if found := ask(two, second, "SET application_name = '" + "x" * 10_000 + "'"):
            if found not in ("22023",):
                problems.append(f"a long setting: {found}")
    finally:
        for end in (first, one, second, two):
            end.close()
    return problems, {"endless_after_s": round(took, 1)}


def guessed_cancels_end_no_query(attack):
    """H30: cancel requests with guessed keys."""
    door = Postgres(attack.pg, False)
    sock, stream = door.connect()
    state(stream)
    sock.sendall(message(b"Q", ENDLESS.encode() + b"\0"))
    host, _, port = attack.pg.rpartition(":")
    begun = time.monotonic()
    for _ in range(2_000 if attack.is_deep else 300):
        with socket.create_connection((host, int(port)), timeout=10) as other:
            other.sendall(struct.pack("!II", 16, 80877102) + struct.pack("!I", int.from_bytes(os.urandom(1), "big")) + os.urandom(4))
        if time.monotonic() - begun > attack.timeout_ms / 1000 - 1:
            break
    sock.settimeout(60)
    _, error = messages(stream)
    took = time.monotonic() - begun
    stream.close()
    sock.close()
    if error and error["C"] == "57014" and took < attack.timeout_ms / 1000 - 0.5:
        return [f"the query ended after {took:.1f} s: {error}"], {}
    return [] if error else ["the endless query answered"], {"ended_after_s": round(took, 1)}


def postgres_startups_that_stall_are_closed(attack):
    """T14: connections that say nothing, and those that stop in the middle of their first message."""
    host, _, port = attack.pg.rpartition(":")
    socks, honest = [], None
    for number in range(200):
        try:
            sock = socket.create_connection((host, int(port)), timeout=5)
            if number % 2:
                sock.sendall(struct.pack("!II", 100, 196608) + b"user\0")
            socks.append(sock)
        except OSError:
            pass
    honest = Postgres(attack.pg, False).ask("SELECT 1").seen
    begun, closed = time.monotonic(), 0
    until = begun + 18
    for sock in socks:
        try:
            sock.settimeout(max(0.01, until - time.monotonic()))
            while sock.recv(1024):
                pass
            closed += 1
        except TimeoutError:
            pass
        except OSError:
            closed += 1
        sock.close()
    problems = [] if closed == len(socks) else [f"{closed} of {len(socks)} closed after 18 s"]
    if "ok" not in Postgres(attack.pg, False).ask("SELECT 1").codes:
        problems.append("no place for an honest client afterwards")
    return problems, {"closed_after_s": round(time.monotonic() - begun, 1), "honest_meanwhile": honest}


for slow in (postgres_startups_that_stall_are_closed, guessed_cancels_end_no_query):
    slow.is_deep = True


# Arrow Flight SQL.

REFUSED = {"UNIMPLEMENTED", "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED"}


def flight_calls_are_checked(attack):
    """H33: tickets, commands and calls that are not of an honest driver."""
    door, problems = Flight(attack.flight, "ticket"), []
    descriptor = lambda body: part(1, 2) + part(2, body)
    action = lambda kind, body=b"": part(1, kind) + part(2, body)
    data = lambda body: part(1, descriptor(body)) + part(2, b"\x10\0\0\0") + part(1000, b"x" * 64)
    hidden = '{"sql":"SELECT * FROM staging.debt_stock"}'
    unary, stream, both = "unary_unary", "unary_stream", "stream_stream"
    substrait = command("CommandStatementSubstraitPlan", part(1, part(1, os.urandom(100)) + part(2, "0.1")))
    cases = [
        ("random ticket", "DoGet", stream, part(1, os.urandom(200)), REFUSED),
        ("empty ticket", "DoGet", stream, b"", REFUSED),
        ("ticket of no message", "DoGet", stream, os.urandom(50), REFUSED | {"INTERNAL", "UNKNOWN"}),
        ("ticket of 5 MB", "DoGet", stream, part(1, b"x" * 5_000_000), REFUSED | {"RESOURCE_EXHAUSTED", "OUT_OF_RANGE"}),
        ("ticket with a role", "DoGet", stream, part(1, command("TicketStatementQuery", part(1, '{"sql":"SELECT 1","role":"admin"}'))), REFUSED),
        ("ticket of a hidden table", "DoGet", stream, part(1, command("TicketStatementQuery", part(1, hidden))), {"table_not_found"}),
        ("ticket with random values", "DoGet", stream, part(1, command("TicketStatementQuery", part(1, '{"sql":"SELECT $1","values":"AAAAAAAA"}'))), REFUSED | {"invalid_parameter", "query_failed", "sql_syntax"}),
        ("ticket with values that are no base64", "DoGet", stream, part(1, command("TicketStatementQuery", part(1, '{"sql":"SELECT $1","values":"!!!"}'))), REFUSED | {"invalid_parameter", "query_failed", "sql_syntax"}),
        ("ticket as of never", "DoGet", stream, part(1, command("TicketStatementQuery", part(1, '{"sql":"SELECT 1","as_of":"never"}'))), {"invalid_parameter"}),
        ("ticket with JSON 100,000 deep", "DoGet", stream, part(1, command("TicketStatementQuery", part(1, "[" * 100_000))), REFUSED),
        ("prepared handle of a change", "DoGet", stream, part(1, command("CommandPreparedStatementQuery", part(1, '{"sql":"DROP TABLE debt_stock"}'))), {"statement_not_allowed"}),
        ("Substrait plan", "GetFlightInfo", unary, descriptor(substrait), REFUSED),
        ("Substrait plan as ticket", "DoGet", stream, part(1, substrait), REFUSED),
        ("unknown command", "GetFlightInfo", unary, descriptor(command("CommandNothing", b"")), REFUSED),
        ("random command", "GetFlightInfo", unary, descriptor(os.urandom(100)), REFUSED),
        ("path in place of a command", "GetFlightInfo", unary, part(1, 1) + part(3, "../../etc/passwd"), REFUSED),
        ("update", "DoPut", both, data(command("CommandStatementUpdate", part(1, "DELETE FROM debt_stock"))), REFUSED),
        ("prepared update", "DoPut", both, data(command("CommandPreparedStatementUpdate", part(1, hidden))), REFUSED),
        ("rows for a table", "DoPut", both, data(command("CommandStatementIngest", part(2, "debt_stock"))), REFUSED),
        ("random rows", "DoPut", both, data(os.urandom(100)), REFUSED),
        ("values of 3 MB", "DoPut", both, data(command("CommandPreparedStatementQuery", part(1, hidden))) + part(1000, b"x" * 3_000_000), REFUSED | {"RESOURCE_EXHAUSTED", "OUT_OF_RANGE", "payload_too_large"}),
        ("exchange", "DoExchange", both, data(b"x"), REFUSED),
        ("unknown action", "DoAction", stream, action("Shutdown"), REFUSED),
        ("transaction", "DoAction", stream, action("BeginTransaction", command("ActionBeginTransactionRequest", b"")), REFUSED),
        ("savepoint", "DoAction", stream, action("BeginSavepoint", command("ActionBeginSavepointRequest", b"")), REFUSED),
        ("prepared Substrait plan", "DoAction", stream, action("CreatePreparedSubstraitPlan", command("ActionCreatePreparedSubstraitPlanRequest", b"")), REFUSED),
        ("prepared change", "DoAction", stream, action("CreatePreparedStatement", command("ActionCreatePreparedStatementRequest", part(1, "DROP TABLE debt_stock"))), {"statement_not_allowed"}),
        ("session option", "DoAction", stream, action("SetSessionOptions", os.urandom(20)), REFUSED),
        ("cancel of others", "DoAction", stream, action("CancelFlightInfo", os.urandom(20)), REFUSED),
        ("handshake without a key", "Handshake", both, part(2, b"x"), {"unauthorized"}),
        ("no such call", "DoSomething", unary, b"", REFUSED),
        ("list of flights", "ListFlights", stream, b"", REFUSED),
        ("wait for a flight", "PollFlightInfo", unary, descriptor(b"x"), REFUSED),
        ("schema of anything", "GetSchema", unary, descriptor(os.urandom(20)), REFUSED),
        ("tables by a pattern of 10 kB", "GetFlightInfo", unary, descriptor(command("CommandGetTables", part(3, "%_" * 5_000))), {"ok"} | REFUSED),
        ("tables by a pattern", "DoGet", stream, part(1, command("CommandGetTables", part(2, "staging") + part(3, "%"))), {"ok"}),
    ]
    for name, method, kind, body, accepted in cases:
        found = called(door, method, kind, body)
        if not found & accepted:
            problems.append(f"{name}: {found}")
    for _ in range(500 if attack.is_deep else 50):
        called(door, "Handshake", both, part(2, b"x" * 1000), [("authorization", "Basic AAAA")])
    found = called(door, "DoGet", stream, ticket_of("SELECT 1"), [("authorization", "Bearer gk_00000000_x")])
    if not found & {"unauthorized", "rate_limited"}:
        problems.append(f"wrong key: {found}")
    door.close()
    return problems, {"asked": len(cases) + 1}


def called(door, method, kind, body, metadata=None):
    """Codes of the answer."""
    try:
        call = door.call(method, kind)
        answer = call(iter([body]) if kind.startswith("stream") else body, timeout=30, metadata=metadata)
        if kind.endswith("stream"):
            for _ in answer:
                pass
        return {"ok"}
    except grpc.RpcError as error:
        outcome = grpc_failure(error)
        flaws = set(outcome.flaws)
        if len(outcome.text) >= 4096 or "src/" in outcome.text:
            flaws.add(f"text {outcome.text[:100]}")
        return outcome.codes | flaws


def slow_flight_consumers_hold_little(attack):
    """H34: calls whose rows nobody takes, more than a connection may have."""
    door = Flight(attack.flight, "ticket")
    wide = "SELECT a.* FROM air_hourly a CROSS JOIN (SELECT row_no AS n FROM air_hourly LIMIT 500) b"
    calls = [door.call("DoGet", "unary_stream")(ticket_of(wide), timeout=20) for _ in range(100)]
    time.sleep(2)
    problems = [] if attack.warm(20) else ["no control query was answered beside calls that are not read"]
    for call in calls:
        call.cancel()
    door.close()
    return problems + ([] if attack.warm(20) else ["no answer afterwards"]), {}


slow_flight_consumers_hold_little.is_deep = True


CHECKS = [
    postgres_startups_are_checked,
    postgres_messages_are_checked,
    postgres_sessions_are_apart,
    guessed_cancels_end_no_query,
    flight_calls_are_checked,
    slow_flight_consumers_hold_little,
    postgres_startups_that_stall_are_closed,
]
