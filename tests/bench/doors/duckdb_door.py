#!/usr/bin/env python3
"""DuckDB in a process of its own, told what to do by JSON lines: the peer without a wire.

The clock runs around the statement and the fetching of all its rows, inside this process: pipes and JSON are not in it.
Footers of Parquet files are kept between statements, as a server would; COPY may write rows in any order.
"""

import argparse
import json
import sys
import threading
import time

import duckdb


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> dict:
    """Runs a statement and fetches everything."""
    start = time.perf_counter()
    result = connection.execute(sql)
    columns = [column[0] for column in result.description or []]
    rows = result.fetchall()
    return {"seconds": time.perf_counter() - start, "columns": columns, "rows": rows}


def latencies(connection: duckdb.DuckDBPyConnection, statements: list[str]) -> dict:
    """Runs statements one after another."""
    return {"latencies": [answer(connection, sql)["seconds"] for sql in statements]}


def load(connection: duckdb.DuckDBPyConnection, statements: list[str], clients: int) -> dict:
    """Runs statements in so many threads, each with a cursor."""
    waiting, lock = iter(statements), threading.Lock()

    def work() -> None:
        cursor = connection.cursor()
        while True:
            with lock:
                sql = next(waiting, None)
            if sql is None:
                return
            cursor.execute(sql).fetchall()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"per_second": len(statements) / (time.perf_counter() - start)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("tables", help="JSON object: name of a table and its Parquet files")
    arguments.add_argument("--threads", type=int, required=True)
    arguments.add_argument("--memory", required=True)
    arguments.add_argument("--spill", required=True)
    options = arguments.parse_args()
    connection = duckdb.connect()
    connection.execute(f"SET threads = {options.threads}")
    connection.execute(f"SET memory_limit = '{options.memory}'")
    connection.execute(f"SET temp_directory = '{options.spill}'")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET preserve_insertion_order = false")
    for name, files in json.loads(options.tables).items():
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet({files}, hive_partitioning = false)")
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if "load" in order:
                said = load(connection, order["load"], order["clients"])
            elif "each" in order:
                said = latencies(connection, order["each"])
            else:
                said = answer(connection, order["sql"])
        except duckdb.Error as error:
            said = {"error": str(error).splitlines()[0][:200]}
        print(json.dumps(said, default=str), flush=True)


if __name__ == "__main__":
    main()
