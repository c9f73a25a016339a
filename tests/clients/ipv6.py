"""Every door on ::1: the same clients, with addresses of IPv6 only."""

import json
import re
import subprocess
import urllib.request

import adbc_driver_flightsql.dbapi
import duckdb
import psycopg
from served import Skipped, check, equal, run, served

COUNT = "SELECT count(*) FROM debt_stock"


def get(path):
    with urllib.request.urlopen(f"{served.http}{path}", timeout=60) as response:
        return response.read()


def counted():
    return json.loads(get(f"/api/v1/sql?q={COUNT.replace(' ', '%20')}&format=json"))["rows"][0][0]


@check
def http_answers_and_its_links_lead_back():
    assert served.http.startswith("http://[::1]:"), served.http
    count = counted()
    assert int(count) > 0, count
    for path in ["/", "/datasets", "/sql", "/openapi.json", "/feed.atom", "/readyz"]:
        page = get(path).decode()
        assert "127.0.0.1" not in page, f"{path} names an address of IPv4"
    for link in sorted(set(re.findall(r'href="(/[^"#]*)"', get("/").decode())))[:20]:
        assert get(link.replace("&amp;", "&")), link


@check
def postgresql_takes_a_key_over_tls():
    key = {"user": served.key_user, "password": served.token, "sslmode": "verify-full", "sslrootcert": served.certificate}
    with psycopg.connect(**served.postgres(**key)) as connection:
        equal(str(connection.execute(COUNT).fetchone()[0]), str(counted()))


@check
def psql_reaches_it():
    arguments = ["-X", "-A", "-t", "-h", served.pg_host, "-p", str(served.pg_port), "-U", "public", "-d", "gongkai", "-c", COUNT]
    try:
        done = subprocess.run(["psql", *arguments], capture_output=True, text=True, timeout=60)
    except FileNotFoundError as missing:
        raise Skipped("psql is not installed") from missing
    equal((done.returncode, done.stdout.strip()), (0, str(counted())), done.stderr)


@check
def arrow_flight_answers():
    with open(served.certificate) as file:
        options = {"adbc.flight.sql.client_option.tls_root_certs": file.read()}
    with adbc_driver_flightsql.dbapi.connect(f"grpc+tls://{served.flight}", options, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute(COUNT)
            equal(str(cursor.fetchone()[0]), str(counted()))


@check
def files_are_read_by_ranges():
    path = "/api/v1/datasets/debt_limit_balance_final/releases/1/files/data.parquet"
    file = f"{served.scratch}/release.parquet"
    with open(file, "wb") as target:
        target.write(get(path))
    equal(duckdb.execute(f"SELECT count(*) > 0 FROM '{file}'").fetchone()[0], True)
    request = urllib.request.Request(f"{served.http}{path}", headers={"Range": "bytes=0-3"})
    with urllib.request.urlopen(request, timeout=60) as response:
        equal((response.status, response.read()), (206, b"PAR1"))


run()
