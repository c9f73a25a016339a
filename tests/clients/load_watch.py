"""What a server does while it is under load, seen once a second from outside: a process of its own, so that the load's threads
do not slow it.

    load_watch.py PID HTTP WORK_DIRECTORY

Asks for a small statement and for a page twice a second each, whether the last answer has come or not, and looks at memory,
descriptors, threads and files. A line on its input makes it print one line of JSON about the time since the last one; the end
of the input ends it.
"""

import http.client
import json
import os
import sys
import threading
import time
import urllib.parse
from pathlib import Path

from hostile_watch import children, descriptors, share, spilled

EVERY = 0.5
# A control request that takes longer counts as not answered.
PATIENCE = 20
PAGE = "/datasets"


def memory(pid):
    """Memory in KiB: resident, the share of it in what processes have in common, and what is the process's own. Pages of the
    program's file come and go as the system likes; the last is what grows when something is kept."""
    found = {}
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("Rss", "Pss", "Anonymous"):
                found[name] = int(rest.split()[0])
    except (OSError, IndexError, ValueError):
        # It has just ended.
        pass
    return found.get("Rss", 0), found.get("Pss", 0), found.get("Anonymous", 0)


def threads(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def sample(pid, work, asking):
    """One look at the server. Control requests under way are taken off its descriptors."""
    workers = children(pid)
    resident, shared, own = memory(pid)
    of_workers = [memory(worker) for worker in workers]
    return {
        "at": round(time.monotonic(), 1),
        "main_kib": resident,
        "main_own_kib": own,
        "workers_kib": sum(resident for resident, _, _ in of_workers),
        "pss_kib": shared + sum(shared for _, shared, _ in of_workers),
        "descriptors": descriptors(pid) - asking,
        "worker_descriptors": max([descriptors(worker) for worker in workers], default=0),
        "threads": threads(pid),
        "workers": len(workers),
        "work_bytes": spilled(work),
    }


class Control:
    """Requests of one kind: when each was answered, how long it took, and what was wrong with answers."""

    def __init__(self):
        self.lock, self.asking = threading.Lock(), 0
        self.begin()

    def begin(self):
        self.since, self.answers, self.refused, self.wrong = time.monotonic(), [], 0, []

    def take(self, status, has_time, took):
        with self.lock:
            self.asking -= 1
            if status == 200 or (status in (429, 503) and has_time):
                self.answers.append((time.monotonic(), took))
                self.refused += status != 200
            else:
                self.wrong.append(str(status))

    def report(self):
        with self.lock:
            now = time.monotonic()
            at = [self.since, *(at for at, _ in self.answers), now]
            times = [took for _, took in self.answers]
            at_most = lambda part: round(1000 * share(times, part))
            report = {
                "answered": len(self.answers) - self.refused,
                "refused": self.refused,
                "wrong": self.wrong[:5],
                "longest_gap_s": round(max(later - earlier for earlier, later in zip(at, at[1:])), 1),
                "p50_ms": at_most(0.5),
                "p99_ms": at_most(0.99),
                "most_ms": at_most(1),
            }
            self.begin()
        return report


def ask(address, number, control):
    """One request on a connection of its own; the statement is another each time, so that no cache answers it."""
    begun = time.monotonic()
    with control.lock:
        control.asking += 1
    try:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
        try:
            if number is None:
                connection.request("GET", PAGE)
            else:
                body = json.dumps({"sql": f"SELECT {number} AS number"})
                connection.request("POST", "/api/v1/sql", body, {"content-type": "application/json"})
            response = connection.getresponse()
            response.read()
            status, has_time = response.status, bool(response.headers.get("retry-after"))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        status, has_time = type(error).__name__, False
    control.take(status, has_time, time.monotonic() - begun)


def main():
    pid, address, work = int(sys.argv[1]), urllib.parse.urlsplit(sys.argv[2]), sys.argv[3]
    controls = {"sql": Control(), "page": Control()}
    samples, lock = [], threading.Lock()

    def control():
        number = 0
        while True:
            number += 1
            for name, of in (("sql", number), ("page", None)):
                threading.Thread(target=ask, args=(address, of, controls[name]), daemon=True).start()
            time.sleep(EVERY)

    asking = lambda: sum(of.asking for of in controls.values())

    def look():
        while True:
            seen = sample(pid, work, asking())
            with lock:
                samples.append(seen)
            time.sleep(1)

    for act in (control, look):
        threading.Thread(target=act, daemon=True).start()
    for _ in sys.stdin:
        with lock:
            seen = samples[:]
            samples.clear()
        report = {"samples": seen, "now": sample(pid, work, asking())}
        print(json.dumps(report | {name: of.report() for name, of in controls.items()}), flush=True)


if __name__ == "__main__":
    main()
