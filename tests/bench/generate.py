#!/usr/bin/env python3
"""Hourly air quality of 360 cities, one file a day, in the layout that feed air_city_hourly reads.

Grain of a file: one line for each hour and city, 15 columns of values. 420 files × 24 hours × 360 cities is 3.6
million lines and 54 million cells. The seed is fixed; the digest that is printed says whether two machines have the
same bytes. A smaller number of files gives the first of them.

Invented: every value. Taken from the real files: header, byte order mark, order of lines, digits, the share of blank
cells (PM10 by far the most) and of absent lines. Names of cities come from the product's list of regions.
"""

import argparse
import csv
import hashlib
import math
import multiprocessing
import re
from datetime import date, timedelta
from pathlib import Path
from random import Random

SEED = "gongkai-bench-1"
# 62 days before the reference state of GB 3095-2012 changed (2018-09-01), so that both states occur.
FIRST_DAY = date(2018, 7, 1)
CITIES = 360
CODES = Path(__file__).resolve().parents[2] / "catalog" / "codes"

HEADER = "date,hour,城市,AQI,PM2.5,PM2.5_24h,PM10,PM10_24h,SO2,SO2_24h,NO2,NO2_24h,O3,O3_24h,O3_8h,O3_8h_24h,CO,CO_24h"
MUNICIPALITIES = ("110000", "120000", "310000", "500000")
# Provinces whose county-level cities stand in the real files beside the prefectures.
PROVINCES_WITH_COUNTY_CITIES = ("32", "33", "37")
PEOPLES = (
    "朝鲜族|土家族|苗族|藏族|羌族|彝族|布依族|侗族|哈尼族|壮族|傣族|白族|景颇族|傈僳族|回族|蒙古族|蒙古|哈萨克|柯尔克孜"
)

# Share of blank cells and of absent lines in eleven real files.
BLANK = 0.004
BLANK_PM10 = 0.018
ABSENT = 0.005

WHOLE = [f"{number}.0" for number in range(1001)]
HUNDREDTHS = [repr(number / 100) for number in range(1001)]


def printed_name(region, short_forms, districts):
    """A region's name as the real files print it: without 市, autonomous prefectures without their peoples."""
    name = region["name"]
    short = short_forms.get(region["region_code"])
    # 巴州 is also a district of 巴中; the real files print no such name.
    if short and f"{short}区" not in districts:
        return short
    if name.endswith("自治州"):
        return re.sub(f"({PEOPLES})+$", "", name.removesuffix("自治州")) + "州"
    return name.removesuffix("市")


def cities():
    """Names and codes in the order of the real files, which is that of code points."""
    with open(CODES / "region_names.csv", encoding="utf-8", newline="") as file:
        short_forms = {row["region_code"]: row["name"] for row in csv.DictReader(file) if row["kind"] == "short"}
    municipalities, prefectures, counties, districts = [], [], [], set()
    with open(CODES / "regions.csv", encoding="utf-8", newline="") as file:
        for region in csv.DictReader(file):
            # The whole of the generated time, so that a name has one code in all files.
            if region["region_kind"] != "admin" or region["valid_to"] or region["valid_from"] > "2018-07-01":
                continue
            if region["region_code"] in MUNICIPALITIES:
                municipalities.append(region)
            elif region["tier"] == "city":
                prefectures.append(region)
            elif region["name"].endswith("区"):
                districts.add(region["name"])
            elif region["tier"] == "county" and region["name"].endswith("市"):
                if region["region_code"].startswith(PROVINCES_WITH_COUNTY_CITIES):
                    counties.append(region)
    chosen, seen = [], set()
    for region in municipalities + prefectures + counties:
        name = printed_name(region, short_forms, districts)
        if len(chosen) < CITIES and name not in seen:
            seen.add(name)
            chosen.append((name, region["region_code"]))
    if len(chosen) != CITIES:
        raise SystemExit(f"{CODES / 'regions.csv'} gives {len(chosen)} cities, expected {CITIES}")
    return sorted(chosen)


def levels(name):
    """A city's usual PM2.5, coarse part of PM10, SO2, NO2, O3 and CO (in hundredths of mg/m³)."""
    draw = Random(f"{SEED}/{name}").random
    dirt = 0.4 + 1.6 * draw()
    coarse, so2, o3 = dirt * (10 + 50 * draw()), 4 + dirt * 8 * draw(), 50 + 40 * draw()
    return dirt * 32, coarse, so2, 8 + dirt * 18, o3, 40 + dirt * 45


def lines_of_day(day, names, usual):
    """The lines of one file, without its header."""
    draw = Random(f"{SEED}/{day.isoformat()}").random
    # Winter is dirtier, summer has more ozone.
    season = math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365)
    winter, summer = 1 + 0.45 * season, 1 - 0.45 * season
    weather = 0.6 + 0.9 * draw()
    now, mean = [], []
    for fine, coarse, so2, no2, o3, co in usual:
        dust = winter * weather
        level = [fine * dust, coarse * dust, so2 * winter, no2 * winter, o3 * summer, co * winter]
        now.append([value * (0.7 + 0.6 * draw()) for value in level])
        mean.append([value * (0.9 + 0.2 * draw()) for value in level] + [level[4] * 1.3, level[4] * 1.2])
    text, hundredths = WHOLE, HUNDREDTHS
    stamp = day.strftime("%Y%m%d")
    for hour in range(24):
        sun = 1 + 0.5 * math.sin(2 * math.pi * (hour - 9) / 24)
        for index, name in enumerate(names):
            state, slow, base = now[index], mean[index], usual[index]
            for item, pull in enumerate((winter * weather, winter * weather, winter, winter, summer * sun, winter)):
                level = base[item] * pull
                value = state[item] + 0.25 * (level - state[item]) + level * 0.5 * (draw() - 0.5)
                state[item] = value = min(max(value, 1.0), 900.0)
                slow[item] += (value - slow[item]) / 24
            fine, coarse, so2, no2, o3, co = state
            slow[6] = max(o3, slow[6] * 0.995)
            slow[7] = max(slow[4], slow[7] * 0.995)
            if draw() < ABSENT:
                continue
            pm10 = min(fine + coarse, 999.0)
            eight = slow[4] + 0.4 * (o3 - slow[4])
            index_value = min(max(fine * 1.4, pm10 * 0.8, o3 * 0.5), 500.0)
            cells = [
                text[int(index_value)], text[int(fine)], text[int(slow[0])], text[int(pm10)],
                text[int(min(slow[0] + slow[1], 999.0))], text[int(so2)], text[int(slow[2])], text[int(no2)],
                text[int(slow[3])], text[int(o3)], text[int(slow[6])], text[int(eight)], text[int(slow[7])],
                hundredths[int(co)], hundredths[int(slow[5])],
            ]  # fmt: skip
            if draw() < BLANK_PM10:
                cells[3] = ""
            # Columns of 24 hours keep their value where the hour is blank.
            if draw() < 6 * BLANK:
                cells[(0, 1, 5, 7, 9, 13)[int(draw() * 6)]] = ""
            yield f"{stamp},{hour},{name},{','.join(cells)}\n"


def write_day(task):
    """Writes one file; gives its name, SHA-256, lines and cells."""
    folder, number, named = task
    day = FIRST_DAY + timedelta(days=number)
    names = [name for name, _ in named]
    lines = list(lines_of_day(day, names, [levels(name) for name in names]))
    content = ("\ufeff" + HEADER + "\n" + "".join(lines)).encode()
    path = folder / f"china_cities_{day:%Y%m%d}.csv"
    path.write_bytes(content)
    return path.name, hashlib.sha256(content).hexdigest(), len(lines), len(lines) * 15


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path, help="gets inbox/*.csv, cities.csv (name, code) and SHA256SUMS")
    arguments.add_argument("--files", type=int, default=420)
    options = arguments.parse_args()
    inbox = options.folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    for old in inbox.glob("china_cities_*.csv"):
        old.unlink()
    named = cities()
    with open(options.folder / "cities.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["city", "region_code"])
        writer.writerows(named)
    with multiprocessing.Pool() as pool:
        days = pool.map(write_day, [(inbox, number, named) for number in range(options.files)], chunksize=1)
    sums = "".join(f"{digest}  inbox/{name}\n" for name, digest, _, _ in days)
    (options.folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(f"files  {len(days)}")
    print(f"lines  {sum(day[2] for day in days)}")
    print(f"cells  {sum(day[3] for day in days)}")
    print(f"digest {hashlib.sha256(sums.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
