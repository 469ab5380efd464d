"""Comparing: milliseconds, median of 20 after a warm-up; the figures of issue 5 are 30 ms for 5,400 characters, 100 ms for 40 projects."""

from __future__ import annotations

import copy
import os
import random
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from documents.comparing import compare_json, pieces
from documents.comparing.likeness import RECOGNITIONS
from documents.comparing.pages import Version, render_page
from documents.comparing.pairing import pair
from documents.comparing.rows import rows
from documents.reading import read_text
from models.content import to_json

ROOT = Path(__file__).parents[1]


def _median(function: Callable[[], object], runs: int = 20) -> float:
    function()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _edited(content: Any, seed: int) -> Any:
    """A copy with changes in every third text and value, and each table's rows in another order."""
    chance = random.Random(seed)
    result = copy.deepcopy(content)

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: member if name == "id" else change(member) for name, member in value.items()}
        if isinstance(value, list):
            return [change(member) for member in value]
        if isinstance(value, str) and len(value) > 12 and chance.random() < 0.4:
            at = chance.randrange(len(value) - 4)
            return value[:at] + "改动的文字" + value[at + 3 :]
        return value

    for project in result["projects"]:
        items = project["indicators"]
        items.insert(0, items.pop(len(items) // 2))
        project["indicators"] = [change(item) for item in items]
    return {name: member if name == "projects" else change(member) for name, member in result.items()}


def _whole(before: Any, after: Any, *, same_text: bool) -> object:
    found = rows(before, after, compare_json(before, after, same_text=same_text))
    return [row.paragraphs for row in found]


def main() -> None:
    """Prints the seed (where it is at hand) and the sample, 40 projects, a long text, and how pairing grows."""
    seed = Path(os.environ.get("JIXIAO_SEED", ROOT.parent / "shared" / "seed-2021-kexie.txt"))
    sample = ROOT / "examples" / "library-2021.txt"
    for name, path in (("seed", seed), ("sample", sample)):
        if not path.is_file():
            print(f"{name:12} not here")
            continue
        content = to_json(read_text(path.read_bytes()).content)
        other = _edited(content, 1)
        for kind, same in (("versions", True), ("texts", False)):
            took = _median(lambda c=content, o=other, s=same: _whole(c, o, same_text=s))  # type: ignore[misc]
            print(f"{name:12} {kind:9} {took:7.1f} ms")
    content = to_json(read_text(sample.read_bytes()).content)
    project = content["projects"][0]
    content["projects"] = [
        {**copy.deepcopy(project), "id": f"p{n}", "name": f"{project['name']}（{n}）", "code": f"99042121{n:013d}"}
        for n in range(1, 41)
    ]
    other = _edited(content, 2)
    compared = [_median(lambda s=same: _whole(content, other, same_text=s)) for same in (True, False)]  # type: ignore[misc]
    print(f"40 projects  versions  {compared[0]:7.1f} ms   texts {compared[1]:7.1f} ms")
    found = rows(content, other, compare_json(content, other))
    took = _median(lambda: render_page("side", Version("旧", "0" * 64), Version("新", "1" * 64), found), 5)
    print(f"40 projects  {len(found)} rows as a page {took:7.1f} ms")
    chance = random.Random(3)
    text = "".join(chance.choice("的一是在了有和人这中大为上个国我以要他") for _ in range(5_400))
    changed = "".join(chance.choice("变更") if chance.random() < 0.05 else character for character in text)
    print(f"5,400 characters without a stop, every twentieth changed {_median(lambda: pieces(text, changed)):7.1f} ms")
    times = []
    for size in (1_000, 2_000, 4_000):
        before = [{"id": f"a{n}", "name": f"{chr(0x4E00 + n)}{chr(0x4E01 + n)}培训人次"} for n in range(size)]
        after = [{"id": f"b{n}", "name": item["name"] + "数"} for n, item in enumerate(before)]
        times.append(_median(lambda b=before, a=after: pair(RECOGNITIONS["indicators"], b, a, by_id=True), 3))  # type: ignore[misc]
    ratios = " ".join(f"{later / earlier:.1f}" for earlier, later in pairwise(times))
    print(f"pairing by likeness 1,000 items {times[0]:.0f} ms; twice as many take {ratios} times as long (2 is linear)")
