"""Hostile statements and requests against a served instance, with what must hold throughout.

    hostile.py '{"http": "http://127.0.0.1:1", "pg": "127.0.0.1:2", "flight": "127.0.0.1:3", "pid": 4, "data": DIR,
                 "log": FILE, "timeout_ms": 4000, "is_deep": false}'

Prints one JSON line for each check: its name, what went wrong, and figures. The server's limit of queries a minute must be
off. Which statements: tests/hostile/statements.toml; requests below SQL: hostile_requests.py.
"""

import json
import os
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import hostile_http2
import hostile_requests
import hostile_wire
from hostile_doors import Flight, Http, Postgres
from hostile_watch import Watch, children, listening

HERE = Path(__file__).resolve().parent
# What no answer may hold: absolute paths, places in sources, backtraces.
LEAKS = ["src/", ".rs:", "stack backtrace", "panicked", ".cargo", ".parquet", "datafusion::", "/proc/", "/usr/", "/home/"]
MIB = 1024
# The budget of reliability.md 2.3 in KiB. Workers are bounded by their address space beside it.
MAIN_GROWTH, WHOLE = 64 * MIB, 768 * MIB
# The time for health on a machine of its own; the machine of a test is busy, so it fails far above.
HEALTH_MS, HEALTH_FAILS_MS = 250, 2_500


class Attack:
    """One served instance under attack."""

    def __init__(self, setting):
        self.__dict__.update(setting)
        self.watch = Watch("hostile_watch.py", self.pid, self.http, Path(self.data) / "work")
        self.report = self.watch.report
        self.lock = threading.Lock()

    @contextmanager
    def doors(self):
        doors = [
            Http(self.http, "GET"),
            Http(self.http, "POST"),
            Postgres(self.pg, False),
            Postgres(self.pg, True),
            Flight(self.flight, "driver"),
            Flight(self.flight, "ticket"),
            Flight(self.flight, "prepared"),
        ]
        try:
            yield doors
        finally:
            for door in doors:
                door.close()

    def warm(self, seconds=30):
        """Asks until a worker answers again; whether one did."""
        until = time.monotonic() + seconds
        door = Http(self.http, "POST")
        while time.monotonic() < until:
            try:
                if "ok" in door.ask("SELECT 1").codes:
                    return True
            except OSError:
                pass
            time.sleep(0.1)
        return False

    def listing(self):
        """Files outside the server's own folders that an attack may have left, and its listening ports."""
        folders = ["/tmp", os.getcwd(), str(Path(self.data).parent)]
        files = {f"{folder}/{name}" for folder in folders for name in os.listdir(folder) if "hostile" in name}
        return files, listening([self.pid, *children(self.pid)])


def statements():
    """Class, text, accepted outcomes, those at the door of PostgreSQL, whether it is heavy."""
    groups = tomllib.loads((HERE.parent / "hostile/statements.toml").read_text())["group"]
    for group in groups:
        for entry in group["statements"]:
            entry = {"sql": entry} if isinstance(entry, str) else entry
            expect = entry.get("expect", group["expect"])
            yield {
                "class": group["class"],
                "sql": entry["sql"] if "sql" in entry else written_out(entry),
                "expect": set(expect),
                "postgres": set(entry.get("postgres", group.get("postgres", expect))),
                "is_heavy": group.get("is_heavy", False),
            }


def written_out(entry):
    count = entry.get("count", 1)
    many = "".join(entry.get("repeat", "").replace("{n}", str(n)) for n in range(1, count + 1))
    return entry.get("prefix", "") + many + entry.get("middle", "") + entry.get("close", "") * count + entry.get("suffix", "")


def short(entries):
    """Some of every class: each fifth statement; of those that take their whole time, one for each limit."""
    taken, seen = [], {}
    for entry in entries:
        number = seen[entry["class"]] = seen.get(entry["class"], 0) + 1
        if entry["is_heavy"] and entry["class"] not in ("cpu", "memory", "disk", "flood"):
            continue
        if number == 1 or (number % 5 == 0 and not entry["is_heavy"]):
            taken.append(entry)
    return taken


def judge(attack, door, entry, is_crowded):
    """Asks one statement; what is wrong with the answer."""
    accepted = entry["postgres"] if door.name.startswith("postgres") else entry["expect"]
    if not door.name.startswith("http") and "truncated" in accepted:
        accepted = accepted | {"ok"}
    begun = time.monotonic()
    try:
        outcome = door.ask(entry["sql"])
    except Exception as error:
        return [f"{door.name}: {type(error).__name__}: {error}"], 0
    took = time.monotonic() - begun
    is_ok = bool(outcome.codes & accepted)
    # Waiting behind others counts: whoever does not get a worker in time is told so.
    if is_crowded and outcome.codes & {"overloaded", "query_timeout"}:
        is_ok = True
    wrong = list(outcome.flaws)
    if not is_ok:
        wrong.append(f"answered {outcome.seen}")
    if outcome.codes & {"internal"}:
        wrong.append("our fault")
    if len(outcome.text.encode()) >= 4096:
        wrong.append(f"{len(outcome.text.encode())} bytes")
    typed = entry["sql"]
    wrong += [f"shows {leak!r}" for leak in [*LEAKS, attack.data] if leak in outcome.text and leak not in typed]
    # Two calls of the way of a driver, each up to its deadline, and the wait for a worker.
    if took > 2 * (attack.timeout_ms / 1000 + 1) + 5:
        wrong.append(f"took {took:.1f} s")
    return [f"{door.name}: {text} ({outcome.text[:160]})" for text in wrong], took


def run_statements(attack, entries, doors_of, is_crowded):
    """One statement after another at every door."""
    problems, slowest, asked = [], (0, ""), 0
    for entry in entries:
        for door in doors_of(entry):
            wrong, took = judge(attack, door, entry, is_crowded)
            asked += 1
            slowest = max(slowest, (round(took, 2), f"{door.name} {entry['class']} {entry['sql'][:60]}"))
            problems += [f"{entry['class']} {entry['sql'][:90]!r}: {text}" for text in wrong]
            if entry["is_heavy"] and not is_crowded and not attack.warm():
                problems.append(f"{entry['sql'][:90]!r}: no control query answered within 30 s of it")
    return problems, {"asked": asked, "slowest": slowest}


def one_by_one(attack, is_heavy):
    entries = [entry for entry in chosen(attack) if entry["is_heavy"] == is_heavy]
    with attack.doors() as doors:

        def doors_of(entry):
            index = hash_of(entry["sql"])
            if attack.is_deep:
                return doors
            # Every door sees every class; each statement one or two of them.
            return [doors[index % 7]] if is_heavy else [doors[index % 7], doors[(index + 3) % 7]]

        return run_statements(attack, entries, doors_of, False)


def light_statements_one_by_one(attack):
    return one_by_one(attack, False)


def heavy_statements_one_by_one(attack):
    return one_by_one(attack, True)


def chosen(attack):
    entries = list(statements())
    return entries if attack.is_deep else short(entries)


def hash_of(text):
    return sum(text.encode()) + len(text)


def eight_at_once(attack):
    entries = chosen(attack)
    if not attack.is_deep:
        entries = [entry for entry in short(entries) if not entry["is_heavy"] or entry["class"] in ("cpu", "disk")]

    def client(number):
        mine = entries[number::8]
        if attack.is_deep:
            # Everybody asks everything that is not heavy, each from another place of the list, and a share of the rest.
            mine = [entry for at, entry in enumerate(entries) if not entry["is_heavy"] or at % 8 == number]
            mine = mine[number * len(mine) // 8 :] + mine[: number * len(mine) // 8]
        with attack.doors() as doors:
            return run_statements(attack, mine, lambda entry: [doors[(number + hash_of(entry["sql"])) % 7]], True)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(client, range(8)))
    problems = [problem for found, _ in results for problem in found]
    return problems, {"asked": sum(figures["asked"] for _, figures in results)}


def hidden_and_missing_answer_alike(attack):
    """A hidden table and one that does not exist: the same bytes but for the name."""
    problems = []
    with attack.doors() as doors:
        for door in doors:
            said = []
            for name in ["staging.debt_stock", "staging.debt_stok8", "nothing.debt_stok8"]:
                text = door.ask(f"SELECT * FROM {name}").text.replace(name, "NAME")
                said.append(json.dumps(without_id(text)))
            if len(set(said)) > 1:
                problems.append(f"{door.name}: {said}")
    return problems, {}


def without_id(text):
    try:
        problem = json.loads(text)
    except ValueError:
        return text
    problem.pop("request_id", None)
    return problem


def settled(attack, base, problems):
    """What holds after the attack: I1, I3, I4, I7."""
    until = time.monotonic() + (30 if attack.is_deep else 12)
    while True:
        now = attack.report()["now"]
        left = []
        if now["main_kib"] - base["main_kib"] > MAIN_GROWTH:
            left.append(f"main process grew from {base['main_kib']} to {now['main_kib']} KiB")
        if now["descriptors"] - base["descriptors"] > 10:
            left.append(f"{base['descriptors']} descriptors before, {now['descriptors']} after")
        if now["spill_bytes"] > base["spill_bytes"]:
            left.append(f"{now['spill_bytes']} bytes of spill left")
        if not left or time.monotonic() > until:
            return problems + left, now
        time.sleep(0.5)


def after_everything(attack, before):
    problems = []
    try:
        os.kill(attack.pid, 0)
    except OSError:
        problems.append("the process is gone")
    files, ports = attack.listing()
    if files - before[0]:
        problems.append(f"new files: {sorted(files - before[0])}")
    if ports - before[1]:
        problems.append(f"new listening ports: {sorted(ports - before[1])}")
    log = Path(attack.log).read_text(errors="replace")
    panics = [line[:300] for line in log.splitlines() if "panicked" in line and "gongkai::worker" not in line]
    problems += [f"log: {line}" for line in panics[:5]]
    return problems, {"log_bytes": len(log)}


def main():
    attack = Attack(json.loads(sys.argv[1]))
    only = sys.argv[2:]
    checks = [light_statements_one_by_one, heavy_statements_one_by_one, eight_at_once, hidden_and_missing_answer_alike, *hostile_requests.CHECKS, *hostile_wire.CHECKS, *hostile_http2.CHECKS]
    if not attack.is_deep:
        checks = [check for check in checks if not getattr(check, "is_deep", False)]
    if only:
        checks = [check for check in checks if check.__name__ in only]
    attack.warm()
    # Every door has made what it makes at its first question before the baseline is taken, and two workers run.
    with attack.doors() as doors, ThreadPoolExecutor(len(doors)) as pool:
        list(pool.map(lambda door: door.ask("SELECT 1"), doors))
    time.sleep(0.5)
    first, before = attack.report()["now"], attack.listing()
    for check in checks:
        begun = time.monotonic()
        base = attack.report()["now"]
        try:
            problems, figures = check(attack)
        except Exception as error:
            problems, figures = [f"{type(error).__name__}: {error}"], {}
        seen = attack.report()
        health, peak = seen["health"], seen["peak"]
        if health["wrong"]:
            problems.append(f"health answered {health['wrong']}")
        if health["p99_ms"] > HEALTH_FAILS_MS:
            problems.append(f"p99 of health is {health['p99_ms']} ms")
        problems, now = settled(attack, base, problems)
        figures |= {"seconds": round(time.monotonic() - begun, 1), "health": health, "peak": peak, "after": now}
        figures["within"] = {
            "health_p99": health["p99_ms"] <= HEALTH_MS,
            "main": peak["main_kib"] - base["main_kib"] <= MAIN_GROWTH,
            "whole": peak["all_kib"] <= WHOLE,
        }
        print(json.dumps({"check": check.__name__, "problems": problems, "figures": figures}, ensure_ascii=False), flush=True)
    problems, figures = after_everything(attack, before)
    figures["grown_kib"] = attack.report()["now"]["main_kib"] - first["main_kib"]
    if figures["grown_kib"] > 2 * MAIN_GROWTH:
        problems.append(f"the main process grew by {figures['grown_kib']} KiB in all")
    print(json.dumps({"check": "after_everything", "problems": problems, "figures": figures}, ensure_ascii=False), flush=True)
    attack.watch.end()


if __name__ == "__main__":
    main()
