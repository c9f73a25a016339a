"""Hostile requests over HTTP: parsing, the SQL endpoint, clients that go away or are slow; hundreds that ask at once are in load.py.

Each function of `CHECKS` takes the attack and gives what went wrong, and figures. Those marked `deep` take minutes.
"""

import json
import socket
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hostile_doors import Flight, Http, Postgres, message, ticket_of
from hostile_watch import children

HEAVY = "SELECT count(*) FROM air_hourly a, air_hourly b, air_hourly c WHERE a.value + b.value + c.value < 0"


def deep(check):
    check.is_deep = True
    return check


def address_of(attack):
    parts = urllib.parse.urlsplit(attack.http)
    return parts.hostname, parts.port


def raw(attack, data, seconds=15):
    """Sends bytes and gives everything that comes back until the server closes or is quiet."""
    with socket.create_connection(address_of(attack), timeout=seconds) as sock:
        return spoken(sock, data, seconds)


def spoken(sock, data, seconds, quiet=1.0):
    got = b""
    try:
        sock.sendall(data)
        sock.settimeout(seconds)
        while chunk := sock.recv(65536):
            got += chunk
            sock.settimeout(quiet)
    except TimeoutError:
        # Nothing more comes; whoever got nothing at all has waited the whole time.
        return got or b"TIMEOUT"
    except OSError:
        return got or b"CLOSED"
    return got or b"CLOSED"


def statuses(got):
    """Statuses of the answers in what came back."""
    found = []
    for line in got.split(b"\r\n"):
        at = line.find(b"HTTP/1.1 ")
        if at >= 0:
            found.append(line[at + 9 : at + 12].decode("ascii", "replace"))
    return found


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/sql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SMUGGLED = b"GET /healthz?smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
REFUSED = {"400", "405", "404", "411", "413", "414", "415", "417", "431", "501", "505"}

# Name, request, accepted statuses of the first answer; "" is a connection closed without one.
MALFORMED = [
    ("request line of 80 KiB", b"GET /" + b"a" * 80_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED | {""}),
    ("header line of 1 MiB", GET + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n", {"431", "400", ""}),
    ("1000 headers", GET + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n", {"431", "400", ""}),
    ("two lengths", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + SMUGGLED, {"400", ""}),
    ("negative length", POST + b"Content-Length: -1\r\n\r\n{}" + SMUGGLED, {"400", ""}),
    ("length with a sign", POST + b"Content-Length: +2\r\n\r\n{}" + SMUGGLED, {"400", ""}),
    ("length beyond 64 bits", POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}", {"400", "413", ""}),
    ("unknown encoding", POST + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED, {"400", "501", ""}),
    ("chunk size beyond 64 bits", POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\n{}", {"400", ""}),
    ("chunk size that is none", POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", {"400", ""}),
    ("folded header", GET + b"X: a\r\n b\r\n\r\n", {"400", ""}),
    ("NUL in a header", GET + b"X: a\0b\r\n\r\n", {"400", ""}),
    ("space before the colon", GET + b"X : a\r\n\r\n", {"400", ""}),
    ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", {"400", "200"}),
    ("CONNECT", b"CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED | {""}),
    ("TRACE", b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    ("unknown method", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    ("lower-case method", b"get / HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    ("HTTP/3.0 in text", b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", REFUSED | {""}),
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, REFUSED | {""}),
    ("absolute form of another host", b"GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    ("path of dots", b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    ("encoded dots", b"GET /api/v1/datasets/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    ("bad escapes", b"GET /api/v1/datasets/%zz%c0%ae HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    ("10 GB announced", POST + b"Content-Length: 10000000000\r\n\r\n", {"413", "400"}),
    ("unknown expectation", GET + b"Expect: 200-maybe\r\n\r\n", REFUSED | {"200"}),
    ("upgrade", GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", REFUSED | {"200"}),
    ("gzip bomb as body", POST + b"Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\0", {"415", "400"}),
    ("1000 ranges", b"GET /api/v1/datasets/air_city_hourly/download?format=csv HTTP/1.1\r\nHost: x\r\nRange: bytes=" + b",".join([b"0-"] * 1000) + b"\r\n\r\n", {"200", "206", "416", "431"}),
]


def malformed_requests_are_refused(attack):
    problems = []
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda case: raw(attack, case[1], 5), MALFORMED))
    for (name, data, accepted), got in zip(MALFORMED, answers):
        found = statuses(got) or ([got.decode()] if got == b"TIMEOUT" else [""])
        if found[0] not in accepted:
            problems.append(f"{name}: {found} {got[:200]!r}")
        if b"Transfer-Encoding" not in data and SMUGGLED in data and len(found) > 1:
            problems.append(f"{name}: the request in the body was answered: {found}")
    pipelined = statuses(raw(attack, (GET + b"\r\n") * 1000, 30))
    if pipelined.count("200") != 1000:
        problems.append(f"1000 pipelined requests: {pipelined.count('200')} answers")
    return problems, {"asked": len(MALFORMED) + 1}


def sql_requests_are_checked(attack):
    """What stands around a statement: H13, H15, H18, H19, H22."""
    json_body = lambda text, kind=b"application/json": (
        b"POST /api/v1/sql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + kind + b"\r\nContent-Length: %d\r\n\r\n" % len(text) + text
    )
    get = lambda path: b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    sql = b"/api/v1/sql?q=SELECT%201"
    ckan = b"/api/3/action/datastore_search_sql?sql="
    requests = [
        ("no statement", get(b"/api/v1/sql"), {"400"}),
        ("a statement of 60 KiB", get(b"/api/v1/sql?q=SELECT%20'" + b"x" * 60_000 + b"'"), {"400", "414", "431", ""}),
        ("unknown format", get(sql + b"&format=exe"), {"400", "406"}),
        ("path as format", get(sql + b"&format=..%2F..%2Fetc%2Fpasswd"), {"400", "406"}),
        ("line break in format", get(sql + b"&format=csv%0d%0aX-Bad:1"), {"400", "406"}),
        ("unknown parameter", get(sql + b"&role=admin"), {"400"}),
        ("two statements", get(sql + b"&q=SELECT%202"), {"400"}),
        ("limit below zero", get(sql + b"&limit=-1"), {"400"}),
        ("limit beyond 64 bits", get(sql + b"&limit=99999999999999999999"), {"400"}),
        ("large limit", get(sql + b"&limit=1000000000"), {"200"}),
        ("as of never", get(sql + b"&as_of=yesterday"), {"400"}),
        ("10,000 parameters", get(sql + b"".join(b"&a%d=1" % n for n in range(3_000))), {"400", "414", "431", ""}),
        ("form", json_body(b"sql=SELECT+1", b"application/x-www-form-urlencoded"), {"415"}),
        ("text", json_body(b"SELECT 1", b"text/plain"), {"415"}),
        ("GBK", json_body(b'{"sql":"SELECT \'\xd6\xd0\'"}', b"application/json; charset=gbk"), {"400", "415"}),
        ("bytes that are no UTF-8", json_body(b'{"sql":"SELECT \'\xff\xfe\'"}'), {"400"}),
        ("key twice", json_body(b'{"sql":"SELECT 1","sql":"DROP TABLE t"}'), {"400"}),
        ("unknown key", json_body(b'{"sql":"SELECT 1","role":"admin"}'), {"400"}),
        ("a list", json_body(b'["SELECT 1"]'), {"400"}),
        ("a number", json_body(b'{"sql":1}'), {"400"}),
        ("JSON 100,000 deep", json_body(b"[" * 100_000), {"400"}),
        ("cut JSON", json_body(b'{"sql":'), {"400"}),
        ("5 MiB", json_body(b'{"sql":"' + b"x" * (5 << 20) + b'"}'), {"413", "400", ""}),
        ("key in the address", get(sql + b"&token=gk_00000000_x"), {"400"}),
        ("method", b"DELETE /api/v1/sql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {"405"}),
        ("wrong key", b"GET " + sql + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer gk_00000000_x\r\n\r\n", {"401"}),
        ("key of 50 KiB", b"GET " + sql + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + b"x" * 50_000 + b"\r\n\r\n", {"401", "431", "400", ""}),
        ("two keys", b"GET " + sql + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", {"401"}),
        ("CKAN: drop", get(ckan + b"DROP%20TABLE%20debt_stock"), {"400", "403", "404", "409"}),
        ("CKAN: file", get(ckan + b"SELECT%20*%20FROM%20'/etc/passwd'"), {"400", "404", "409"}),
        ("CKAN: hidden", get(ckan + b"SELECT%20*%20FROM%20staging.debt_stock"), {"400", "404", "409"}),
        ("CKAN: casts", get(ckan + b"SELECT%20" + b"CAST(" * 30), {"400", "404", "409"}),
        ("CKAN: path as resource", get(b"/api/3/action/datastore_search?resource_id=..%2F..%2Fx"), {"400", "404", "409"}),
        ("CKAN: deep filters", get(b"/api/3/action/datastore_search?resource_id=x&filters=" + b"%5B" * 2_000), {"400", "404", "409"}),
        ("deep filter of records", get(b"/api/v1/datasets/air_city_hourly/records?where=" + b"(" * 5_000), {"400", "414", "431"}),
        ("sub-query in records", get(b"/api/v1/datasets/air_city_hourly/records?where=1%20IN%20(SELECT%201%20FROM%20staging.debt_stock)"), {"400", "404"}),
        ("statement in order", get(b"/api/v1/datasets/air_city_hourly/records?order_by=value;DROP%20TABLE%20t"), {"400", "404"}),
        ("page size", get(b"/api/v1/datasets/air_city_hourly/records?page_size=-1"), {"400"}),
        ("page token", get(b"/api/v1/datasets/air_city_hourly/records?page_token=eyJ4IjoxfQ"), {"400"}),
    ]
    problems = []
    for name, data, accepted in requests:
        got = raw(attack, data, 30)
        found = (statuses(got) or [""])[0]
        if found not in accepted:
            problems.append(f"{name}: {found or 'nothing'} {got[-300:]!r}")
        body = got.partition(b"\r\n\r\n")[2]
        if found.startswith(("4", "5")) and len(body) >= 4096:
            problems.append(f"{name}: {len(body)} bytes of error")
        if b"X-Bad" in got.partition(b"\r\n\r\n")[0]:
            problems.append(f"{name}: a header of the client's")
    begun = time.monotonic()
    head = raw(attack, b"HEAD /api/v1/sql?q=" + urllib.parse.quote(HEAVY).encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 30)
    if time.monotonic() - begun > 2.5:
        problems.append(f"HEAD ran the statement: {head[:100]!r}")
    return problems, {"asked": len(requests) + 1}


def work(attack):
    """Processor time of the workers so far, in ticks."""
    total = 0
    for child in children(attack.pid):
        try:
            parts = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(parts[11]) + int(parts[12])
    return total


def is_idle(attack):
    """Whether the workers use no processor for a while; one that starts or ends in between counts as work."""
    before = children(attack.pid), work(attack)
    time.sleep(0.3)
    return before[0] == children(attack.pid) and work(attack) - before[1] <= 1


def abandoned_clients_cost_nothing(attack):
    """T12: 50 heavy queries whose clients leave after 100 ms, at every door."""
    body = json.dumps({"sql": HEAVY}).encode()

    def http():
        sock = socket.create_connection(address_of(attack), timeout=10)
        sock.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return sock

    def postgres():
        sock, stream = Postgres(attack.pg, False).connect()
        stream.close()
        sock.sendall(message(b"Q", HEAVY.encode() + b"\0"))
        return sock

    problems, figures = [], {}
    for name, start in [("http", http), ("postgres", postgres)]:
        for _ in range(3 if attack.is_deep else 1):
            socks = []
            for _ in range(50 if name == "http" else 25):
                try:
                    socks.append(start())
                except OSError as error:
                    problems.append(f"{name}: {error}")
            time.sleep(0.1)
            for sock in socks:
                sock.close()
        problems += idle_soon(attack, name, figures)
    flights = []
    for _ in range(10):
        door = Flight(attack.flight, "ticket")
        flights.append((door, door.call("DoGet", "unary_stream")(ticket_of(HEAVY), timeout=30)))
    time.sleep(0.1)
    for door, call in flights:
        call.cancel()
        door.close()
    problems += idle_soon(attack, "flight", figures)
    return problems, figures


def idle_soon(attack, name, figures, most=4.0):
    """Whether nothing runs soon and a control query is answered. The goal is 2 s; a busy machine gets twice that."""
    begun = time.monotonic()
    while time.monotonic() - begun < 12:
        if is_idle(attack):
            break
    took = time.monotonic() - begun
    figures[f"{name}_idle_after_s"] = round(took, 2)
    problems = [] if took < most else [f"{name}: still working {took:.1f} s after its clients left"]
    if not attack.warm(10):
        problems.append(f"{name}: no answer afterwards")
    return problems


@deep
def the_twenty_first_heavy_query_is_told_so(attack):
    """T08: twenty queries that burn for their whole time, in parallel; pages go on."""
    door = Http(attack.http, "POST")
    with ThreadPoolExecutor(21) as pool:
        codes = [outcome.codes for outcome in pool.map(lambda _: door.ask(HEAVY), range(21))]
    wrong = [str(found) for found in codes if not found & {"query_timeout", "overloaded"}]
    refused = sum("overloaded" in found for found in codes)
    return wrong + ([] if refused else ["none was refused"]), {"overloaded": refused}


def held_open(attack, count, say, every, seconds):
    """Opens sockets, says something on each now and then; how many the server has closed after so many seconds."""
    socks, refused = [], 0
    for _ in range(count):
        try:
            sock = socket.create_connection(address_of(attack), timeout=5)
            sock.setblocking(False)
            socks.append(sock)
        except OSError:
            refused += 1
    until, closed = time.monotonic() + seconds, set()
    while time.monotonic() < until and len(closed) < len(socks):
        for at, sock in enumerate(socks):
            if at in closed:
                continue
            try:
                if say:
                    sock.send(say)
                if sock.recv(4096) == b"":
                    closed.add(at)
            except BlockingIOError:
                pass
            except OSError:
                closed.add(at)
        time.sleep(every)
    for sock in socks:
        sock.close()
    return len(socks), len(closed), refused


@deep
def slow_headers_are_cut_off(attack):
    """T14: sockets that send a header byte now and then, and silent ones."""
    problems, figures = [], {}
    for name, say in [("a byte now and then", b"a"), ("silent", b"")]:
        opened, closed, refused = held_open(attack, 500, say, 1.0, 20)
        figures[name] = {"opened": opened, "closed": closed, "refused": refused}
        if closed < opened * 0.95:
            problems.append(f"{name}: {closed} of {opened} sockets closed after 20 s")
    return problems, figures


@deep
def slow_bodies_are_cut_off(attack):
    """H05: a body that comes at a byte a second."""
    with socket.create_connection(address_of(attack), timeout=5) as sock:
        sock.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        begun = time.monotonic()
        while time.monotonic() - begun < 90:
            try:
                sock.send(b"x")
                sock.settimeout(1)
                if sock.recv(4096):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        took = time.monotonic() - begun
    return ([] if took < 80 else [f"still read after {took:.0f} s"]), {"seconds": round(took, 1)}


@deep
def slow_readers_hold_little(attack):
    """T13: clients that ask for much and read nothing, at every door."""
    wide = "SELECT * FROM air_hourly a CROSS JOIN (SELECT row_no AS n FROM air_hourly LIMIT 200) b"
    socks = []
    path = "/api/v1/sql?" + urllib.parse.urlencode({"q": wide, "format": "csv", "limit": 50_000})
    download = "/api/v1/datasets/air_city_hourly/download?format=csv"
    for number in range(200):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.settimeout(5)
        sock.connect(address_of(attack))
        wanted = path if number % 10 == 0 else download
        sock.sendall(f"GET {wanted} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        socks.append(sock)
    for _ in range(10):
        sock, stream = Postgres(attack.pg, False).connect()
        stream.close()
        sock.sendall(message(b"Q", wide.encode() + b"\0"))
        socks.append(sock)
    doors = [Flight(attack.flight, "ticket") for _ in range(5)]
    calls = [door.call("DoGet", "unary_stream")(ticket_of(wide), timeout=60) for door in doors]
    time.sleep(15)
    problems = [] if attack.warm(15) else ["no control query was answered beside slow readers"]
    for sock in socks:
        sock.close()
    for door, call in zip(doors, calls):
        call.cancel()
        door.close()
    return problems, {}


@deep
def a_flood_of_connections_is_bounded(attack):
    """T15: 3,000 connections to HTTP; honest ones are served once they are gone."""
    opened, closed, refused = held_open(attack, 3_000, b"", 1.0, 3)
    figures = {"http": {"opened": opened, "closed": closed, "refused": refused}}
    return ([] if attack.warm(20) else ["no answer after the flood"]), figures


CHECKS = [
    malformed_requests_are_refused,
    sql_requests_are_checked,
    abandoned_clients_cost_nothing,
    the_twenty_first_heavy_query_is_told_so,
    slow_headers_are_cut_off,
    slow_bodies_are_cut_off,
    slow_readers_hold_little,
    a_flood_of_connections_is_bounded,
]
