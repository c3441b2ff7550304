"""`make bench [ONLY=P1,P3] [LONG=1]`: measures, prints a table, writes bench/results.json and the table of README.md.

What takes longer than two minutes is left out unless it is named, or ``LONG`` is set.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

from bench.history import p9
from bench.measure import Figure, as_json, table
from bench.plans import p1, p2, provider_mirror
from bench.reaction import p7
from bench.rest import p6, p11
from bench.scale import p4, p5
from bench.start import p10
from bench.sweep import p3
from bench.tools import t1, t2
from bench.workers import p8

ROOT = Path(__file__).resolve().parent.parent
#: Minutes each: a million entries are made first, or thousands of stacks served.
LONG = {"P6", "P7", "P9", "P11"}


def main(words: list[str]) -> int:
    only = {word.upper() for word in (words[0].split(",") if words else [])}
    mirror = provider_mirror()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        works = {
            "P1": lambda: p1(folder / "p1", 7),
            "P2": lambda: p2(folder / "p2", 3, mirror) if mirror else _left_out("P2: no folder with the AWS provider"),
            "P3": lambda: p3(folder / "p3", 2),
            "P4": lambda: p4(folder / "p4", 11),
            "P5": lambda: p5(folder / "p5", 5),
            "P6": lambda: p6(folder / "p6"),
            "P7": lambda: p7(folder / "p7"),
            "P8": p8,
            "P9": lambda: p9(folder / "p9"),
            "P10": lambda: p10(folder / "p10", 9),
            "P11": lambda: p11(folder / "p11"),
            "T1": lambda: t1(folder / "t1", 5),
            "T2": lambda: t2(folder / "t2", 7),
        }
        figures: list[Figure] = []
        for id_, work in works.items():
            if (only and id_ not in only) or (id_ in LONG and not only and not os.environ.get("LONG")):
                continue
            print(f"{id_} …", flush=True)
            found = work()
            figures += found
            print(table(found), flush=True)
    print(f"\n{table(figures)}")
    if not only:
        (ROOT / "bench" / "results.json").write_text(as_json(figures))
        _write_readme(figures)
    return 0


def _left_out(why: str) -> list[Figure]:
    print(f"left out: {why}", flush=True)
    return []


def _write_readme(figures: list[Figure]) -> None:
    """Put the table into README.md; rows of what was left out this time stay as they are."""
    path = ROOT / "README.md"
    text = path.read_text()
    marks = re.compile(r"(<!-- bench:begin -->\n)(.*?)(\n<!-- bench:end -->)", re.DOTALL)
    before = marks.search(text)
    head, lines = (table(figures).splitlines()[:2], table(figures).splitlines()[2:])
    measured = {one.id for one in figures}
    kept = [line for line in (before[2] if before else "").splitlines() if (id_ := _id(line)) and id_ not in measured]
    rows = sorted([*kept, *lines], key=lambda line: (_id(line)[:1], int(_id(line)[1:])))
    body = "\n".join([f"Measured on {time.strftime('%Y-%m-%d')}, two cores.", "", *head, *rows])
    path.write_text(marks.sub(lambda found: f"{found[1]}{body}{found[3]}", text))


def _id(line: str) -> str:
    """Return whose row of the table a line is, empty where it is none."""
    found = re.match(r"\| ([A-Z]\d+) \|", line)
    return found[1] if found else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
