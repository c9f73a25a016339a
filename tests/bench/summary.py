#!/usr/bin/env python3
"""Rounds of measurements as a table, and the ratio to the faster peer.

Reads lines of JSON: what measure.py prints, with `name` and `round`. The time of a program is the median of its rounds.
"""

import json
import statistics
import sys

LIMIT_BYTES = 2 << 30


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rounds = [json.loads(line) for line in file]
    names = list(dict.fromkeys(entry["name"] for entry in rounds))
    of = {name: [entry for entry in rounds if entry["name"] == name] for name in names}
    time_of = {name: statistics.median(entry["seconds"] for entry in of[name]) for name in names}
    print(f"{'':8} {'median s':>9} {'rounds':>24} {'processor s':>12} {'peak MiB':>9}")
    for name in names:
        shown = " ".join(f"{entry['seconds']:.1f}" for entry in of[name])
        busy = statistics.median(entry["processor_seconds"] for entry in of[name])
        peak = max(entry["peak_bytes"] for entry in of[name]) / 2**20
        print(f"{name:8} {time_of[name]:>9.2f} {shown:>24} {busy:>12.1f} {peak:>9.0f}")
    faster = min((name for name in names if name != "gongkai"), key=time_of.get)
    ratio = time_of["gongkai"] / time_of[faster]
    peak = max(entry["peak_bytes"] for entry in of["gongkai"])
    print(f"ratio gongkai / {faster}: {ratio:.2f} (to reach: at most 1.00)")
    print(f"memory of gongkai: {peak / 2**30:.2f} GiB (to reach: at most {LIMIT_BYTES / 2**30:.0f} GiB)")


if __name__ == "__main__":
    main()
