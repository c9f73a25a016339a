"""Memory of a server with all its processes, as proportional set size: pages that several processes map are counted once."""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import children_of, resident_bytes  # noqa: E402

INTERVAL_S = 0.05


def proportional_bytes(pid: int) -> int:
    """Proportional set size of a process; its resident set where the system does not tell, 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    return resident_bytes(pid)


def held_bytes(pid: int) -> int:
    """Memory of a process and all below it."""
    return sum(proportional_bytes(each) for each in (pid, *children_of(pid)))


class Watch(threading.Thread):
    """Looks at a server while something is asked of it: `with Watch(pid) as watch: …; watch.peak_bytes`."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.is_over = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        while not self.is_over.wait(INTERVAL_S):
            self.peak_bytes = max(self.peak_bytes, held_bytes(self.pid))

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.join()
        self.peak_bytes = max(self.peak_bytes, held_bytes(self.pid))
