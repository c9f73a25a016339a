"""The canonical form of an answer: what every door must agree on.

An answer is the names of its columns, then its rows in order; its digest is SHA-256 over one JSON array a line. A cell is
null where the value is missing and otherwise a text: decimals with all their digits, integers without a point, floating-point
numbers in the shortest form that reads back as the same, dates as `2024-05-01`, instants in UTC with microseconds, true and
false, lists as arrays of such texts. An empty text is a text.
"""

import hashlib
import json
from datetime import date, datetime, timezone
from decimal import Decimal

# First characters of what spreadsheets take for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def instant(value):
    """An instant in UTC; one without a zone is not accepted."""
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def cell(value):
    """The text of a value as a client has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [cell(item) for item in value]
    raise ValueError(f"{type(value).__name__} is not expected in an answer")


def read(text, kind):
    """The value of a text of CSV or JSON whose column has this type over HTTP. JSON writes a whole double like an integer."""
    if kind == "double" and text is not None:
        return float(text)
    if text is None or not isinstance(text, str):
        return text
    if kind.endswith("[]"):
        return json.loads(text)
    if kind in ("integer", "bigint"):
        return int(text)
    if kind.startswith("decimal"):
        return Decimal(text)
    if kind == "boolean":
        return {"true": True, "false": False}[text]
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "timestamp":
        return datetime.fromisoformat(text)
    return text


def canonical(names, rows):
    """Lines of the canonical form."""
    lines = [json.dumps(list(names), ensure_ascii=False)]
    lines.extend(json.dumps([cell(value) for value in row], ensure_ascii=False) for row in rows)
    return lines


def of_arrow(table):
    """The same of an Arrow table."""
    return canonical(table.column_names, zip(*(column.to_pylist() for column in table.columns)))


def unguarded(text):
    """A text without the apostrophe that CSV puts in front of what a spreadsheet would run."""
    is_guarded = text.startswith("'") and text.lstrip(" \"'").startswith(FORMULA_STARTS)
    return text[1:] if is_guarded else text


def digest(lines):
    """The digest of the canonical form."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def fields(text):
    """Rows of CSV. Python's own reader does not tell a missing value from an empty text, which is written `""`."""
    row, at = [], 0
    while at < len(text):
        if text[at] == '"':
            parts, at = [], at + 1
            while True:
                end = text.index('"', at)
                parts.append(text[at:end])
                at = end + 1
                if text[at : at + 1] != '"':
                    break
                parts.append('"')
                at += 1
            row.append("".join(parts))
        else:
            ends = [place for place in (text.find(",", at), text.find("\n", at)) if place >= 0]
            end = min(ends, default=len(text))
            row.append(text[at:end].removesuffix("\r") or None)
            at = end
        if text[at : at + 1] == ",":
            at += 1
            continue
        at += 2 if text[at : at + 2] == "\r\n" else 1
        yield row
        row = []
