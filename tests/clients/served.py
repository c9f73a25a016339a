"""The served instance that a script is run against, and its checks.

    SCRIPT.py '{"http": "http://127.0.0.1:1", "pg": "127.0.0.1:2", "flight": "127.0.0.1:3", …}'

Every function under `@check` is one check. Each prints one JSON line: its name, and what went wrong, or why it could not
run here; a check that does not end in time has failed. `tests/suite/clients.rs` reads the lines.
"""

import json
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

SECONDS = 600


@dataclass(frozen=True)
class Served:
    """Where the doors are and what opens them."""

    http: str
    pg: str
    flight: str
    data: str
    certificate: str
    token: str
    publisher: str
    scratch: str
    pid: int

    @property
    def pg_host(self):
        return self.pg.rsplit(":", 1)[0].strip("[]")

    @property
    def pg_port(self):
        return int(self.pg.rsplit(":", 1)[1])

    @property
    def key_user(self):
        """The user name of the reader's key."""
        return user_of(self.token)

    def postgres(self, **more):
        """Parameters of libpq for the public."""
        return {"host": self.pg_host, "port": self.pg_port, "user": "public", "dbname": "gongkai", **more}


def user_of(token):
    """The user name of a key: the token without its secret."""
    return "_".join(token.split("_")[:2])


class Skipped(Exception):
    """The check cannot run here."""


CHECKS = []
served = Served(**json.loads(sys.argv[1]))
root = Path(__file__).resolve().parents[2]


def check(function):
    """Makes a function a check."""
    CHECKS.append(function)
    return function


def equal(found, expected, what=""):
    """Both are the same; the message is bounded."""
    if found != expected:
        raise AssertionError(f"{what}: {str(found)[:700]!r} instead of {str(expected)[:700]!r}")


def refused(kind, state, act):
    """The act is refused with an error of this kind whose state is one of those named; gives the error."""
    states = (state,) if isinstance(state, str) else state
    try:
        answer = act()
    except kind as error:
        found = getattr(error, "sqlstate", None)
        assert found in states, f"{found} instead of {states}: {error}"
        return error
    raise AssertionError(f"answered {str(answer)[:200]!r} instead of {states}")


def too_long(*_):
    raise TimeoutError(f"not done after {SECONDS} s")


def run():
    """Runs the checks in the order of their definition."""
    signal.signal(signal.SIGALRM, too_long)
    for function in CHECKS:
        line = {"check": function.__name__}
        signal.alarm(SECONDS)
        try:
            function()
        except Skipped as reason:
            line["skipped"] = str(reason)
        except BaseException as error:  # noqa: BLE001: whatever it is, it is told
            where = [frame for frame in traceback.extract_tb(error.__traceback__) if "/clients/" in frame.filename]
            lines = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in where)
            line["failed"] = f"{type(error).__name__}: {error} ({lines})"
        finally:
            signal.alarm(0)
        print(json.dumps(line, ensure_ascii=False), flush=True)
