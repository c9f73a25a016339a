"""What was measured as a table, as Markdown and as JSON."""

import argparse
import json
import statistics
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What interface.md and README.md name as to be reached; a ratio of at most 1 means not slower than the peer.
TO_REACH = [
    ("debt of one region, p50", "under 2 ms"),
    ("debt of one region, 8 clients", "roapi, datasette < 1"),
    ("start, first answer", "under 1 s"),
    ("CSV of", "duckdb <= 1"),
    ("stored Parquet file", "nginx <= 1"),
]
AGGREGATION = "duckdb <= 1"


def percentile(values: list[float], percent: int) -> float:
    """The value that so many per cent are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def shown(value: float, unit: str) -> str:
    """A value with its unit."""
    if unit == "bytes":
        return f"{value / 2**20:,.0f} MiB"
    if unit == "per_second":
        return f"{value:,.0f}/s"
    return f"{value * 1000:,.2f} ms" if value < 1 else f"{value:,.2f} s"


def ratio(ours: float, theirs: float, unit: str) -> float:
    """Time of gongkai over time of the peer, also where answers per second were counted; of memory the same."""
    return theirs / ours if unit == "per_second" else ours / theirs


def medians(results: list[dict]) -> dict[tuple[str, str, str], tuple[float | str, str]]:
    """By section, measure and system: the median of the rounds with its unit, or why there is none."""
    groups: dict[tuple[str, str, str], list[dict]] = {}
    for result in results:
        groups.setdefault((result["section"], result["measure"], result["system"]), []).append(result)
    found = {}
    for key, group in groups.items():
        errors = [result["error"] for result in group if "error" in result]
        value = errors[0] if errors else statistics.median(result["value"] for result in group)
        found[key] = (value, group[0]["unit"])
    return found


def cells(key: tuple[str, str], systems: list[str], found: dict) -> list[str]:
    """A line: gongkai, then each peer with the ratio to it."""
    ours, unit = found.get((*key, "gongkai"), ("", ""))
    line = [ours if isinstance(ours, str) else shown(ours, unit)]
    for system in systems:
        theirs, _ = found.get((*key, system), ("", ""))
        if isinstance(theirs, str):
            line.append(theirs[:40])
        elif isinstance(ours, str):
            line.append(shown(theirs, unit))
        else:
            line.append(f"{shown(theirs, unit)} ({ratio(ours, theirs, unit):.2f})")
    return line


def to_reach(measure: str, unit: str, kept: set[str]) -> str:
    """What is to be reached."""
    named = next((text for start, text in TO_REACH if measure.startswith(start)), "")
    return named or (AGGREGATION if measure in kept and unit == "s" else "")


def tables(results: list[dict], aggregations: set[str]) -> list[tuple[str, list[list[str]]]]:
    """Title and lines of each section, the heading first."""
    found, made = medians(results), []
    for section in dict.fromkeys(result["section"] for result in results):
        here = [result for result in results if result["section"] == section]
        systems = [name for name in dict.fromkeys(result["system"] for result in here) if name != "gongkai"]
        systems.sort(key=["duckdb", "roapi", "roapi-memory", "datasette", "nginx", "http.server"].index)
        lines = [["", "gongkai", *(f"{name} (ratio)" for name in systems), "to reach"]]
        for measure, unit in dict.fromkeys((result["measure"], result["unit"]) for result in here):
            line = cells((section, measure), systems, found)
            lines.append([measure, *line, to_reach(measure, unit, aggregations)])
        made.append((section, lines))
    return made


def about(settings, options: argparse.Namespace) -> dict[str, object]:
    """What was compared, how."""
    said = subprocess.run([settings.gongkai, "--version"], capture_output=True, text=True, check=True)
    versions = {"gongkai": said.stdout.strip()}
    for package in ("duckdb", "roapi", "datasette"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed, left out"
    return {
        "date": time.strftime("%Y-%m-%d"),
        "versions": versions,
        "threads": options.threads,
        "rounds": options.rounds,
        "memory_of_duckdb": options.memory,
        "is_quick": options.quick,
    }


def write(folder: Path, results: list[dict], told: dict[str, object], disagreements: list[str]) -> None:
    """Prints the tables, and writes results.json and results.md."""
    from statements import AGGREGATIONS

    made = tables(results, {question.title for question in AGGREGATIONS})
    markdown = [f"# Doors, {told['date']}", "", *(f"- {name}: {value}" for name, value in told.items()), ""]
    for title, lines in made:
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        print(f"\n{title}")
        for line in lines:
            print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        markdown += [f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""]
        markdown.insert(len(markdown) - len(lines), "|" + "---|" * len(widths))
    for text in disagreements:
        print(text)
    markdown += [f"- {text}" for text in disagreements]
    (folder / "results.md").write_text("\n".join(markdown) + "\n", encoding="utf-8")
    whole = {"about": told, "results": results, "disagreements": disagreements}
    (folder / "results.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")
    print("\na ratio is the time or memory of gongkai over that of the peer: below 1 gongkai is faster or smaller")
    print(f"{folder / 'results.md'}, {folder / 'results.json'}")
