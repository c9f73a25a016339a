"""A served instance under load: more work than it can do, many more clients than places, slow clients, and everything mixed.

    load.py '{"http": "http://127.0.0.1:1", "pg": "127.0.0.1:2", "flight": "127.0.0.1:3", "pid": 4, "data": DIR, "log": FILE,
              "workers": 2, "places": 64, "timeout_ms": 5000, "seconds": 20}' [CHECK…]

`places` is how many statements may run or wait, `seconds` how long the mixed load lasts. Prints one JSON line for each check:
its name, what went wrong, and figures. The server's limit of queries a minute must be off.
"""

import json
import os
import random
import re
import socket
import statistics
import struct
import sys
import threading
import time
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hostile import after_everything, short, statements
from hostile_doors import Flight, Http, Postgres, message, ticket_of
from hostile_watch import Watch, children, listening, share
from load_clients import ENDLESS, LARGE, Fault, begin_postgres, get, next_client, of_outcome
from load_crowd import Crowd

CLIENTS = 500
# What the server may keep after the load: memory in KiB, descriptors.
KEPT_KIB, KEPT_DESCRIPTORS = 64 * 1024, 10
# An answer comes at least so often to control requests on a machine of its own; the machine of a test is busy, so it fails above.
GAP_S, GAP_FAILS_S = 1.0, 3.0
SETTLED_S = 15
# Who leaves a query that runs is not waited for until its time is over: the worker is ended, and ones that were about to begin are not.
LEFT_S = 6


class Load:
    """One served instance under load."""

    def __init__(self, setting):
        self.__dict__.update(setting)
        self.watch = Watch("load_watch.py", self.pid, self.http, Path(self.data) / "work")
        self.report = self.watch.report
        self.hostile = [entry for entry in short(statements()) if not entry["is_heavy"]]

    def counted(self, name):
        """A number of `/metrics`."""
        _, _, text = get(self, "/metrics")
        return int(re.search(rf"^gongkai_{name} (\d+)", text.decode(), re.MULTILINE)[1])

    def is_quiet(self):
        return self.counted("queries_running") + self.counted("queries_waiting") == 0

    def quiet_after(self, seconds):
        """Seconds until no statement runs or waits but for those of the control; nothing where that does not come in time."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if self.is_quiet():
                return round(time.monotonic() - begun, 1)
            time.sleep(0.1)
        return None

    def listing(self):
        """Files beside the warehouse with its name, and listening ports."""
        data = Path(self.data)
        return set(map(str, data.parent.glob(f"{data.name}*"))), listening([self.pid, *children(self.pid)])


def seconds(times, part):
    """The seconds that so large a part of them is not above."""
    return round(share(times, part), 2)


def five_hundred_clients_are_answered(load):
    """Each gets rows, or is told when to come again, and none hangs: 400 over HTTP, 60 over PostgreSQL, 40 over Flight SQL."""
    sql = "SELECT region_code, measure, count(*) + {n} AS n FROM air_hourly GROUP BY 1, 2"
    begun = threading.Barrier(CLIENTS)

    def one(number):
        if number < 400:
            door = Http(load.http, ("GET", "POST")[number % 2])
        elif number < 460:
            door = Postgres(load.pg, number % 2 == 0)
        else:
            door = Flight(load.flight, ("ticket", "driver")[number % 2])
        begun.wait(60)
        at = time.monotonic()
        try:
            word = of_outcome(door.ask(sql.format(n=number)), ("ok", "truncated", "query_timeout"))
        except (Fault, OSError) as error:
            word = f"{type(error).__name__}: {error}"
        finally:
            door.close()
        return door.name, word, time.monotonic() - at

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(one, range(CLIENTS)))
    counts = Counter(f"{name.split('-')[0]} {word}" for name, word, _ in answers)
    wanted = ("ok", "truncated", "query_timeout", "overloaded", "rate_limited")
    problems = [f"{name}: {word}" for name, word, _ in answers if word not in wanted]
    # Twice the time of a statement, which may have waited for a worker before, and 20 s because five hundred clients share the
    # machine: whoever takes longer hangs.
    most = 2 * (5 + load.timeout_ms / 1000) + 10
    problems += [f"{name}: answered after {took:.1f} s" for name, _, took in answers if took > most]
    if not counts["http ok"]:
        problems.append("nobody got rows over HTTP")
    if not counts["http overloaded"]:
        problems.append(f"500 clients found room in {load.places} places")
    refused = [took for _, word, took in answers if word == "overloaded"]
    took = {"refused_p50": seconds(refused, 0.5), "refused_most": seconds(refused, 1)}
    took["most"] = seconds([took for *_, took in answers], 1)
    return problems[:10], {"answers": dict(counts), "took_s": took}


def overload_keeps_its_goodput(load):
    """Ten times what it can do: it goes on answering about as many as before, and is itself again soon after."""
    length = 60 if load.is_deep else 4
    sql = "SELECT measure, avg(value) + {n} AS mean FROM air_hourly GROUP BY 1"
    crowd = Crowd(load.http, sql)

    def run(clients, of_each):
        said = crowd.run(clients, of_each, length)
        good = [took for word, took in said if word == "ok"]
        wrong = [word for word, _ in said if word not in ("ok", "overloaded")]
        refused = [took for word, took in said if word == "overloaded"]
        figures = {"asked": len(said), "good_a_second": round(len(good) / length, 1), "refused": len(refused)}
        figures |= {"good_p50_s": seconds(good, 0.5), "refused_p50_s": seconds(refused, 0.5), "refused_p99_s": seconds(refused, 0.99)}
        return wrong, figures

    wrong, before = run(2 * load.workers, 0)
    clients = 4 * load.places
    over, during = run(clients, clients / max(10 * before["good_a_second"], 1))
    problems = (wrong + over)[:5]
    if not before["good_a_second"]:
        problems.append("nobody was answered before the overload")
    if not during["refused"]:
        problems.append(f"{during['asked']} questions of {clients} clients found room in {load.places} places: no overload")
    if during["good_a_second"] < before["good_a_second"] / 2:
        problems.append(f"{during['good_a_second']} answers a second under overload, {before['good_a_second']} before")
    took = []
    begun = time.monotonic()
    while time.monotonic() - begun < 10 and (not took or took[-1] > 1):
        said = crowd.run(1, 0, 0.01)
        problems += [word for word, _ in said if word != "ok"]
        took.append(said[-1][1])
    recovered = time.monotonic() - begun
    if recovered > 5:
        problems.append(f"answers come late {recovered:.1f} s after the overload: {took[-3:]}")
    goal = during["good_a_second"] >= 0.8 * before["good_a_second"]
    return problems, {"before": before, "during": during, "recovered_after_s": round(recovered, 1), "is_goal_reached": goal}


class Slow:
    """Clients that are slow in one way, each on a socket of its own; they go on until they are told to end."""

    def __init__(self, load, name, count, begin, pace):
        self.load, self.name, self.begin, self.pace = load, name, begin, pace
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.open, self.closed, self.missed = 0, 0, []
        self.threads = [threading.Thread(target=self.act, args=(number,), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def act(self, number):
        try:
            sock = self.begin(self.load, number)
        except (OSError, Fault) as error:
            with self.lock:
                self.missed.append(f"{type(error).__name__}: {error}")
            return
        with self.lock:
            self.open += 1
        if sock is None:
            return
        with sock:
            while not self.stop.wait(1.0):
                try:
                    if not self.pace(sock):
                        break
                except TimeoutError:
                    # It has nothing for the client yet.
                    continue
                except OSError:
                    break
            with self.lock:
                self.closed += not self.stop.is_set()

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(5)
        return {"began": self.open, "ended_by_server": self.closed, "missed": self.missed[:3]}


def slow_body(load, _):
    """Announces a question and sends a byte of it a second."""
    sock = thin(load)
    sock.sendall(b'POST /api/v1/sql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"sql": "')
    return sock


def read_one(sock):
    """A byte; false at the end."""
    return bool(sock.recv(1))


def send_one(sock):
    sock.sendall(b"a")
    sock.settimeout(0.01)
    return bool(sock.recv(1))


def thin(load):
    """A connection whose receiving side takes little ahead of its reader."""
    parts = urllib.parse.urlsplit(load.http)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(5)
    sock.connect((parts.hostname, parts.port))
    return sock


def slow_file(load, number):
    sock = thin(load)
    path = "/api/v1/sql?" + urllib.parse.urlencode({"q": LARGE.format(n=number), "format": "csv"})
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return sock


def slow_download(load, _):
    sock = thin(load)
    sock.sendall(b"GET /api/v1/datasets/air_city_hourly/download?format=json HTTP/1.1\r\nHost: x\r\n\r\n")
    return sock


def slow_head(load, _):
    sock = thin(load)
    sock.sendall(b"GET /api/v1/sql?q=SELECT%201 HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    return sock


def over_postgres(load, parts):
    """A connection on which these messages were sent."""
    begun = begin_postgres(load)
    if begun is None:
        raise Fault("there is no place")
    sock, stream, _ = begun
    stream.close()
    sock.sendall(b"".join(message(kind, body) for kind, body in parts))
    return sock


def slow_postgres(load, number):
    return over_postgres(load, [(b"Q", LARGE.format(n=number).encode() + b"\0")])


def suspended_postgres(load, number):
    """Fetches a hundred rows of a portal and is quiet then, as tools with a page of rows are."""
    text = LARGE.format(n=number).encode()
    parts = [(b"P", b"\0" + text + b"\0\0\0"), (b"B", b"\0" * 8), (b"E", b"\0" + struct.pack("!I", 100)), (b"H", b"")]
    return over_postgres(load, parts)


def quiet(sock):
    sock.settimeout(0.01)
    return bool(sock.recv(65536))


class SlowFlight(Slow):
    """Calls whose messages are taken one a second."""

    def act(self, number):
        door = Flight(self.load.flight, "ticket")
        call = door.call("DoGet", "unary_stream")(ticket_of(LARGE.format(n=number)), timeout=300)
        with self.lock:
            self.open += 1
        try:
            for _ in call:
                if self.stop.wait(1.0):
                    break
            else:
                self.closed += 1
        except Exception as error:  # noqa: BLE001: the library has one of its own for each call
            with self.lock:
                self.closed += 1
                self.missed.append(str(getattr(error, "details", lambda: error)())[:80])
        call.cancel()
        door.close()


def leaves(load, number):
    """Asks for what never ends, and is gone."""
    sock = thin(load)
    path = "/api/v1/sql?" + urllib.parse.urlencode({"q": ENDLESS.format(n=-number - 1)})
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    time.sleep(0.2)
    sock.close()
    return None


def leaves_postgres(load, number):
    """The same with a farewell, as drivers end a connection: it lies before the end, and nobody reads it while the query runs."""
    begun = begin_postgres(load)
    if begun is None:
        raise OSError("no place")
    sock, stream, _ = begun
    stream.close()
    sock.sendall(message(b"Q", ENDLESS.format(n=-number - 1).encode() + b"\0"))
    time.sleep(0.2)
    sock.sendall(message(b"X", b""))
    sock.close()
    return None


def leaves_prepared_postgres(load, number):
    """The same while the statement is planned or its first rows are made, in the extended protocol."""
    begun = begin_postgres(load)
    if begun is None:
        raise OSError("no place")
    sock, stream, _ = begun
    stream.close()
    text = ENDLESS.format(n=-number - 1).encode()
    parts = [(b"P", b"\0" + text + b"\0\0\0"), (b"B", b"\0" * 8), (b"E", b"\0" * 5), (b"S", b"")]
    sock.sendall(b"".join(message(kind, body) for kind, body in parts))
    time.sleep(0.2)
    sock.sendall(message(b"X", b""))
    sock.close()
    return None


class LeavingFlight(Slow):
    """Calls that are left while their query runs: half of them are cancelled, half go with their connection."""

    def act(self, number):
        door = Flight(self.load.flight, "ticket")
        call = door.call("DoGet", "unary_stream")(ticket_of(ENDLESS.format(n=-number - 1)), timeout=300)
        with self.lock:
            self.open += 1
        time.sleep(0.2)
        if number % 2:
            call.cancel()
        door.close()


def slow_clients_hold_no_worker(load):
    """More slow clients than workers, of each kind: while they are there, statements are answered and the workers are free. Those that
    leave while their query runs free its worker at once."""
    many = (4 if load.is_deep else 2) * load.workers
    kinds = [
        ("leave after asking", Slow, leaves, None, many),
        ("leave PostgreSQL after asking", Slow, leaves_postgres, None, many),
        ("leave PostgreSQL after preparing", Slow, leaves_prepared_postgres, None, many),
        ("leave Flight after asking", LeavingFlight, None, None, many),
        ("a byte a second of a file", Slow, slow_file, read_one, many),
        ("a byte a second of a download", Slow, slow_download, read_one, many),
        ("a byte of a head a second", Slow, slow_head, send_one, 50 * load.workers),
        ("a byte of a body a second", Slow, slow_body, send_one, 50 * load.workers),
        ("a byte a second of PostgreSQL", Slow, slow_postgres, read_one, many),
        ("a page of a portal", Slow, suspended_postgres, quiet, many),
        ("a message a second of Flight", SlowFlight, None, None, many),
    ]
    problems, figures = [], {}
    for name, kind, begin, pace, count in kinds:
        load.report()
        slow = kind(load, name, count, begin, pace)
        # All of them have begun, and those that wait for a worker have had it or were refused.
        time.sleep(1)
        free = load.quiet_after(load.timeout_ms / 1000 + 5)
        begun, answered = time.monotonic(), []
        for number in range(3):
            answered.append("/".join(sorted(Http(load.http, "POST").ask(f"SELECT {number}, {time.time_ns()}").codes)))
        took = round(time.monotonic() - begun, 2)
        ended, seen = slow.end(), load.report()
        if ended["began"] <= load.workers:
            problems.append(f"{name}: {ended['began']} clients began, not more than workers: {ended['missed']}")
        if free is None:
            problems.append(f"{name}: a worker is held {load.timeout_ms / 1000 + 6:.0f} s after they came")
        elif name.startswith("leave") and free > LEFT_S:
            problems.append(f"{name}: a worker is held {free + 1} s after they came")
        if answered != ["ok"] * 3:
            problems.append(f"{name}: SELECT is answered with {answered} beside them")
        elif took > 5:
            problems.append(f"{name}: three statements took {took} s beside them")
        problems += [f"{name}: {text}" for text in unanswered(seen)]
        figures[name] = ended | {"workers_free_after_s": free, "three_statements_s": took, "control": seen["sql"]}
        if load.quiet_after(15) is None:
            problems.append(f"{name}: statements run 15 s after they have gone")
    return problems, figures


def unanswered(seen):
    """What is wrong with the answers to control requests."""
    problems = []
    for name in ("sql", "page"):
        control = seen[name]
        if not control["answered"]:
            problems.append(f"no control request for {name} was answered but by a refusal: {control['refused']}")
        if control["wrong"]:
            problems.append(f"a control request for {name} ended with {control['wrong']}")
        if control["longest_gap_s"] > GAP_FAILS_S:
            problems.append(f"no control request for {name} was answered for {control['longest_gap_s']} s")
    return problems


def everything_mixed_leaves_nothing(load):
    """All kinds of clients at once, for as long as was asked for: what the server holds does not grow."""
    until = time.monotonic() + load.seconds
    counts, faults, lock = Counter(), [], threading.Lock()

    def client(number):
        dice = random.Random(number)
        while time.monotonic() < until:
            act = next_client(dice)
            begun = time.monotonic()
            try:
                word = act(load, dice)
            except Exception as error:  # noqa: BLE001: each library has its own
                word = "fault"
                with lock:
                    faults.append(f"{act.__name__}: {type(error).__name__}: {error}")
            took = time.monotonic() - begun
            with lock:
                counts[f"{act.__name__} {word}"] += 1
                if took > 40:
                    faults.append(f"{act.__name__}: took {took:.0f} s")
            time.sleep(dice.random() * 0.5)

    load.report()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(client, range(12)))
    seen = load.report()
    problems = [f"{len(faults)} faults, such as {text}" for text in faults[:5]]
    problems += unanswered(seen)
    # A load whose clients are all refused shows nothing of what answers leave behind.
    for answer in ("read_page 200", "ask_over_http 200", "ask_over_postgres ok", "ask_over_flight ok"):
        if not counts[answer]:
            problems.append(f"{answer}: none in {sum(counts.values())} acts")
    # One may come before its statement has begun; not all of them do.
    if counts["cancel_postgres query_timeout"] > 2 and not counts["cancel_postgres cancelled"]:
        problems.append(f"{counts['cancel_postgres query_timeout']} cancels, and none had an effect")
    samples = seen["samples"]
    # The first of the time is for what is made once: connections, caches, threads.
    first = samples[len(samples) // 5 : 2 * len(samples) // 5]
    last = samples[4 * len(samples) // 5 :]
    figures = {"acts": sum(counts.values()), "counts": dict(sorted(counts.items())), "sql": seen["sql"], "page": seen["page"]}
    for name in samples[0].keys() - {"at"}:
        of = [[sample[name] for sample in window] for window in (first, last, samples)]
        figures[name] = {"first": round(statistics.median(of[0])), "last": round(statistics.median(of[1])), "most": max(of[2])}
    grown = lambda name: figures[name]["last"] - figures[name]["first"]
    figures["main_own_mib_over_time"] = [sample["main_own_kib"] >> 10 for sample in samples[:: max(len(samples) // 20, 1)]]
    if grown("main_own_kib") > KEPT_KIB:
        problems.append(f"the main process grew by {grown('main_own_kib') >> 10} MiB between the windows")
    if grown("descriptors") > KEPT_DESCRIPTORS:
        problems.append(f"{grown('descriptors')} descriptors more between the windows")
    figures["is_goal_reached"] = max(seen[name]["longest_gap_s"] for name in ("sql", "page")) <= GAP_S
    return problems, figures


def settled(load, base):
    """What does not go back to where it was: I4 of the promises."""
    until = time.monotonic() + SETTLED_S
    while True:
        now = load.report()["now"]
        left = []
        if now["main_own_kib"] - base["main_own_kib"] > KEPT_KIB:
            left.append(f"the main process grew from {base['main_own_kib'] >> 10} to {now['main_own_kib'] >> 10} MiB")
        if now["descriptors"] - base["descriptors"] > KEPT_DESCRIPTORS:
            left.append(f"{base['descriptors']} descriptors before, {now['descriptors']} after")
        if now["workers"] > load.workers + 1:
            left.append(f"{now['workers']} workers")
        if now["work_bytes"]:
            left.append(f"{now['work_bytes']} bytes below work")
        if not left or time.monotonic() > until:
            return left, now
        time.sleep(0.5)


def warm_up(load):
    """Makes what is made at the first question of each kind, so that the first look finds it."""
    dice = random.Random(0)

    def act(_):
        for _ in range(6):
            try:
                next_client(dice)(load, dice)
            except Exception:  # noqa: BLE001: the checks say what is wrong
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(8)))
    load.quiet_after(15)
    time.sleep(1)


CHECKS = [
    five_hundred_clients_are_answered,
    overload_keeps_its_goodput,
    slow_clients_hold_no_worker,
    everything_mixed_leaves_nothing,
]


def main():
    load = Load(json.loads(sys.argv[1]))
    # Clients have machines of their own: hundreds of them must not take the server's processors.
    os.nice(10)
    only = sys.argv[2:]
    warm_up(load)
    before = load.listing()
    for check in CHECKS:
        if only and check.__name__ not in only:
            continue
        begun, base = time.monotonic(), load.report()["now"]
        try:
            problems, figures = check(load)
        except Exception as error:  # noqa: BLE001: whatever it is, it is told
            problems, figures = [f"{type(error).__name__}: {error}"], {}
        left, now = settled(load, base)
        figures |= {"seconds": round(time.monotonic() - begun, 1), "base": base, "after": now}
        print(json.dumps({"check": check.__name__, "problems": problems + left, "figures": figures}, ensure_ascii=False), flush=True)
    problems, figures = after_everything(load, before)
    print(json.dumps({"check": "after_everything", "problems": problems, "figures": figures}, ensure_ascii=False), flush=True)
    load.watch.end()


if __name__ == "__main__":
    main()
