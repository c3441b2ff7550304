"""`make bench [ONLY=P1,P3]`: measures, prints a table, writes bench/results.json and the table of README.md."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import Figure, as_json, table
from bench.plans import p1, p2, provider_mirror
from bench.scale import p4, p5
from bench.start import p10
from bench.sweep import p3
from bench.tools import t1, t2
from bench.workers import p8

ROOT = Path(__file__).resolve().parent.parent


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
            "P8": p8,
            "P10": lambda: p10(folder / "p10", 9),
            "T1": lambda: t1(folder / "t1", 5),
            "T2": lambda: t2(folder / "t2", 7),
        }
        figures: list[Figure] = []
        for id_, work in works.items():
            if only and id_ not in only:
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
    path = ROOT / "README.md"
    body = f"Measured on {time.strftime('%Y-%m-%d')}, two cores.\n\n{table(figures)}"
    marks = re.compile(r"(<!-- bench:begin -->\n).*?(\n<!-- bench:end -->)", re.DOTALL)
    path.write_text(marks.sub(lambda found: f"{found[1]}{body}{found[2]}", path.read_text()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
