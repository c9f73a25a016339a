"""Reads released values back at their recorded address, with readers that are not the product's.

    read_back.py DATA < ROWS

DATA is a warehouse. ROWS has one JSON object a line: the columns of a released row and its `table`. Each row's cell is
read in the kept source file (openpyxl for xlsx, xlrd for xls, plain text otherwise), its text must say what `raw_text`
says, and the released value must follow from it by the arithmetic below. Prints one line for each row that does not
agree, and the number of those that do.
"""

import json
import re
import sys
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

# Yuan in one published unit.
YUAN = {"yuan": 1, "wan_yuan": 10_000, "million_yuan": 1_000_000, "yi_yuan": 100_000_000}

data = Path(sys.argv[1])


def source(sha256):
    return data / "sources" / sha256[:2] / sha256


@lru_cache
def workbook(sha256):
    import openpyxl

    return openpyxl.load_workbook(source(sha256).open("rb"), data_only=True)


@lru_cache
def old_workbook(sha256):
    import xlrd

    return xlrd.open_workbook(file_contents=source(sha256).read_bytes())


@lru_cache
def lines(sha256):
    content = source(sha256).read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding).split("\n")
        except UnicodeDecodeError:
            pass
    raise ValueError("neither UTF-8 nor GB18030")


def split_address(address):
    letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", address).groups()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(digits), column


def cell_text(row):
    """The text of the row's cell, read at its address."""
    sha256, address = row["source_sha256"], row["source_cell"]
    head = source(sha256).open("rb").read(4)
    if head == b"PK\x03\x04":
        value = workbook(sha256)[row["source_sheet"]][address].value
    elif head == b"\xd0\xcf\x11\xe0":
        line, column = split_address(address)
        value = old_workbook(sha256).sheet_by_name(row["source_sheet"]).cell_value(line - 1, column - 1)
    else:
        line, character = map(int, address.split(":"))
        rest = lines(sha256)[line - 1][character - 1 :]
        # A field of CSV or a value of JSON ends where its delimiter stands; none of these is quoted with one inside.
        return re.split(r"[,\r\]}]", rest)[0].strip().strip('"')
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def number(text):
    try:
        return Decimal(text.replace(",", "").replace("，", "").replace("−", "-").strip())
    except InvalidOperation:
        return None


def expected(row, printed):
    """The released value as it must follow from the printed number."""
    if "amount_yuan" in row:
        return (printed * YUAN[row["published_unit"]]).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if "index_value" in row:
        value = 100 + printed if row["published_unit"] == "percent" else printed
        rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
        # Digits that are cut have to be named.
        return rounded if rounded == value or "舍入" in (row["conversion"] or "") else value
    return printed


agreed = 0
for line in sys.stdin:
    row = json.loads(line)
    place = f'{row["table"]} {row["release_id"]} row {row["row_no"]}, {row["source_sheet"]} {row["source_cell"]}'
    text = cell_text(row)
    found, raw = number(text), number(row["raw_text"])
    released = next(row[name] for name in ("amount_yuan", "index_value", "value") if name in row)
    if text.strip() != row["raw_text"].strip() and (found is None or found != raw):
        print(f"{place}: the cell says {text!r}, the raw text {row['raw_text']!r}")
    elif found is None and released is not None:
        print(f"{place}: the cell {text!r} is no number, the released value is {released}")
    elif found is not None and (released is None or expected(row, found) != Decimal(str(released))):
        print(f"{place}: the cell says {text!r}, which is not the released {released}")
    else:
        agreed += 1
print(f"{agreed} agree")
