"""What is asked, in the words of each system.

Every statement takes a number that makes it another statement: no answer that was kept can be given again, and every
round asks what was not asked before. Numbers change literals, not the work. Rows are in an order that the values decide,
sums that decide an order are exact decimals, so that answers can be compared line by line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

# The first hour that all generated files have, as the label of its end.
FIRST_HOUR = datetime(2018, 7, 1, 1, tzinfo=timezone(timedelta(hours=8)))

SQLITE = "datasette"

# Digits that have to be equal: sums of doubles depend on their order beyond.
DIGITS = 9


@dataclass(frozen=True)
class Rows:
    """What literals are taken from."""

    cities: list[str]
    hours: int
    regions: list[str]


@dataclass(frozen=True)
class Question:
    """A statement by system and number, none where a system has no words for it."""

    name: str
    title: str
    sql: Callable[[str, int, Rows], str | None]


def instant(system: str, hour: int) -> str:
    """A literal for an instant."""
    text = (FIRST_HOUR + timedelta(hours=hour)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"'{text}'" if system == SQLITE else f"TIMESTAMPTZ '{text}+00:00'"


def small(_: str, number: int, rows: Rows) -> str:
    """A region's debt in the table of the shipped samples: a handful of its rows."""
    region = rows.regions[number % len(rows.regions)]
    return (
        "SELECT region_name, as_of_year, measure, debt_kind, amount_yuan FROM debt_stock "
        f"WHERE region_code = '{region}' AND amount_yuan > {number} "
        "ORDER BY as_of_year, measure, debt_kind, amount_yuan, region_name LIMIT 50"
    )


def point(system: str, number: int, rows: Rows) -> str:
    """All values of one place and hour."""
    # Both strides are prime: neighbours are far apart in places and hours, and none comes twice soon.
    city = rows.cities[number * 7 % len(rows.cities)]
    hour = instant(system, number * 7919 % rows.hours)
    return (
        "SELECT measure, averaging, unit, value FROM air_hourly "
        f"WHERE geo_id = '{city}' AND obs_time = {hour} ORDER BY measure, averaging"
    )


def city_and_day(_: str, number: int, rows: Rows) -> str:
    """Groups of city and day, the highest hundred of them."""
    return (
        "SELECT geo_id, data_date, count(value) AS hours, sum(value) AS total, avg(CAST(value AS DOUBLE)) AS mean "
        f"FROM air_hourly WHERE measure = 'PM25' AND averaging = '1h' AND value > 0.{number:04} "
        "GROUP BY geo_id, data_date ORDER BY total DESC, geo_id, data_date LIMIT 100"
    )


def everything(_: str, number: int, rows: Rows) -> str:
    """Every row, in few groups."""
    return (
        "SELECT data_month, measure, averaging, count(*) AS lines, count(value) AS hours, "
        "avg(CAST(value AS DOUBLE)) AS mean, min(value) AS least, max(value) AS most "
        f"FROM air_hourly WHERE hour_label < {100 + number} "
        "GROUP BY data_month, measure, averaging ORDER BY data_month, measure, averaging"
    )


def percentiles(system: str, number: int, rows: Rows) -> str | None:
    """Two exact percentiles of each city."""
    if system == SQLITE:
        return None
    return (
        "SELECT geo_id, median(CAST(value AS DOUBLE)) AS half, "
        "percentile_cont(0.95) WITHIN GROUP (ORDER BY CAST(value AS DOUBLE)) AS high FROM air_hourly "
        f"WHERE measure = 'O3' AND averaging = '1h' AND value > 0.{number:04} GROUP BY geo_id ORDER BY geo_id"
    )


def week(system: str, number: int, rows: Rows) -> str:
    """One week of one measure."""
    hour = number * 7919 % max(rows.hours - 168, 1)
    return (
        "SELECT count(*) AS lines, count(value) AS hours, avg(CAST(value AS DOUBLE)) AS mean, max(value) AS most "
        f"FROM air_hourly WHERE obs_time >= {instant(system, hour)} AND obs_time < {instant(system, hour + 168)} "
        "AND measure = 'PM10' AND averaging = '24h'"
    )


def highest(_: str, number: int, rows: Rows) -> str:
    """The twenty highest values of one measure."""
    return (
        "SELECT geo_id, data_date, hour_label, value FROM air_hourly "
        f"WHERE measure = 'O3' AND averaging = '8h' AND value < {2000 + number} "
        "ORDER BY value DESC, geo_id, data_date, hour_label LIMIT 20"
    )


def distinct(_: str, number: int, rows: Rows) -> str:
    """Different places, days and values of every measure, over every row."""
    return (
        "SELECT measure, count(DISTINCT geo_id) AS places, count(DISTINCT data_date) AS days, "
        f"count(DISTINCT value) AS amounts FROM air_hourly WHERE hour_label < {100 + number} "
        "GROUP BY measure ORDER BY measure"
    )


SMALL = Question("small", "debt of one region", small)
POINT = Question("point", "one place and hour", point)
AGGREGATIONS = [
    Question("city_day", "count, sum, average by city and day, top 100", city_and_day),
    Question("everything", "all rows by month and measure", everything),
    Question("percentiles", "median and 95 % by city", percentiles),
    Question("week", "a week of one measure", week),
    Question("highest", "top 20 values", highest),
    Question("distinct", "distinct places, days, values", distinct),
]

# What is downloaded as a query's answer.
CSV = "SELECT geo_id, obs_time, measure, averaging, unit, value FROM air_hourly"


def canonical(rows: list[list[object]]) -> list[list[str | None]]:
    """Rows as texts that are equal where the values are: numbers to so many digits, whatever type carried them."""

    def cell(value: object) -> str | None:
        if value is None:
            return None
        try:
            return f"{float(str(value)):.{DIGITS}g}"
        except ValueError:
            return str(value)

    return [[cell(value) for value in row] for row in rows]
