"""Static file servers over a folder: nginx where it is installed, and that of Python's standard library."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from systems import System, free_address
from wire import Address, Connection, request

NGINX = """\
{user}worker_processes {threads};
daemon off;
pid nginx.pid;
error_log stderr error;
events {{ }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
    server {{ listen {host}:{port}; root "{root}"; }}
}}
"""


@dataclass
class Static(System):
    """A server of files."""

    root: Path = Path()
    address: Address = field(default=("127.0.0.1", 0), init=False)

    def start(self, path: str) -> float:
        """Starts it; gives the seconds until a file is answered."""
        self.address = host, port = free_address()
        folder = self.settings.work / "doors" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        self.launch(self.words(host, port, folder), folder)
        while True:
            try:
                Connection(self.address).ask(request("GET", path))
                return time.perf_counter() - start
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"{self.name} does not serve, see {folder}") from None
                time.sleep(0.005)

    def words(self, host: str, port: int, folder: Path) -> Sequence[object]:
        """The command line."""
        if self.name != "nginx":
            return [sys.executable, "-m", "http.server", port, "--bind", host, "--directory", self.root, "-p", "HTTP/1.1"]
        # Started by root, its workers would be another user, who need not be allowed to read the folder.
        user = "user root;\n" if os.geteuid() == 0 else ""
        text = NGINX.format(user=user, threads=self.settings.threads, host=host, port=port, root=self.root)
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        return [nginx(), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]


def nginx() -> str | None:
    """Where nginx is."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
