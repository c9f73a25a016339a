"""Every door on ::1: the same clients, with addresses of IPv6 only."""

import re
import urllib.request

import duckdb
import psycopg
from adbc import connect
from psql import psql
from served import check, equal, run, served
from statements import rows

COUNT = "SELECT count(*) FROM debt_stock"


def get(path):
    with urllib.request.urlopen(f"{served.http}{path}", timeout=60) as response:
        return response.read()


def counted():
    """What is counted over HTTP, as a text."""
    return str(rows(COUNT)[0][0])


@check
def http_answers_and_its_links_lead_back():
    assert served.http.startswith("http://[::1]:"), served.http
    assert int(counted()) > 0
    for path in ["/", "/datasets", "/sql", "/openapi.json", "/feed.atom", "/readyz"]:
        page = get(path).decode()
        assert "127.0.0.1" not in page, f"{path} names an address of IPv4"
    links = sorted(set(re.findall(r'href="(/[^"#]*)"', get("/").decode())))[:20]
    assert len(links) > 5, f"the first page has the links {links}"
    for link in links:
        assert get(link.replace("&amp;", "&")), link


@check
def postgresql_takes_a_key_over_tls():
    key = {"user": served.key_user, "password": served.token, "sslmode": "verify-full", "sslrootcert": served.certificate}
    with psycopg.connect(**served.postgres(**key)) as connection:
        equal(str(connection.execute(COUNT).fetchone()[0]), counted())


@check
def psql_reaches_it():
    # A heading, a line below it, the count.
    equal(psql(COUNT).splitlines()[2].strip(), counted())


@check
def arrow_flight_answers():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(COUNT)
        equal(str(cursor.fetchone()[0]), counted())


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
