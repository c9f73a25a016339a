"""psql, started without the settings of the machine."""

import os
import shutil
import subprocess

from served import Skipped, served


def command(user="public", tls="disable"):
    """psql against the served instance, and what it is started in."""
    found = shutil.which("psql")
    if not found:
        raise Skipped("psql is not installed")
    target = f"host={served.pg_host} port={served.pg_port} user={user} dbname=gongkai sslmode={tls}"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": served.scratch, "PSQL_HISTORY": "/dev/null"}
    return [found, "-X", "-w", "-v", "VERBOSITY=verbose", "-P", "pager=off", "-d", target], environment


def psql(*commands, user="public", tls="disable", password=None, expected=0, seconds=60):
    """Runs commands and gives what was printed; errors too where another exit code is expected."""
    start, environment = command(user, tls)
    environment |= {"PGPASSWORD": password} if password else {}
    said = [part for text in commands for part in ("-c", text)]
    ended = subprocess.run([*start, *said], env=environment, capture_output=True, text=True, timeout=seconds)
    assert ended.returncode == expected, f"exit code {ended.returncode}: {ended.stdout[-300:]}{ended.stderr[-600:]}"
    assert expected or "ERROR" not in ended.stderr, ended.stderr
    return ended.stdout + ended.stderr
