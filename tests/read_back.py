"""Reads released values back at their recorded address, with readers that are not the product's.

    read_back.py DATA < ROWS

DATA is a warehouse. ROWS has one JSON object a line: the columns of a released row, its `table`, the `figure` column of
that table, the `source_format` and the `source_name`. Each row's cell is read in the kept source file (openpyxl for
xlsx, xlrd for xls, html.parser for pages, plain text otherwise), its text must say what `raw_text` says, and the
released value must follow from it by the arithmetic below. Prints one line for each row that does not agree, and the
number of those that do.
"""

import json
import re
import sys
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

# Yuan in one published unit.
YUAN = {"yuan": 1, "wan_yuan": 10_000, "million_yuan": 1_000_000, "yi_yuan": 100_000_000}

# Full-width signs and the plain ones that they stand for.
SIGNS = str.maketrans("０１２３４５６７８９．，－＋\u2212", "0123456789.,-+-")

# A number as it is printed; a sign between two numbers, as in 236.84+68.35, is of neither.
NUMBER = re.compile(r"(?:(?<!\d)[-+])?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?")

# How a released number follows from the printed one.
CONVERSION = re.compile(r"(?:100 ([+-]) )?(-?[\d.]+)(?: \S+ × ([\d.]+))?(?:，舍入到(?:(分)| (\d+) 位小数))?")

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
def text_of(sha256):
    content = source(sha256).read_bytes()
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    raise ValueError("neither UTF-8, UTF-16 nor GB18030")


@lru_cache
def lines(sha256):
    return re.split(r"\r\n|\r|\n", text_of(sha256))


class Tables(HTMLParser):
    """The tables of a page in the order of their start tags, each a dictionary of texts by (row, column)."""

    def __init__(self):
        super().__init__()
        self.tables = []
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append({"cells": {}, "taken": set(), "row": 0, "at": None})
            self.open.append(self.tables[-1])
        table = self.open[-1] if self.open else None
        if table is None:
            return
        if tag == "tr":
            table["row"] += 1
            table["at"] = None
        elif tag in ("td", "th"):
            table["row"] = max(table["row"], 1)
            spans = dict(attributes)
            rows, columns = (int(re.sub(r"\D", "", spans.get(name) or "1") or 1) for name in ("rowspan", "colspan"))
            column = 1
            while (table["row"], column) in table["taken"]:
                column += 1
            across = range(column, column + max(columns, 1))
            table["taken"].update((table["row"] + down, at) for down in range(max(rows, 1)) for at in across)
            table["at"] = (table["row"], column)
            table["cells"][table["at"]] = ""
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag):
        if tag == "table" and self.open:
            self.open.pop()
        elif tag in ("td", "th") and self.open:
            self.open[-1]["at"] = None

    def handle_data(self, data):
        # What stands in a table of one cell is text of the cell around it as well.
        for table in self.open:
            if table["at"]:
                table["cells"][table["at"]] += data


@lru_cache
def tables(sha256):
    parser = Tables()
    parser.feed(text_of(sha256))
    parser.close()
    return parser.tables


def split_address(address):
    letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", address).groups()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(digits), column


def cell_of(row):
    """What the row's cell holds, read at its address: a text, or a number that a workbook stores as one."""
    sha256, address = row["source_sha256"], row["source_cell"]
    value = None
    match row["source_format"]:
        case "xlsx":
            value = workbook(sha256)[row["source_sheet"]][address].value
        case "xls":
            line, column = split_address(address)
            value = old_workbook(sha256).sheet_by_name(row["source_sheet"]).cell_value(line - 1, column - 1)
        case "html" if row["source_sheet"]:
            table = tables(sha256)[int(row["source_sheet"].removeprefix("table ")) - 1]
            value = table["cells"].get(split_address(address))
        case form:
            line, character = map(int, address.split(":"))
            whole = lines(sha256)[line - 1]
            if row["raw_text"].count("\n"):
                # Figures of which it cannot be said which is whose stand on several lines.
                whole = "\n".join(lines(sha256)[line - 1 : line + row["raw_text"].count("\n")])
            return at(form, whole, character - 1, row["raw_text"])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # A workbook keeps fifteen digits; what a binary number has beyond them was never typed.
        return Decimal(f"{value:.15g}")
    return "" if value is None else str(value)


def at(form, line, start, raw):
    """The text of the cell that begins at a character of a line."""
    rest = line[start:]
    if form == "json":
        if rest.startswith('"'):
            return json.JSONDecoder().raw_decode(rest)[0]
        return re.match(r"[^,\s\]}\"]*", rest)[0]
    if form == "csv":
        if rest.startswith('"') or line[max(start - 1, 0) : start] == '"':
            return re.match(r'"?((?:[^"]|"")*)', rest)[1].replace('""', '"')
        return re.split(r"[,;\t]", rest)[0]
    # A record of prose, of a printed table or of a page's text: the figure is printed there, and something follows.
    printed = rest[: len(raw)]
    if plain(printed) != plain(raw):
        return re.split(r"[<&]", rest)[0]
    # It is a whole number, not the end or the beginning of a longer one, and no sign before it is left out.
    whole = [found[0] for found in NUMBER.finditer(line.translate(SIGNS)) if found.start() <= start < found.end()]
    return whole[0] if whole and number(raw) is not None else printed


def plain(text):
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def number(text):
    """The number that a cell prints: full-width signs are plain ones, commas part groups of three, all else is none."""
    text = text.translate(SIGNS).strip().strip("\u200b\u200c\u200d\u2060\ufeff").strip()
    if NUMBER.fullmatch(text) is None:
        return None
    return Decimal(text.replace(",", ""))


def rounded(value, decimals):
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def expected(row, printed):
    """The released value as it must follow from the printed number."""
    unit = row.get("published_unit")
    if row["figure"] in ("amount_yuan", "bond_size_yuan"):
        # What is no money, such as a share or a count, has no amount.
        return rounded(printed * YUAN[unit], 2) if unit in YUAN else None
    if row["figure"] == "index_value" or row["table"] == "price_index_monthly":
        value = 100 + printed if unit == "percent" else printed
        # Digits that are cut have to be named.
        return rounded(value, 4) if rounded(value, 4) == value or "舍入" in (row["conversion"] or "") else value
    return printed


def is_told(row, printed):
    """Whether a text like `12.5 亿元 × 100000000` or `100 - 0.3` leads from the printed number to the released one."""
    found = CONVERSION.fullmatch(row["conversion"] or "")
    if found is None:
        return False
    sign, figure, factor, cents, decimals = found.groups()
    unit, released = row.get("published_unit"), row[row["figure"]]
    if Decimal((sign or "") + figure) != printed or (factor and Decimal(factor) != YUAN.get(unit)):
        return False
    if released is None:
        return True
    released = Decimal(str(released))
    value = (100 if sign else 0) + printed * Decimal(factor or 1)
    kept = -released.as_tuple().exponent
    cut = 2 if cents else int(decimals) if decimals else None
    # Digits that are cut are named, and none are named that are not.
    return rounded(value, kept) == released and cut == (None if released == value else kept)


def beside(row, printed):
    """What does not follow from the printed number in the columns beside the figure, if anything."""
    published = row.get("published_value")
    if "published_value" in row and (published is None or Decimal(published) != rounded(printed, 12)):
        return f"the published value {published}"
    if "conversion" in row and not is_told(row, printed):
        return f"the conversion {row['conversion']!r} to {row[row['figure']]}"
    return None


def county_fault(row):
    """Why a county of a list does not agree with its cell, which names all counties of its province in that year."""
    text = plain(cell_of(row)).replace("(", "、").replace(")", "、")
    names = [row["region_name"], row["other_name"] or row["region_name"]]
    # Lists leave out 县 and the nation of an autonomous county.
    if not any(name and any(plain(known).startswith(name[:2]) for known in names) for name in text.split("、")):
        return f"the cell {text!r} names neither of {names}"
    year = re.match(r"20\d\d", row["source_sheet"]) or re.search(r"20\d\d", row["source_name"])
    if year is None or year[0] != row["raw_text"] or int(year[0]) != row["exit_year"]:
        return f"the year {row['raw_text']} is not that of the sheet or the file {row['source_name']!r}"
    return None


def fault(row):
    """Why the row does not agree with its cell."""
    raw = row["raw_text"]
    if row.get("is_nil"):
        # The sentence that a table holds no data stands below the title that the address names.
        line, character = map(int, row["source_cell"].split(":"))
        below = "".join([lines(row["source_sha256"])[line - 1][character - 1 :], *lines(row["source_sha256"])[line:]])
        if row[row["figure"]] is not None:
            return f"the table holds no data, the released value is {row[row['figure']]}"
        return None if plain(raw) in plain(below) else f"the sentence {raw!r} is not there"
    cell = cell_of(row)
    text = format(cell, "f") if isinstance(cell, Decimal) else cell
    if row["table"] == "poverty_county" and number(text) is None:
        return county_fault(row)
    found = number(text)
    # A number of a workbook has no digits of its own; all else is there as it is written.
    if cell != number(raw) if isinstance(cell, Decimal) else plain(text) != plain(raw):
        return f"the cell says {text!r}, the raw text {raw!r}"
    released = row[row["figure"]]
    if (row["value_state"] == "value") != (found is not None):
        return f"the cell says {text!r}, the state is {row['value_state']}"
    if found is None:
        return f"the cell {text!r} is no number, the released value is {released}" if released is not None else None
    due = expected(row, found)
    if (released is None) != (due is None) or (due is not None and due != Decimal(str(released))):
        return f"the cell says {text!r}, which is not the released {released}"
    wrong = beside(row, found)
    return f"the cell says {text!r}, which does not give {wrong}" if wrong else None


agreed = 0
for line in sys.stdin:
    row = json.loads(line)
    place = f'{row["table"]} {row["release_id"]} row {row["row_no"]}, {row["source_sheet"]} {row["source_cell"]}'
    why = fault(row)
    if why is None:
        agreed += 1
    else:
        print(f"{place}: {why}")
print(f"{agreed} agree")
