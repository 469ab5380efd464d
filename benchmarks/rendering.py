"""Rendering the draft of a text of the seed's shape: PDF cold and warm, HTML warm, in milliseconds."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from documents.reading import read_text
from documents.rendering import Stage, render_html, render_pdf
from documents.rendering.word import render_docx
from models.content import BudgetText, content_hash

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Prints cold and warm times; warm runs each have a content of their own, so that nothing whole is cached."""
    seed = Path(os.environ.get("JIXIAO_SEED", ROOT.parent / "shared" / "seed-2021-kexie.txt"))
    path = seed if seed.is_file() else ROOT / "examples" / "library-2021.txt"
    content = read_text(path.read_bytes()).content

    def stage(number: int) -> Stage:
        changed = content.model_copy(update={"title": f"{content.title}{number}"})
        return Stage("draft", changed, "benchmark", number, content_hash(changed), "草案", date(2021, 1, 1))

    times = []
    for number in range(1, 22):
        made = stage(number)
        began = time.perf_counter()
        render_pdf(made)
        times.append(time.perf_counter() - began)
    began = time.perf_counter()
    render_html(stage(99))
    html = time.perf_counter() - began
    print(
        f"{path.name}: PDF cold {times[0] * 1000:.0f} ms, warm {statistics.median(times[1:]) * 1000:.0f} ms; HTML {html * 1000:.0f} ms"
    )
    _word(content, stage(1))


def _word(content: BudgetText, made: Stage) -> None:
    """Word files of one text and of forty projects; the page numbers of the contents ask for a page to be set first."""
    first = content.projects[0]
    projects = tuple(
        first.model_copy(update={"id": f"p{number}", "name": f"{first.name}{number}"}) for number in range(1, 41)
    )
    big = replace(made, content=content.model_copy(update={"projects": projects}))
    for name, one in (("one text", made), ("40 projects", big)):
        times: dict[bool, list[float]] = {True: [], False: []}
        for numbered in (True, False) * 5:
            began = time.perf_counter()
            render_docx(one, numbered=numbered)
            times[numbered].append(time.perf_counter() - began)
        whole, alone = (statistics.median(times[numbered]) * 1000 for numbered in (True, False))
        print(f"Word, {name}: {alone:.0f} ms written, {whole:.0f} ms with the page numbers of the contents")
