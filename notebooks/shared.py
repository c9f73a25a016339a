"""What the notebooks share: questions over HTTP, where the figures come from, a font with Chinese characters."""

import io
import json
import logging
import os
import urllib.error
import urllib.request

import matplotlib
import polars as pl
from matplotlib import font_manager

URL = os.environ.get("GONGKAI_URL", "http://127.0.0.1:8080").rstrip("/")

CHINESE_FONTS = [
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
]

pl.Config.set_fmt_str_lengths(80)
pl.Config.set_tbl_width_chars(160)

INK, ACCENT, PALE, WARM, COOL = "#22303f", "#1f4e8c", "#c9d6e8", "#b5482a", "#4f8a7b"


def ask(sql):
    """The answer to a question as a polars frame; amounts stay decimals. Over Parquet, so that types survive."""
    body = json.dumps({"sql": sql, "format": "parquet"}).encode()
    request = urllib.request.Request(f"{URL}/api/v1/sql", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return pl.read_parquet(io.BytesIO(answer.read()))
    except urllib.error.HTTPError as error:
        raise RuntimeError(error.read().decode()) from None
    except urllib.error.URLError as error:
        raise RuntimeError(f"{URL} does not answer ({error.reason}); start `gongkai up`, or set GONGKAI_URL") from None


def origin(*frames):
    """Dataset, release, publisher and licence of every row that is used; the frames have a column `release_id`."""
    used = pl.concat([frame.select("release_id") for frame in frames]).unique()
    listed = ", ".join(f"'{name}'" for name in sorted(used["release_id"]))
    return ask(
        f"""
        SELECT r.release_id, d.title_zh, d.publisher_zh, l.label_zh AS licence_zh, r.is_synthetic
        FROM catalog.release r
        JOIN catalog.dataset d ON d.dataset = r.dataset
        JOIN ref.licence l ON l.licence = d.licence
        WHERE r.release_id IN ({listed})
        ORDER BY r.dataset, r.number
        """
    )


def use_chinese_font():
    """Sets a font that has Chinese characters; ends with a plain message where none is installed."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [name for name in CHINESE_FONTS if name in installed]
    assert fonts, f"no Chinese font is installed; any of these will do: {', '.join(CHINESE_FONTS)}"
    # Some of these fonts have one weight only, and every text would say so.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    matplotlib.rcParams |= {
        "font.family": [fonts[0], "sans-serif"],
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.unicode_minus": False,
        "axes.titlesize": 13,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "figure.dpi": 110,
        "figure.constrained_layout.use": True,
    }


def name_sources(figure, origins):
    """Writes datasets, releases and licences below a figure, and says where figures were made for demonstration."""
    datasets = {}
    for row in origins.iter_rows(named=True):
        dataset, number = row["release_id"].rsplit(".", 1)
        datasets.setdefault((dataset, row["title_zh"], row["licence_zh"]), []).append(number)
    lines = [
        f"来源：{title}（{dataset}，发布 {'、'.join(numbers)}）；{licence}"
        for (dataset, title, licence), numbers in datasets.items()
    ]
    if origins["is_synthetic"].any():
        which = "全部" if origins["is_synthetic"].all() else "部分"
        lines.append(f"注意：{which}数字为演示而编制，不是公布的数字")
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=8.5, color="#5b6672")


def in_yi(amounts):
    """Yuan as 亿元, for drawing only: sums and comparisons stay decimals."""
    return [None if amount is None else float(amount) / 1e8 for amount in amounts]
