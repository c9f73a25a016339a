"""The doors for SQL, each spoken as far as a hostile client needs: HTTP by http.client, PostgreSQL over a plain socket, Arrow
Flight SQL with messages written by hand over grpcio.

Every door has `ask(sql)`, which gives an `Outcome`. Nothing is retried and nothing interpreted beyond the error's code.
"""

import http.client
import json
import socket
import struct
import urllib.parse
from dataclasses import dataclass, field

import grpc

PATIENCE = 60

# The table of codes: HTTP status, SQLSTATE, gRPC status.
CODES = {
    "sql_syntax": (400, "42601", "INVALID_ARGUMENT"),
    "sql_too_complex": (400, "54001", "INVALID_ARGUMENT"),
    "statement_not_allowed": (400, "25006", "PERMISSION_DENIED"),
    "function_not_allowed": (400, "42883", "INVALID_ARGUMENT"),
    "table_not_found": (404, "42P01", "NOT_FOUND"),
    "column_not_found": (400, "42703", "INVALID_ARGUMENT"),
    "query_failed": (400, "22000", "INVALID_ARGUMENT"),
    "query_timeout": (422, "57014", "DEADLINE_EXCEEDED"),
    "query_memory": (422, "53200", "RESOURCE_EXHAUSTED"),
    "query_disk": (422, "53100", "RESOURCE_EXHAUSTED"),
    "query_too_wide": (422, "54000", "RESOURCE_EXHAUSTED"),
    "result_too_large": (422, "54000", "RESOURCE_EXHAUSTED"),
    "payload_too_large": (413, "54000", "RESOURCE_EXHAUSTED"),
    "overloaded": (503, "53300", "UNAVAILABLE"),
    "rate_limited": (429, "53300", "RESOURCE_EXHAUSTED"),
    "not_found": (404, "42704", "NOT_FOUND"),
    "invalid_parameter": (400, "22023", "INVALID_ARGUMENT"),
    "internal": (500, "XX000", "INTERNAL"),
}


@dataclass
class Outcome:
    """What came: codes that the answer may mean ("ok" and "truncated" are answers), and its text."""

    codes: set
    text: str = ""
    seen: str = ""
    flaws: list = field(default_factory=list)


class Http:
    """`GET` or `POST /api/v1/sql`."""

    def __init__(self, base, method):
        self.address, self.method = urllib.parse.urlsplit(base), method
        self.name = f"http-{method.lower()}"

    def close(self):
        pass

    def ask(self, sql):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=PATIENCE)
        try:
            if self.method == "GET":
                path = "/api/v1/sql?" + urllib.parse.urlencode({"q": sql})
                connection.request("GET", path)
            else:
                body = json.dumps({"sql": sql})
                connection.request("POST", "/api/v1/sql", body, {"content-type": "application/json"})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        return self.read(sql, response, body)

    def read(self, sql, response, body):
        if response.status == 200:
            truncated = json.loads(body)["truncated"]
            return Outcome({"truncated"} if truncated else {"ok"}, "", "200")
        text = body.decode("utf-8", "replace")
        if self.method == "GET" and response.status in (414, 431) and len(sql) > 8_000:
            return Outcome({"sql_too_complex"}, text, str(response.status))
        flaws = []
        try:
            code = json.loads(body)["code"]
        except (ValueError, KeyError):
            return Outcome({"no problem document"}, text, str(response.status))
        if CODES.get(code, (None,))[0] != response.status:
            flaws.append(f"code {code} with status {response.status}")
        if response.status in (429, 503) and not response.headers.get("retry-after"):
            flaws.append("no Retry-After")
        if response.headers.get("content-type") != "application/problem+json":
            flaws.append("media type " + str(response.headers.get("content-type")))
        return Outcome({code}, text, f"{response.status} {code}", flaws)


class Postgres:
    """The protocol of PostgreSQL, simple or extended, a connection for every statement."""

    def __init__(self, address, is_extended):
        host, _, port = address.rpartition(":")
        self.address, self.is_extended = (host, int(port)), is_extended
        self.name = "postgres-extended" if is_extended else "postgres-simple"

    def close(self):
        pass

    def connect(self, user="public", **parameters):
        sock = socket.create_connection(self.address, timeout=PATIENCE)
        words = {"user": user, "database": "gongkai", **parameters}
        body = b"".join(f"{name}\0{value}\0".encode() for name, value in words.items()) + b"\0"
        sock.sendall(struct.pack("!II", len(body) + 8, 196608) + body)
        return sock, sock.makefile("rb")

    def ask(self, sql):
        if "\0" in sql:
            return Outcome({"sql_syntax"}, "", "not sendable")
        sock, stream = self.connect()
        try:
            _, error = messages(stream)
            if error:
                return failure(error)
            text = sql.encode() + b"\0"
            if self.is_extended:
                parts = [(b"P", b"\0" + text + b"\0\0"), (b"B", b"\0\0\0\0\0\0\0\0"), (b"D", b"P\0"), (b"E", b"\0\0\0\0\0"), (b"S", b"")]
            else:
                parts = [(b"Q", text)]
            sock.sendall(b"".join(message(kind, body) for kind, body in parts))
            _, error = messages(stream)
            return failure(error) if error else Outcome({"ok"}, "", "ok")
        finally:
            stream.close()
            sock.close()


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def messages(stream):
    """Reads up to ReadyForQuery or the end; gives how many bytes came, and the first error's fields."""
    size, error = 0, None
    while True:
        head = stream.read(5)
        if len(head) < 5:
            return size, error or {"C": "closed", "M": "the connection ended"}
        length = struct.unpack("!I", head[1:])[0] - 4
        body = stream.read(length)
        size += length + 5
        if head[:1] == b"E" and error is None:
            error = {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
        if head[:1] == b"G":
            # The server waits for data of a copy: it should never.
            return size, {"C": "copy", "M": "the server takes data"}
        if head[:1] == b"Z":
            return size, error


def failure(error):
    state = error.get("C", "")
    codes = {code for code, (_, known, _) in CODES.items() if known == state}
    if state.startswith("22") and not codes:
        # The class says that the data do not go with the statement, the rest says how.
        codes = {"query_failed"}
    flaws = [] if codes else [f"SQLSTATE {state} is not in the table"]
    return Outcome(codes or {state}, json.dumps(error, ensure_ascii=False), state, flaws)


# Arrow Flight SQL: protocol buffers by hand.

SQL = "type.googleapis.com/arrow.flight.protocol.sql."


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def part(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def command(name, value):
    return part(1, SQL + name) + part(2, value)


def ticket_of(sql):
    """A ticket as the server would write it: anybody can."""
    handle = json.dumps({"sql": sql}, ensure_ascii=False)
    return part(1, command("TicketStatementQuery", part(1, handle)))


class Flight:
    """Arrow Flight SQL: the way of a driver, or a ticket made by the client."""

    def __init__(self, address, way):
        self.address, self.way, self.name = address, way, f"flight-{way}"
        self.channel = grpc.insecure_channel(address, [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)])

    def close(self):
        self.channel.close()

    def call(self, method, kind="unary_unary"):
        make = getattr(self.channel, kind)
        return make(f"/arrow.flight.protocol.FlightService/{method}", None, None)

    def rows(self, ticket):
        for _ in self.call("DoGet", "unary_stream")(ticket, timeout=PATIENCE):
            pass

    def ask(self, sql):
        try:
            if self.way == "driver":
                descriptor = part(1, 2) + part(2, command("CommandStatementQuery", part(1, sql)))
                self.call("GetFlightInfo")(descriptor, timeout=PATIENCE)
                self.rows(ticket_of(sql))
            elif self.way == "prepared":
                action = part(1, "CreatePreparedStatement") + part(2, command("ActionCreatePreparedStatementRequest", part(1, sql)))
                for _ in self.call("DoAction", "unary_stream")(action, timeout=PATIENCE):
                    pass
                handle = part(1, json.dumps({"sql": sql}, ensure_ascii=False))
                self.rows(part(1, command("CommandPreparedStatementQuery", handle)))
            else:
                self.rows(ticket_of(sql))
            return Outcome({"ok"}, "", "ok")
        except grpc.RpcError as error:
            return grpc_failure(error)


def grpc_failure(error):
    status, text = error.code().name, error.details() or ""
    heads = list(error.trailing_metadata() or ()) + list(error.initial_metadata() or ())
    code = next((value for name, value in heads if name == "gongkai-code"), None)
    if code is None:
        return Outcome({status}, text, status)
    flaws = [] if CODES.get(code, ("", "", ""))[2] == status else [f"code {code} with {status}"]
    return Outcome({code}, text, f"{status} {code}", flaws)
