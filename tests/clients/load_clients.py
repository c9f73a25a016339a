"""Clients of a mixed load: each does one thing with a served instance, and says in a word what became of it.

A client that is answered, or is told when to come again, is content; anything else is a `Fault`. Several leave before their
answer has come, which is what they are for.
"""

import http.client
import json
import random
import socket
import struct
import time
import urllib.parse

from hostile_doors import CODES, Flight, Http, Postgres, message, messages, ticket_of

PATIENCE = 40
FORMATS = ("json", "csv", "ndjson", "parquet", "arrow", "xlsx")
PAGES = ("/", "/datasets", "/datasets?lang=en", "/datasets/air_city_hourly", "/sql", "/sql?q=SELECT%201", "/docs/", "/openapi.json")
DATASETS = ("air_city_hourly", "debt_limit_balance_final", "cpi_monthly", "admin_decisions")
# Answers of some size, one that never ends by itself, and one that is more than a client wants to read.
QUESTIONS = (
    "SELECT region_code, count(*) AS n, {n} AS number FROM air_hourly GROUP BY 1",
    "SELECT *, {n} AS number FROM debt_stock",
    "SELECT measure, avg(value) + {n} AS mean FROM air_hourly GROUP BY measure ORDER BY 1",
    "SELECT d.region_name, sum(d.amount_yuan), {n} AS number FROM debt_stock d JOIN debt_stock e USING (release_id, row_no) GROUP BY 1",
    "SELECT {n} AS number",
)
ENDLESS = "SELECT count(*) FROM air_hourly a, air_hourly b, air_hourly c WHERE a.value + b.value + c.value < {n}"
LARGE = "SELECT a.*, b.n, {n} AS number FROM air_hourly a CROSS JOIN (SELECT row_no AS n FROM air_hourly LIMIT 200) b"


class Fault(Exception):
    """An answer that should not be."""


def question(dice):
    return dice.choice(QUESTIONS).format(n=dice.randrange(10**9))


def get(place, path, headers=None, method="GET", body=None, take=None):
    """Status, headers and body of one request; only the first bytes of the body where `take` says how many."""
    parts = urllib.parse.urlsplit(place.http)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read(take)
    finally:
        connection.close()


def content(status, headers, expected=(200,)):
    """The word for an answer."""
    if status in expected:
        return str(status)
    if status in (429, 503) and headers.get("retry-after"):
        return str(status)
    raise Fault(f"status {status}, Retry-After {headers.get('retry-after')}")


def read_page(place, dice):
    path = dice.choice(PAGES)
    status, headers, body = get(place, path)
    if status == 200 and not body:
        raise Fault(f"{path} is empty")
    return content(status, headers)


def read_records(place, dice):
    path = f"/api/v1/datasets/air_city_hourly/records?order_by=obs_time,geo_id&page_size={dice.randrange(1, 200)}"
    for _ in range(dice.randrange(1, 4)):
        status, headers, body = get(place, path)
        word = content(status, headers)
        token = json.loads(body).get("next_page_token") if status == 200 else None
        if not token:
            break
        path = path.split("&page_token=")[0] + f"&page_token={token}"
    return word


def ask_over_http(place, dice):
    wanted = dice.choice(FORMATS)
    query = {"q": question(dice), "format": wanted}
    status, headers, body = get(place, "/api/v1/sql?" + urllib.parse.urlencode(query))
    length = headers.get("content-length")
    if status == 200 and length and int(length) != len(body):
        raise Fault(f"{len(body)} of {length} bytes as {wanted}")
    return content(status, headers)


def download(place, dice):
    """A dataset as a file; some take the beginning and leave, some ask for a part of a released file."""
    id = dice.choice(DATASETS)
    act = dice.randrange(3)
    if act == 0:
        status, headers, _ = get(place, f"/api/v1/datasets/{id}/download?format={dice.choice(FORMATS)}")
        return content(status, headers)
    if act == 1:
        status, headers, _ = get(place, f"/api/v1/datasets/{id}/download?format=csv", take=dice.randrange(1, 4096))
        return "left" if status == 200 else content(status, headers)
    status, headers, body = get(place, f"/api/v1/datasets/{id}/releases")
    if status != 200:
        return content(status, headers)
    file = dice.choice([file for release in json.loads(body)["releases"] for file in release["files"]])
    begin = dice.randrange(file["bytes"])
    end = min(begin + dice.randrange(1, 65536), file["bytes"]) - 1
    status, headers, body = get(place, file["href"], {"range": f"bytes={begin}-{end}"})
    if status == 206 and len(body) != end - begin + 1:
        raise Fault(f"{len(body)} bytes of the range {begin}-{end}")
    return content(status, headers, (206,))


def leave_http(place, dice):
    """Asks for much and goes at once, or in the middle of the answer, with or without a farewell."""
    parts = urllib.parse.urlsplit(place.http)
    sql = dice.choice((ENDLESS, LARGE)).format(n=-dice.randrange(10**9))
    path = "/api/v1/sql?" + urllib.parse.urlencode({"q": sql, "format": "csv"})
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        leave(sock, dice)
    return "left"


def leave(sock, dice):
    """Reads nothing, or for a moment; then closes the connection or breaks it."""
    sock.settimeout(dice.choice((0.01, 0.1, 0.5)))
    try:
        for _ in range(dice.randrange(0, 20)):
            if not sock.recv(16384):
                break
    except OSError:
        pass
    if dice.random() < 0.5:
        # What is not sent yet is thrown away, and the server is told by a reset.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def of_outcome(outcome, expected=("ok",)):
    """The word for an answer at any door."""
    if outcome.flaws:
        raise Fault("; ".join(outcome.flaws))
    for code in outcome.codes:
        if code in expected or code in ("overloaded", "rate_limited"):
            return code
    raise Fault(f"{outcome.seen} {outcome.text[:200]}")


def ask_over_postgres(place, dice):
    return of_outcome(Postgres(place.pg, dice.random() < 0.5).ask(question(dice)))


def begin_postgres(place):
    """A connection that is ready, and its process id and secret; nothing where it is told that there is no place for it."""
    sock, stream = Postgres(place.pg, False).connect()
    key, refusal = None, b"the end of the connection"
    while len(head := stream.read(5)) == 5:
        body = stream.read(struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] == b"K":
            key = body
        if head[:1] == b"E":
            refusal = body
            break
        if head[:1] == b"Z":
            return sock, stream, key
    stream.close()
    sock.close()
    if b"C53300" in refusal.split(b"\0"):
        return None
    raise Fault(f"a connection begins with {refusal.decode('utf-8', 'replace')}")


def cancel_postgres(place, dice):
    """A statement without an end, cancelled from another connection; a cancel that comes before it is no cancel of it."""
    begun = begin_postgres(place)
    if not begun:
        return "overloaded"
    sock, stream, key = begun
    with sock, stream:
        sock.sendall(message(b"Q", ENDLESS.format(n=-dice.randrange(10**9)).encode() + b"\0"))
        time.sleep(dice.choice((0.05, 0.3)))
        with socket.create_connection(sock.getpeername(), timeout=PATIENCE) as other:
            other.sendall(struct.pack("!II", len(key) + 8, 80877102) + key)
            other.recv(1)
        _, error = messages(stream)
        state, said = (error or {}).get("C"), (error or {}).get("M", "")
        if state not in ("57014", "53300"):
            raise Fault(f"a cancelled statement ends with {error}")
        # The end of its time has the same state as a cancel.
        return "overloaded" if state == "53300" else "cancelled" if "user request" in said else "query_timeout"


def leave_postgres(place, dice):
    begun = begin_postgres(place)
    if not begun:
        return "overloaded"
    sock, stream, _ = begun
    with sock, stream:
        sql = dice.choice((ENDLESS, LARGE)).format(n=-dice.randrange(10**9))
        sock.sendall(message(b"Q", sql.encode() + b"\0"))
        leave(sock, dice)
    return "left"


def ask_over_flight(place, dice):
    door = Flight(place.flight, dice.choice(("driver", "prepared", "ticket")))
    try:
        return of_outcome(door.ask(question(dice)))
    finally:
        door.close()


def leave_flight(place, dice):
    door = Flight(place.flight, "ticket")
    try:
        sql = dice.choice((ENDLESS, LARGE)).format(n=-dice.randrange(10**9))
        call = door.call("DoGet", "unary_stream")(ticket_of(sql), timeout=PATIENCE)
        if dice.random() < 0.5:
            time.sleep(dice.choice((0.05, 0.3)))
        call.cancel()
    finally:
        door.close()
    return "left"


def attack(place, dice):
    """One of the hostile statements at one of the doors: any answer of the table of codes is one."""
    entry = dice.choice(place.hostile)
    door = dice.choice((Http(place.http, "GET"), Http(place.http, "POST"), Postgres(place.pg, False), Postgres(place.pg, True)))
    outcome = door.ask(entry["sql"])
    return of_outcome(outcome, ("ok", "truncated", *(code for code in CODES if code != "internal")))


# How often each of them acts beside the others. Who leaves costs a worker, and a worker of a slow build takes a second to start.
CLIENTS = {
    read_page: 12,
    read_records: 6,
    ask_over_http: 12,
    download: 8,
    leave_http: 1,
    ask_over_postgres: 8,
    cancel_postgres: 1,
    leave_postgres: 1,
    ask_over_flight: 4,
    leave_flight: 1,
    attack: 2,
}


def next_client(dice: random.Random):
    return dice.choices(list(CLIENTS), list(CLIENTS.values()))[0]
