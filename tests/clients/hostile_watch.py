"""What the server does while it is attacked, seen from outside: a process of its own, so that the attack's threads do not slow it.

    hostile_watch.py PID HTTP SPILL_DIRECTORY

Asks for /healthz every 100 ms and looks at memory, descriptors and spill. A line on its input makes it print one line of JSON
about the time since the last one; the end of the input ends it.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

EVERY = 0.1


def resident(pid):
    """Resident memory in KiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += [int(child) for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except OSError:
        pass
    return found


def spilled(folder):
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except OSError:
                pass
    return total


def listening(pids):
    """Local ports on which these processes listen."""
    inodes = set()
    for pid in pids:
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        except OSError:
            pass
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and parts[9] in inodes:
                ports.add(int(parts[1].rsplit(":", 1)[1], 16))
    return ports


def share(times, part):
    """The time that so large a part of them is not above, in the unit that they have; 0 where there is none."""
    times = sorted(times) or [0]
    return times[min(len(times) - 1, int(part * len(times)))]


class Watch:
    """A watch over a server in a process of its own, this script or another that speaks as it does."""

    def __init__(self, script, pid, base, folder):
        program = [sys.executable, str(Path(__file__).with_name(script)), str(pid), base, str(folder)]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def report(self):
        """What it saw since the last report."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


class Health:
    """Asks on one connection as long as it lasts, and on a new one where it was ended."""

    def __init__(self, base):
        self.address, self.connection = urllib.parse.urlsplit(base), None

    def ask(self):
        begun = time.monotonic()
        for _ in range(2):
            fresh = self.connection is None
            try:
                if fresh:
                    self.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
                self.connection.request("GET", "/healthz")
                response = self.connection.getresponse()
                response.read()
                return response.status, time.monotonic() - begun
            except (OSError, http.client.HTTPException) as error:
                self.connection = None
                if fresh:
                    return type(error).__name__, time.monotonic() - begun
        return "closed", time.monotonic() - begun


class Seen:
    def __init__(self):
        self.times, self.wrong = [], []
        self.main, self.all, self.files, self.spill = 0, 0, 0, 0

    def report(self, pid, spill):
        at = lambda part: round(1000 * share(self.times, part), 1)
        return {
            "health": {"asked": len(self.times), "wrong": self.wrong[:5], "p50_ms": at(0.5), "p99_ms": at(0.99), "most_ms": at(1)},
            "peak": {"main_kib": self.main, "all_kib": self.all, "descriptors": self.files, "spill_bytes": self.spill},
            "now": {"main_kib": resident(pid), "descriptors": descriptors(pid), "spill_bytes": spilled(spill), "workers": len(children(pid))},
        }


def main():
    pid, base, spill = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    seen, lock = [Seen()], threading.Lock()

    def ask_for_health():
        health = Health(base)
        while True:
            status, took = health.ask()
            with lock:
                seen[0].times.append(took)
                if status != 200:
                    seen[0].wrong.append(status)
            time.sleep(max(0, EVERY - took))

    def look():
        while True:
            memory = resident(pid)
            whole = memory + sum(resident(child) for child in children(pid))
            files, bytes_ = descriptors(pid), spilled(spill)
            with lock:
                now = seen[0]
                now.main, now.all = max(now.main, memory), max(now.all, whole)
                now.files, now.spill = max(now.files, files), max(now.spill, bytes_)
            time.sleep(EVERY)

    for work in (ask_for_health, look):
        threading.Thread(target=work, daemon=True).start()
    for _ in sys.stdin:
        with lock:
            report, seen[0] = seen[0].report(pid, spill), Seen()
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
