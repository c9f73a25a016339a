#!/usr/bin/env python3
"""Asks gongkai and its peers the same over the same rows, in rounds, and compares answers, times and memory.

Every measure is taken from all systems in one round before the next round begins, each round begun by another system.
An answer that differs is no time. The exit code is 1 where answers differ or gongkai does not answer; never for a time.
"""

import argparse
import functools
import os
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import report
from memory import Watch, held_bytes
from prepare import DATASET, Prepared, prepare
from statements import AGGREGATIONS, CSV, POINT, SMALL, Question, Rows, canonical
from static import Static, nginx
from systems import Datasette, DuckDB, Gongkai, Roapi, Settings, System
from wire import Connection, Refused, request

CLIENTS = 8
# Statements of one round at most; fewer where one takes so long that they would take more seconds than this.
ENOUGH, LONGEST_S = 400, 10.0

DIGEST = """
    SELECT count(*), count(value), sum(CAST(value AS DECIMAL(18, 4))), sum(CAST(hash(
        geo_id, measure, averaging, unit, epoch(CAST(obs_time AS TIMESTAMPTZ)), CAST(value AS DECIMAL(18, 4))
    ) AS HUGEINT)) FROM read_csv('{path}', header = true, delim = ',', quote = '"', escape = '"', all_varchar = true)
"""


@dataclass
class Bench:
    """One run: its settings and what was measured."""

    settings: Settings
    rounds: int
    enough: int
    results: list[dict] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    compared: int = 0

    def keep(self, section: str, measure: str, system: str, unit: str, **values: object) -> None:
        """Keeps one measurement."""
        self.results.append({"section": section, "measure": measure, "system": system, "unit": unit, **values})

    def turns(self, systems: list[System]) -> Iterable[tuple[int, System]]:
        """All systems in each round, each round begun by another."""
        for number in range(self.rounds):
            first = number % len(systems)
            for system in systems[first:] + systems[:first]:
                yield number, system

    def measure(self, section: str, measure: str, unit: str, systems: list[System], take: Callable) -> None:
        """Takes one value of every system in every round: `take(number, system)`."""
        print(f"  {section}: {measure}", flush=True)
        for number, system in self.turns(systems):
            try:
                self.keep(section, measure, system.name, unit, round=number, value=take(number, system))
            except (Refused, OSError) as error:
                self.keep(section, measure, system.name, unit, round=number, error=str(error))

    def differ(self, section: str, what: str, answers: dict[str, object]) -> None:
        """Notes answers that are not those of gongkai; their times do not count."""
        self.compared += len(answers) - 1
        for name, answer in answers.items():
            if answer != answers.get("gongkai", answer):
                self.disagreements.append(f"{section}: {what}: {name} and gongkai answer differently")
                for result in self.results:
                    if (result["section"], result["measure"], result["system"]) == (section, what, name):
                        result["error"] = "differs"


@dataclass
class Taken:
    """What is learnt beside the times: peaks of memory by system, and rounds with the seconds of kept answers."""

    peaks: dict[str, int] = field(default_factory=dict)
    again: list[tuple[int, float]] = field(default_factory=list)


@dataclass
class Section:
    """One warehouse with the systems that serve it."""

    bench: Bench
    prepared: Prepared
    rows: Rows
    systems: list[System]

    @property
    def name(self) -> str:
        return f"{self.prepared.table}, {self.prepared.rows:,} rows"

    def sql(self, question: Question, system: System, number: int) -> str | None:
        """A question in the words of a system."""
        return question.sql(system.name, number, self.rows)

    def starts(self, question: Question) -> None:
        """Start to the first answer; all are left running."""

        def start(number: int, system: System) -> float:
            system.stop()
            return system.start(self.sql(question, system, number))

        self.bench.measure(self.name, "start, first answer", "s", self.systems, start)
        for system in self.systems:
            self.bench.keep(self.name, "memory, idle", system.name, "bytes", round=0, value=held_bytes(system.pid))

    def columns(self, question: Question) -> list[str]:
        """Names of an answer's columns, which ROAPI's rows do not tell."""
        peer = next(system for system in self.systems if isinstance(system, DuckDB))
        return [row[0] for row in peer.order({"sql": f"DESCRIBE {self.sql(question, peer, 0)}"})["rows"]]

    def compare(self, question: Question, measures: list[str]) -> None:
        """Whether five answers are the same in all systems."""
        columns = self.columns(question)
        for number in range(900_001, 900_006):
            answers = {}
            for system in self.systems:
                try:
                    rows = system.ask(self.sql(question, system, number), list(columns)).rows
                    answers[system.name] = canonical(rows)
                except Refused:
                    continue
            for measure in measures:
                self.bench.differ(self.name, measure, answers)

    def few_rows(self, question: Question, with_repeated: bool) -> None:
        """Latency of one client, answers per second of several, with other literals each time; and of one statement."""
        bench, usual, high = self.bench, {}, []

        def statements(system: System, begin: int, seconds: float) -> list[str]:
            count = max(CLIENTS, min(bench.enough, int(LONGEST_S / max(seconds, 1e-5))))
            return [self.sql(question, system, begin + each) for each in range(count)]

        def latency(number: int, system: System) -> float:
            # The first few tell how many are enough, and are warm-up.
            first = system.latencies(statements(system, 100_000 * number + 50_000, LONGEST_S))
            taken = system.latencies(statements(system, 100_000 * number, statistics.median(first)))
            usual[system.name] = statistics.median(taken)
            high.append((system.name, number, report.percentile(taken, 95)))
            return usual[system.name]

        def load(number: int, system: System) -> float:
            # Whatever a server starts for its second client has been started.
            system.load(statements(system, 100_000 * number + 40_000, LONGEST_S), CLIENTS)
            return system.load(statements(system, 100_000 * number + 20_000, usual.get(system.name, 1) / 2), CLIENTS)

        def repeated(number: int, system: System) -> float:
            count = len(statements(system, 0, usual.get(system.name, 1)))
            return statistics.median(system.latencies([self.sql(question, system, 777_777)] * count))

        names = [f"{question.title}, p50", f"{question.title}, p95", f"{question.title}, {CLIENTS} clients"]
        bench.measure(self.name, names[0], "s", self.systems, latency)
        for name, number, seconds in high:
            bench.keep(self.name, names[1], name, "s", round=number, value=seconds)
        bench.measure(self.name, names[2], "per_second", self.systems, load)
        if with_repeated:
            names.append(f"{question.title}, the same again, p50")
            bench.measure(self.name, names[-1], "s", self.systems, repeated)
        self.compare(question, names)

    def aggregations(self) -> None:
        """Each question in each round with other literals; gongkai then the same again, from its kept answers."""
        taken = Taken()
        for question in AGGREGATIONS:
            answers: dict[int, dict[str, object]] = {}
            take = functools.partial(self.aggregate, question, self.columns(question), answers, taken)
            self.bench.measure(self.name, question.title, "s", self.systems, take)
            for number in answers:
                self.bench.differ(self.name, question.title, answers[number])
        for number, seconds in taken.again:
            self.bench.keep(self.name, "these again (kept answers)", "gongkai", "s", round=number, value=seconds)
        for name, peak in taken.peaks.items():
            self.bench.keep(self.name, "memory, aggregations", name, "bytes", round=0, value=peak)

    def aggregate(
        self, question: Question, columns: list[str], answers: dict, taken: Taken, number: int, system: System
    ) -> float:
        """Asks one question; keeps its answer and the memory that it took."""
        sql = self.sql(question, system, number + 1)
        if sql is None:
            raise Refused("no such function")
        with Watch(system.pid) as watch:
            answer = system.ask(sql, list(columns))
        taken.peaks[system.name] = max(taken.peaks.get(system.name, 0), watch.peak_bytes)
        answers.setdefault(number, {})[system.name] = canonical(answer.rows)
        if isinstance(system, Gongkai):
            taken.again.append((number, system.ask(sql, list(columns)).seconds))
        return answer.seconds

    def downloads(self, rounds: int) -> None:
        """A query's answer and a whole dataset as CSV files."""
        out = self.bench.settings.work / "doors" / "out"
        out.mkdir(exist_ok=True)
        peaks: dict[str, int] = {}
        able = [system for system in self.systems if isinstance(system, (Gongkai, DuckDB, Roapi))]
        whole = [system for system in able if not isinstance(system, Roapi)]

        def write(number: int, system: System, is_dataset: bool) -> float:
            path = out / f"{system.name}.csv"
            path.unlink(missing_ok=True)
            os.sync()
            with Watch(system.pid) as watch, open(path, "wb") as target:
                if isinstance(system, DuckDB):
                    seconds = system.copy(f"FROM {self.prepared.table}" if is_dataset else CSV, path)
                elif is_dataset:
                    seconds = system.dataset_csv(DATASET, target)
                else:
                    seconds = system.csv(CSV, target)
            peaks[system.name] = max(peaks.get(system.name, 0), watch.peak_bytes)
            return seconds

        usual, self.bench.rounds = self.bench.rounds, rounds
        for title, systems, is_dataset in (("CSV of a query", able, False), ("CSV of the dataset", whole, True)):
            take = functools.partial(write, is_dataset=is_dataset)
            self.bench.measure(self.name, title, "s", systems, take)
            files = {path.stem: path for path in out.glob("*.csv") if path.stat().st_size}
            print(f"    bytes: {', '.join(f'{name} {path.stat().st_size:,}' for name, path in files.items())}", flush=True)
            self.bench.differ(self.name, title, {name: digest(path) for name, path in files.items()})
            for path in out.glob("*.csv"):
                path.unlink()
        self.bench.rounds = usual
        for name, peak in peaks.items():
            self.bench.keep(self.name, "memory, downloads", name, "bytes", round=0, value=peak)

    def stored_file(self) -> None:
        """One release's Parquet file, again and again over one connection."""
        gongkai = next(system for system in self.systems if isinstance(system, Gongkai))
        root = max((self.prepared.folder / "data/releases" / DATASET).iterdir(), key=parquet_bytes)
        times = max(1, (512 << 20) // parquet_bytes(root))
        path = {"gongkai": f"/api/v1/datasets/{DATASET}/releases/{root.name}/files/data.parquet"}
        statics = [Static(self.bench.settings, name, root) for name in ("nginx", "http.server") if name != "nginx" or nginx()]
        for server in statics:
            server.start("/data.parquet")
        contents = {}

        def take(number: int, system: System) -> float:
            question = request("GET", path.get(system.name, "/data.parquet"))
            connection = Connection(system.address)
            taken = [connection.ask(question) for _ in range(times)]
            connection.close()
            contents[system.name] = hash(taken[-1][1])
            return sum(seconds for seconds, _ in taken) / times

        title = f"stored Parquet file, {parquet_bytes(root) >> 10:,} KiB"
        self.bench.measure("files", title, "s", [gongkai, *statics], take)
        self.bench.differ("files", title, contents)
        for server in statics:
            server.stop()

    def stop(self) -> None:
        """Ends all systems."""
        for system in self.systems:
            system.stop()


def parquet_bytes(release: Path) -> int:
    """Length of a release's Parquet file."""
    return (release / "data.parquet").stat().st_size


def digest(path: Path) -> object:
    """What is the same for the same rows of a CSV file in any order."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.execute(DIGEST.format(path=path)).fetchone()


def peers(settings: Settings, prepared: Prepared, is_small: bool) -> list[System]:
    """Gongkai and what there is to compare it with. The largest table is for those that read files."""
    tables = {prepared.table: prepared.parquet}
    systems: list[System] = [Gongkai(settings, "gongkai", prepared.folder), DuckDB(settings, "duckdb", tables)]
    if (settings.bin / "roapi").exists():
        systems.append(Roapi(settings, "roapi", tables))
        if is_small:
            systems.append(Roapi(settings, "roapi-memory", tables, in_memory=True))
    if (settings.bin / "datasette").exists() and prepared.database.exists():
        systems.append(Datasette(settings, "datasette", prepared.database))
    return systems


def literals(prepared: Prepared, days: int | None) -> Rows:
    """Codes that are in the rows, for literals."""
    column = "region_code" if days is None else "geo_id"
    found = duckdb.sql(f"SELECT DISTINCT {column} FROM '{prepared.parquet}/*.parquet' WHERE {column} IS NOT NULL ORDER BY 1")
    codes = [code for (code,) in found.fetchall()]
    return Rows(cities=codes, hours=(days or 0) * 24 - 1, regions=codes)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("gongkai", type=Path)
    arguments.add_argument("--bin", type=Path, required=True, help="folder of the peers' programs")
    arguments.add_argument("--work", type=Path, required=True)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    arguments.add_argument("--memory", default="2GiB", help="memory limit of DuckDB")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--small-days", type=int, default=28)
    arguments.add_argument("--large-days", type=int, default=420)
    arguments.add_argument("--quick", action="store_true", help="few rows, one round: whether it runs, not how fast")
    arguments.add_argument("--only", choices=["samples", "small", "large"], help="one warehouse")
    options = arguments.parse_args()
    if options.quick:
        options.rounds, options.small_days, options.large_days = 1, 1, 2
    settings = Settings(options.gongkai, options.bin, options.work, options.threads, options.memory)
    bench = Bench(settings, options.rounds, 50 if options.quick else ENOUGH)
    wanted = [("samples", None), ("small", options.small_days), ("large", options.large_days)]
    wanted = [(name, days) for name, days in wanted if options.only in (None, name)]
    # SQLite gets the smaller tables only.
    ready = [
        (prepare(options.gongkai, options.work, f"{name}-{days}" if days else name, days, name != "large"), name, days)
        for name, days in wanted
    ]
    for prepared, name, days in ready:
        section = Section(bench, prepared, literals(prepared, days), peers(settings, prepared, name != "large"))
        try:
            section.starts(POINT if days else SMALL)
            section.few_rows(POINT if days else SMALL, with_repeated=True)
            if days:
                section.aggregations()
                section.downloads(bench.rounds if name == "small" else 1)
                section.stored_file()
        finally:
            section.stop()
    about = {**report.about(settings, options), "answers_compared": bench.compared, "answers_that_differ": len(bench.disagreements)}
    report.write(options.work / "doors", bench.results, about, bench.disagreements)
    failed = [result for result in bench.results if result["system"] == "gongkai" and "error" in result]
    sys.exit(1 if bench.disagreements or failed else 0)


if __name__ == "__main__":
    main()
