#!/usr/bin/env python3
"""Runs a command on some of the machine's processors and says how long it took and how much memory it held.

Usage: measure.py THREADS LOG COMMAND…

Prints one line of JSON. A program may read in worker processes, so time and memory are those of the command with all
its descendants: `peak_bytes` is the largest sum of resident sets seen every 20 ms, and never less than
`peak_process_bytes`, the kernel's own high-water mark of the largest process that was waited for. Pages that processes
share are counted once for each of them, to the disadvantage of the command.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time

INTERVAL_S = 0.02
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def children_of(pid):
    """Process ids below a process, at any depth."""
    found, open_ids = [], [pid]
    while open_ids:
        current = open_ids.pop()
        try:
            tasks = os.listdir(f"/proc/{current}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{current}/task/{task}/children", encoding="ascii") as file:
                    children = [int(child) for child in file.read().split()]
            except OSError:
                continue
            found += children
            open_ids += children
    return found


def processor_seconds(pid):
    """Time that a process has run, in user and system mode; 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except (OSError, IndexError):
        return 0.0


def resident_bytes(pid):
    """Resident set of a process; 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


class Watch(threading.Thread):
    """Looks at a command and its descendants until it is told to stop."""

    def __init__(self, pid):
        super().__init__()
        self.pid = pid
        self.is_over = threading.Event()
        self.peak_bytes = 0
        # The command's own resident set at the peak, then those of its descendants.
        self.peak_parts = []
        self.seconds_of = {}

    def run(self):
        while not self.is_over.wait(INTERVAL_S):
            pids = [self.pid, *children_of(self.pid)]
            parts = [resident_bytes(pid) for pid in pids]
            if sum(parts) > self.peak_bytes:
                self.peak_bytes, self.peak_parts = sum(parts), parts
            for pid in pids:
                self.seconds_of[pid] = max(processor_seconds(pid), self.seconds_of.get(pid, 0.0))


def main():
    if len(sys.argv) < 4:
        raise SystemExit("usage: measure.py THREADS LOG COMMAND…")
    threads, output, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    allowed = sorted(os.sched_getaffinity(0))[:threads]
    environment = dict(os.environ, POLARS_MAX_THREADS=str(threads), TOKIO_WORKER_THREADS=str(threads))
    with open(output, "wb") as log:
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )
        watch = Watch(process.pid)
        watch.start()
        exit_code = process.wait()
        seconds = time.monotonic() - start
        watch.is_over.set()
        watch.join()
    # The kernel counts only descendants that were waited for; the watch sees all of them, to the last sample.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "seconds": round(seconds, 3),
        "processor_seconds": round(max(sum(watch.seconds_of.values()), used.ru_utime + used.ru_stime), 2),
        "worker_seconds": round(sum(watch.seconds_of.values()) - watch.seconds_of.get(process.pid, 0.0), 2),
        "peak_bytes": max(watch.peak_bytes, used.ru_maxrss * 1024),
        "peak_parts_bytes": watch.peak_parts,
        "peak_process_bytes": used.ru_maxrss * 1024,
        "exit_code": exit_code,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
