"""Working days by a calendar that is not the product's: the package chinesecalendar.

    workdays_peer.py < DATES        for each line `YYYY-MM-DD`, prints `date,1` for a working day and `date,0` for another;
                                    without input, does so for every day from 2018-01-01 to 2026-12-31
    workdays_peer.py due [N] < PAIRS
                                    for each line `date,n`, prints the n-th working day after the date, which is day 0
                                    whether or not it is a working day; a line with a date alone takes N as n

The package knows each year as it turned out (Labour Day of 2019 and the Spring Festival of 2020 as amended) and not what
was known before. It reaches to the end of 2026: a day that lies further is answered by an empty line.
"""

import sys
from datetime import date, timedelta

from chinese_calendar import is_workday

FIRST, LAST = date(2018, 1, 1), date(2026, 12, 31)
DAY = timedelta(days=1)


def lines():
    return [] if sys.stdin is None or sys.stdin.isatty() else [line.strip() for line in sys.stdin if line.strip()]


def days():
    """Every day that the calendar of the product covers."""
    return [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]


def due(start, n):
    """The n-th working day after a day; none where it lies behind the last day."""
    day = start
    while n > 0:
        day += DAY
        if day > LAST:
            return None
        n -= is_workday(day)
    return day


def main(arguments):
    if not arguments:
        asked = [date.fromisoformat(line) for line in lines()]
        for day in asked or days():
            print(f"{day},{int(is_workday(day))}")
    elif arguments[0] == "due" and len(arguments) <= 2:
        for line in lines():
            start, _, n = line.partition(",")
            answer = due(date.fromisoformat(start), int(n or arguments[1]))
            print(answer or "")
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
