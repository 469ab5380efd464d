"""Checking files without a database: read on all cores, compared with one another, a broken file being one line."""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Final

from documents.checking import CheckSettings, Surroundings, check
from documents.checking.corpus import Neighbours, department_key, neighbours
from documents.checking.positions import Lines
from documents.checking.report import Checked, Shown, in_order, shown, totals
from documents.checking.sarif import sarif
from documents.checking.worklist import worklist
from documents.reading import FormKind, Layout, ReadResult, load_layouts, read_file
from documents.reading.decoding import decoded
from models.content import BudgetText
from models.errors import InvalidInput, JixiaoError
from models.findings import ReadingFinding
from models.openable import require_no_pipe

__all__ = ["check_files", "files_in", "is_text_id", "sarif", "totals", "worklist"]

# What stands in a folder beside texts (pictures, scripts) is passed over; a file that is named is always read.
ENDINGS: Final = frozenset({".txt", ".docx", ".doc", ".pdf", ".xlsx", ".xls", ".ods", ".html", ".htm"})
LARGEST: Final = 64 * 1024 * 1024
# A new process costs as much as reading some texts, so a few are read in this one.
_FEW: Final = 8


_SELF_EVALUATION: Final = (
    "这是绩效自评表“{title}”，不是预算绩效文本，没有按文本的规则检查；请检查预算绩效文本，自评表作为附件保存。"
)


@dataclass(frozen=True)
class _Manner:
    """How the files of a run are read and judged, as it goes to each process."""

    settings: CheckSettings
    year: int | None = None
    department: str | None = None
    layouts: Path | None = None


@dataclass(frozen=True)
class _Examined:
    """What one process gives back of one file."""

    name: str
    content: BudgetText | None = None
    findings: tuple[Shown, ...] = ()
    read: tuple[ReadingFinding, ...] = ()
    text: str | None = None
    problem: str | None = None
    other: tuple[str, str] | None = None


def is_text_id(target: str) -> bool:
    """Whether something has the form of a stored text's id."""
    try:
        return str(uuid.UUID(target)) == target.lower()
    except ValueError:
        return False


def files_in(paths: Sequence[str]) -> list[str]:
    """The files that are named, and those in the folders that are named, with what lies in their folders.

    Raises InvalidInput for a path that does not exist, and where there is nothing to read.
    """
    found: list[str] = []
    for path in paths:
        place = Path(path)
        if place.is_dir():
            found += sorted(
                str(item)
                for item in place.rglob("*")
                if item.suffix.lower() in ENDINGS and item.is_file() and not item.name.startswith((".", "~$"))
            )
        elif place.exists():
            found.append(path)
        else:
            raise InvalidInput(f"没有文件或文件夹“{path}”；请检查路径。")
    if not found:
        raise InvalidInput(f"“{'、'.join(paths)}”里没有可以读取的文本文件（{'、'.join(sorted(ENDINGS))}）。")
    return list(dict.fromkeys(found))


def check_files(
    paths: Sequence[str],
    *,
    settings: CheckSettings,
    against: Sequence[str] = (),
    jobs: int | None = None,
    year: int | None = None,
    department: str | None = None,
    layouts: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Checked]:
    """The results in the order of the files; folders are searched.

    Each text is compared with the others, and with the files of ``against``, which are not reported themselves: with last
    year's text of its department, and with other departments' of its year. ``jobs`` processes read (default: one for each
    core); ``year`` goes before the year on the cover, ``department`` chooses where a file holds several, ``layouts`` is the folder of
    an organization's own layouts; ``progress`` is told how many files are done. Raises InvalidInput for a layout that is none.
    """
    files = files_in(paths)
    _layouts(layouts)
    beside = [path for path in files_in(against) if path not in set(files)] if against else []
    examined = _examine_all([*files, *beside], _Manner(settings, year, department, layouts), jobs, progress)
    texts = [(item.name, item.content) for item in examined if item.content is not None]
    around = _Around(texts, settings)
    results = []
    for item in examined[: len(files)]:
        if item.content is None:
            results.append(Checked(item.name, problem=item.problem, other=item.other))
            continue
        compared = check(item.content, settings=settings, surroundings=around.of(item.content), compares=True)
        lines = Lines(item.text) if item.text is not None and compared else None
        findings = in_order((*item.findings, *shown(item.content, compared, lines)))
        results.append(Checked(item.name, item.content.title, findings, item.read))
    return results


def _examine_all(
    files: Sequence[str], manner: _Manner, jobs: int | None, progress: Callable[[int], None]
) -> list[_Examined]:
    jobs = min(jobs or _cores(), len(files))
    if jobs == 1 or len(files) <= _FEW:
        return list(_counted((_examine(file, manner) for file in files), progress))
    done: dict[str, _Examined] = {}
    try:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            try:
                waiting = [pool.submit(_examine, file, manner) for file in files]
                for item in _counted((future.result() for future in as_completed(waiting)), progress):
                    done[item.name] = item
            except KeyboardInterrupt:
                # Whoever stops does not wait for the files that are still queued.
                pool.shutdown(wait=False, cancel_futures=True)
                for process in active_children():
                    process.kill()
                raise
    except BrokenProcessPool:
        # A file that takes a process down with it is one line of the report: whatever is left is read one by one.
        for file in files:
            if file not in done:
                done[file] = _examine_alone(file, manner)
                progress(len(done))
    return [done[file] for file in files]


def _cores() -> int:
    """The cores that this process may use; only Linux tells which those are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _counted(items: Iterator[_Examined], progress: Callable[[int], None]) -> Iterator[_Examined]:
    for number, item in enumerate(items, start=1):
        progress(number)
        yield item


def _examine_alone(file: str, manner: _Manner) -> _Examined:
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_examine, file, manner).result()
    except BrokenProcessPool:
        return _Examined(file, problem="读取这个文件时进程中断（可能内存不足）；请检查文件，或拆成几份。")


def _examine(file: str, manner: _Manner) -> _Examined:
    """One file read and held against the rules that look at no other text; never raises."""
    try:
        path = Path(file)
        reading, text = _read(path, manner)
        content = reading.content
        if reading.form is FormKind.SELF_EVALUATION:
            told = _SELF_EVALUATION.format(title=content.title[:60])
            return _Examined(file, other=(reading.form.value, told))
        findings = check(content, settings=manner.settings, surroundings=Surroundings(reading.findings), compares=False)
        lines = Lines(text) if text is not None and findings else None
        return _Examined(file, content, shown(content, findings, lines), reading.findings, text)
    except JixiaoError as error:
        if error.facts.get("form") == FormKind.LETTER.value:
            return _Examined(file, other=(FormKind.LETTER.value, error.message))
        return _Examined(file, problem=error.message)
    except OSError as error:
        return _Examined(file, problem=f"不能读取（{error.strerror}）；请检查权限。")
    except Exception as error:  # noqa: BLE001 -- one file must not end the run over a thousand; its line says what happened
        return _Examined(file, problem=f"程序不能处理这个文件（{type(error).__name__}）；请把文件交给维护者。")


@functools.cache
def _layouts(folder: Path | None) -> tuple[Layout, ...]:
    """The layouts of a run, once in each process."""
    return load_layouts(folder)


def _read(path: Path, manner: _Manner) -> tuple[ReadResult, str | None]:
    """A file's content, and the text in which its lines are counted; only a text file has lines that an editor shows."""
    require_no_pipe(path)
    with path.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InvalidInput(f"文件超过 {LARGEST // 1024 // 1024} MB；请确认选对了文件。")
    layouts = _layouts(manner.layouts)
    result = read_file(data, path.name, fiscal_year=manner.year, department=manner.department, layouts=layouts)
    return result, decoded(data)[0] if result.encoding is not None else None


class _Around:
    """The other texts of a run, by year: an index is made once for each year, and only where texts can be compared."""

    def __init__(self, texts: Sequence[tuple[str, BudgetText]], settings: CheckSettings) -> None:
        self._texts = texts
        self._settings = settings
        self._indexes: dict[int, Neighbours | None] = {}
        self._by_department: dict[tuple[str, int], BudgetText] = {}
        for _, text in texts:
            key = department_key(text.department)
            if key:
                self._by_department.setdefault((key, text.fiscal_year), text)

    def of(self, text: BudgetText) -> Surroundings:
        """What stands around one text."""
        key = department_key(text.department)
        return Surroundings(
            last_year=self._by_department.get((key, text.fiscal_year - 1)) if key else None,
            neighbours=self._neighbours(text.fiscal_year),
        )

    def _neighbours(self, year: int) -> Neighbours | None:
        if year not in self._indexes:
            own = [(name_of(text), text) for _, text in self._texts if text.fiscal_year == year]
            limits = self._settings.thresholds
            self._indexes[year] = (
                neighbours(own, similarity=limits.copy_similarity, length=limits.copy_length) if len(own) > 1 else None
            )
        return self._indexes[year]


def name_of(text: BudgetText) -> str:
    """What messages call a text of another department."""
    return f"{text.department.name or text.department.unit_name or '未写明部门'}{text.fiscal_year}年文本"
