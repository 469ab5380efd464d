"""Checking: 40 projects, 1,000 files on all cores, and copies among 10,000 indicators; medians after a warm-up."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from application.checking import check_files
from documents.checking import DEFAULT, check
from documents.checking.corpus import Corpus, Entry, plain_words
from documents.reading import read_text
from models.content import BudgetText, from_json, to_json

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "examples" / "library-2021.txt"
# Characters of made-up words; a real description is about as long and as varied.
_WORDS = "开展组织乡镇群众培训讲座图书农技水利道路维修检测巡查补助发放资料宣传学校医院残疾儿童老人森林防火环境垃圾饮水安全设备采购"


def _seconds(function: Callable[[], object], runs: int) -> float:
    function()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def large_text(projects: int) -> BudgetText:
    """The sample with so many projects, each with words and ids of its own."""
    value = to_json(read_text(SAMPLE.read_bytes()).content)
    first = value["projects"][0]
    value["projects"] = [
        {
            **first,
            "id": f"p{n}",
            "name": f"{first['name']}{n}",
            "indicators": [{**item, "description": f"{item['description']}{n}"} for item in first["indicators"]],
        }
        for n in range(projects)
    ]
    return from_json(value)


def made_up_entries(count: int, *, alike: bool) -> list[Entry]:
    """Indicators of 100 departments: all different words but for a copy in a hundred, or all nearly alike."""
    rng = random.Random(20_210)
    entries: list[Entry] = []
    stem = "".join(rng.choices(_WORDS, k=30))
    for number in range(count):
        words = stem if alike else "".join(rng.choices(_WORDS, k=rng.randint(20, 60)))
        if alike:
            at = rng.randrange(len(words))
            words = words[:at] + rng.choice(_WORDS) + words[at + 1 :] + str(number % 97)
        elif number % 100 == 99:
            words = entries[rng.randrange(len(entries))].words + "等"
        entries.append(Entry(str(number % 100), f"部门{number % 100}", f"指标{number}", plain_words(words)))
    return entries


def _copies(entries: list[Entry]) -> int:
    corpus = Corpus(entries, similarity=95, length=12)
    return sum(corpus.copy_of(entry.words, entry.department) is not None for entry in entries)


def _folder(count: int, folder: Path) -> None:
    text = SAMPLE.read_text("utf-8")
    for number in range(count):
        changed = text.replace("青禾县公共图书馆", f"青禾县第{number}图书馆").replace(
            "612003", f"{100 + number % 900}003"
        )
        (folder / f"{number:04}.txt").write_text(changed.replace("馆长", f"馆长{number}"), "utf-8")


def main() -> None:
    """Prints milliseconds, texts per minute, and seconds."""
    large = large_text(40)
    print(f"check of 40 projects        {_seconds(lambda: check(large), 15) * 1000:8.1f} ms (figure 20)")
    for alike in (False, True):
        entries = made_up_entries(10_000, alike=alike)
        half = entries[:5_000]
        whole_time, half_time = _seconds(lambda e=entries: _copies(e), 3), _seconds(lambda e=half: _copies(e), 3)  # type: ignore[misc]
        kind = "nearly alike" if alike else "different   "
        print(
            f"10,000 indicators {kind}  {whole_time:8.2f} s (figure 5), {whole_time / half_time:.1f} x the time of 5,000; "
            f"{_copies(entries)} copies"
        )
    with tempfile.TemporaryDirectory() as name:
        _folder(1_000, Path(name))
        began = time.perf_counter()
        results = check_files([name], settings=DEFAULT)
        seconds = time.perf_counter() - began
        per_minute = 60 * len(results) / seconds
        print(
            f"{len(results)} files on {os.cpu_count()} cores      {seconds:8.1f} s, {per_minute:.0f} a minute (figure 1,000)"
        )
