"""The systems under test: how each is started, asked and ended.

All read the same Parquet files, but for Datasette, which reads an SQLite file made from the same rows. Each is pinned to the
same processors and started in an empty folder of its own.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

from wire import Address, Connection, Refused, download, load, request

START_S = 120


@dataclass
class Settings:
    """What all systems are given."""

    gongkai: Path
    bin: Path
    work: Path
    threads: int
    memory: str


@dataclass
class Answer:
    """Rows and the time they took."""

    seconds: float
    rows: list[list[object]]


def free_address() -> Address:
    """An address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1", probe.getsockname()[1]


@dataclass
class System:
    """A process that answers."""

    settings: Settings
    name: str = ""
    process: subprocess.Popen | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    def launch(self, command: Sequence[object], folder: Path, **pipes: object) -> None:
        """Starts the process on its processors; what it says goes into a log."""
        folder.mkdir(parents=True, exist_ok=True)
        allowed = sorted(os.sched_getaffinity(0))[: self.settings.threads]
        environment = dict(os.environ, TOKIO_WORKER_THREADS=str(self.settings.threads), RUST_LOG="warn")
        with open(folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=environment,
                stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, allowed),
                **{"stdout": log, **pipes},
            )

    def stop(self) -> None:
        """Ends the process."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


@dataclass
class Server(System):
    """A system that is asked over HTTP."""

    address: Address = field(default=("127.0.0.1", 0), init=False)
    connection: Connection | None = field(default=None, init=False)

    def command(self) -> tuple[Sequence[object], Path]:
        """Its command line and its folder."""
        raise NotImplementedError

    def question(self, sql: str) -> bytes:
        """The request that asks a statement."""
        raise NotImplementedError

    def rows(self, content: bytes, columns: list[str]) -> list[list[object]]:
        """The rows of an answer."""
        raise NotImplementedError

    def start(self, first: str) -> float:
        """Starts the server; gives the seconds until the first statement is answered."""
        self.address = free_address()
        command, folder = self.command()
        start = time.perf_counter()
        self.launch(command, folder)
        question = self.question(first)
        while True:
            try:
                self.connection = Connection(self.address)
                self.connection.ask(question)
                return time.perf_counter() - start
            except (OSError, Refused) as error:
                if self.process.poll() is not None or time.perf_counter() - start > START_S:
                    raise SystemExit(f"{self.name} does not serve, see {folder}: {error}") from error
                time.sleep(0.001)

    def stop(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None
        super().stop()

    def ask(self, sql: str, columns: list[str]) -> Answer:
        """Asks one statement."""
        # A server may close a connection that has been silent while another system was measured.
        connection = Connection(self.address)
        try:
            seconds, content = connection.ask(self.question(sql))
        finally:
            connection.close()
        return Answer(seconds, self.rows(content, columns))

    def latencies(self, statements: list[str]) -> list[float]:
        """Asks one after another over one connection; seconds of each."""
        questions = [self.question(sql) for sql in statements]
        connection = Connection(self.address)
        try:
            return [connection.ask(question)[0] for question in questions]
        finally:
            connection.close()

    def load(self, statements: list[str], clients: int) -> float:
        """Asks over several connections at once; answers per second."""
        return load(self.address, [self.question(sql) for sql in statements], clients)


@dataclass
class Gongkai(Server):
    """The product, over `POST /api/v1/sql`."""

    folder: Path = Path()

    def command(self) -> tuple[Sequence[object], Path]:
        host, port = self.address
        return [self.settings.gongkai, "serve", "--http", f"{host}:{port}", "--data", self.folder / "data"], self.folder

    def question(self, sql: str) -> bytes:
        return request("POST", "/api/v1/sql", json.dumps({"sql": sql}).encode())

    def rows(self, content: bytes, columns: list[str]) -> list[list[object]]:
        answer = json.loads(content)
        if answer["truncated"]:
            raise Refused("truncated")
        return answer["rows"]

    def csv(self, sql: str, target: BinaryIO) -> float:
        """The answer of a statement as a CSV file."""
        body = json.dumps({"sql": sql, "format": "csv"}).encode()
        return download(self.address, "POST", "/api/v1/sql", body, {"content-type": "application/json"}, target)

    def dataset_csv(self, dataset: str, target: BinaryIO) -> float:
        """A whole dataset as a CSV file."""
        path = f"/api/v1/datasets/{dataset}/download?format=csv"
        return download(self.address, "GET", path, b"", {}, target)


@dataclass
class Roapi(Server):
    """ROAPI over `POST /api/sql`: over the files, as the others, or over tables that it has read into memory."""

    tables: dict[str, Path] = field(default_factory=dict)
    in_memory: bool = False

    def command(self) -> tuple[Sequence[object], Path]:
        folder = self.settings.work / "doors" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        host, port = self.address
        # The other two doors cannot be left shut, and would all be opened at the same place.
        others = [f"  {door}: 127.0.0.1:{free_address()[1]}" for door in ("postgres", "flight_sql")]
        lines = ["addr:", f"  http: {host}:{port}", *others, "tables:"]
        for name, files in self.tables.items():
            lines += [f"  - name: {name}", f"    uri: {json.dumps(str(files) + '/')}"]
            lines += ["    option:", "      format: parquet", f"      use_memory_table: {str(self.in_memory).lower()}"]
        (folder / "roapi.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [self.settings.bin / "roapi", "-c", "roapi.yml"], folder

    def question(self, sql: str) -> bytes:
        return request("POST", "/api/sql", sql.encode(), "text/plain", "application/json")

    def rows(self, content: bytes, columns: list[str]) -> list[list[object]]:
        # Missing values are left out.
        return [[row.get(column) for column in columns] for row in json.loads(content)]

    def csv(self, sql: str, target: BinaryIO) -> float:
        """The answer of a statement as a CSV file."""
        return download(self.address, "POST", "/api/sql", sql.encode(), {"accept": "application/csv"}, target)


@dataclass
class Datasette(Server):
    """Datasette over `GET /{database}.json`, with its limits of time and rows raised."""

    database: Path = Path()

    def command(self) -> tuple[Sequence[object], Path]:
        host, port = self.address
        limits = ["--setting", "sql_time_limit_ms", 900_000, "--setting", "max_returned_rows", 100_000]
        serve = ["serve", "-i", self.database, "--host", host, "--port", port, *limits]
        return [self.settings.bin / "datasette", *serve], self.settings.work / "doors" / "datasette"

    def question(self, sql: str) -> bytes:
        return request("GET", f"/{self.database.stem}.json?{urlencode({'sql': sql, '_shape': 'arrays'})}")

    def rows(self, content: bytes, columns: list[str]) -> list[list[object]]:
        return json.loads(content)["rows"]


@dataclass
class DuckDB(System):
    """DuckDB in a process that is told what to do through pipes; it keeps its own time."""

    tables: dict[str, Path] = field(default_factory=dict)

    def start(self, first: str) -> float:
        """Starts Python and DuckDB; gives the seconds until the first statement is answered."""
        folder = self.settings.work / "doors" / "duckdb"
        tables = {name: sorted(str(path) for path in files.glob("*.parquet")) for name, files in self.tables.items()}
        door = [sys.executable, Path(__file__).with_name("duckdb_door.py"), json.dumps(tables)]
        limits = ["--threads", self.settings.threads, "--memory", self.settings.memory, "--spill", folder / "spill"]
        start = time.perf_counter()
        self.launch([*door, *limits], folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.order({"sql": first})
        return time.perf_counter() - start

    def order(self, order: dict) -> dict:
        """Has one order done."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            raise Refused(f"ended with {self.process.wait()}")
        answer = json.loads(said)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def ask(self, sql: str, columns: list[str]) -> Answer:
        """Asks one statement. The names of its columns are put into `columns`."""
        said = self.order({"sql": sql})
        columns[:] = said["columns"]
        return Answer(said["seconds"], said["rows"])

    def latencies(self, statements: list[str]) -> list[float]:
        """Asks one after another; seconds of each."""
        return self.order({"each": statements})["latencies"]

    def load(self, statements: list[str], clients: int) -> float:
        """Asks in several threads at once; answers per second."""
        return self.order({"load": statements, "clients": clients})["per_second"]

    def copy(self, sql: str, path: Path) -> float:
        """Writes the answer of a statement as a CSV file."""
        return self.order({"sql": f"COPY ({sql}) TO '{path}' (FORMAT csv, HEADER)"})["seconds"]
