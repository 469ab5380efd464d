"""A budget text from a file of any kind: the kind by its bytes, the neutral form in a process of its own, the content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from documents.reading.assembling import Reading, assembled, read_text
from documents.reading.coverage import Coverage
from documents.reading.decoding import MAX_BYTES, Encoding
from documents.reading.finding_codes import FindingCode, finding
from documents.reading.layout_files import FormKind, Layout
from documents.reading.lines import MAX_LINES
from documents.reading.outline import ContentsEntry
from documents.reading.sources.isolation import Limits, isolated_form
from documents.reading.sources.kinds import CONVERTED, SourceKind, kind_of
from documents.reading.sources.office_conversion import SECONDS, converted
from documents.reading.transcript import transcript_of
from models.content import BudgetText
from models.errors import InvalidInput
from models.findings import ReadingFinding

# Pictures make Word files and scans large; a text alone is never as large.
MAX_FILE_BYTES: Final = 50 * 1024 * 1024
_SHEETS: Final = frozenset({SourceKind.XLSX, SourceKind.XLS, SourceKind.ODS})
_ENDINGS: Final = {
    ".txt": SourceKind.TEXT,
    ".docx": SourceKind.DOCX,
    ".doc": SourceKind.DOC,
    ".xlsx": SourceKind.XLSX,
    ".xls": SourceKind.XLS,
    ".ods": SourceKind.ODS,
    ".odt": SourceKind.ODT,
    ".pdf": SourceKind.PDF,
    ".html": SourceKind.HTML,
    ".htm": SourceKind.HTML,
    ".rtf": SourceKind.RTF,
}


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A file as it was read.

    ``kind`` is what the file is by its bytes; ``encoding`` is None where it is no plain text; ``coverage`` says how much of
    the source found a place; ``form`` is what it is by its words, ``layout`` the layout it was read by; ``pages`` is the page of each line that findings count (empty where there are no pages).
    """

    content: BudgetText
    findings: tuple[ReadingFinding, ...]
    contents: tuple[ContentsEntry, ...]
    kind: SourceKind
    encoding: Encoding | None
    coverage: Coverage
    pages: tuple[int, ...] = ()
    form: FormKind = FormKind.BUDGET_TEXT
    layout: str = ""

    def page(self, item: ReadingFinding) -> int | None:
        """The page that a finding's line stands on, None where it is not known."""
        at = (item.line or 0) - 1
        return (self.pages[at] or None) if 0 <= at < len(self.pages) else None


def read_file(
    data: bytes,
    name: str = "",
    *,
    fiscal_year: int | None = None,
    department: str | None = None,
    layouts: Sequence[Layout] | None = None,
    limits: Limits | None = None,
) -> ReadResult:
    """The content of a budget text in any kind of file that can be read, with findings and coverage.

    ``data`` is the file, 50 MB at most (20 MB as plain text); ``name`` is only compared with the kind, never believed. Lines
    of findings count paragraphs and table rows where the file is no plain text. Raises InvalidInput, with one sentence that
    says what to do, for whatever can't be read within ``limits``.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InvalidInput(
            f"文件有 {len(data) / 1024 / 1024:.1f} MB，超过 {MAX_FILE_BYTES // 1024 // 1024} MB 的上限；请确认选对了文件，或拆成几份导入。",
            size=len(data),
        )
    if not data.strip():
        raise InvalidInput("文件是空的；请选择有内容的部门预算绩效文本。")
    kind = kind_of(data)
    if kind is SourceKind.TEXT:
        _refuse_length(max(data.count(b"\n"), data.count(b"\r")))
        return _result(read_text(data, fiscal_year=fiscal_year, department=department, layouts=layouts), kind, name)
    if kind is SourceKind.HTML and len(data) > MAX_BYTES:
        raise InvalidInput("网页超过 20 MB 的上限；请确认选对了文件。", size=len(data))
    limits = limits or Limits()
    source = data
    if kind not in CONVERTED:
        kind, form = isolated_form(data, kind, limits)
    else:
        form = None
    if form is None:
        source = converted(data, kind, seconds=max(SECONDS, limits.seconds))
        _, form = isolated_form(source, SourceKind.DOCX, limits)
    if form is None:
        raise InvalidInput("文件经 LibreOffice 转换后仍不是 Word 文件；请用 Word 或 WPS 另存为 docx 后导入。")
    transcript = transcript_of(form, sheets=kind in _SHEETS)
    _refuse_length(transcript.text.count("\n"))
    reading = assembled(
        transcript.text,
        fiscal_year=fiscal_year,
        department=department,
        layouts=layouts,
        before=transcript.findings,
        left_out=transcript.left,
    )
    return _result(reading, kind, name, pages=transcript.pages if form.pages else ())


def _refuse_length(lines: int) -> None:
    if lines > MAX_LINES:
        raise InvalidInput(
            f"文件有 {lines} 行，超过 {MAX_LINES} 行的上限；请确认选对了文件，或按部门拆成几份导入。", lines=lines
        )


def _result(reading: Reading, kind: SourceKind, name: str, pages: tuple[int, ...] = ()) -> ReadResult:
    findings = (*_name_findings(name, kind), *reading.findings)
    encoding = reading.encoding if kind is SourceKind.TEXT else None
    return ReadResult(
        reading.content,
        findings,
        reading.contents,
        kind,
        encoding,
        reading.coverage,
        pages,
        reading.form,
        reading.layout,
    )


def _name_findings(name: str, kind: SourceKind) -> tuple[ReadingFinding, ...]:
    """The remark on a name that says something else than the bytes do."""
    ending = PurePath(name).suffix.lower()
    named = _ENDINGS.get(ending)
    if named is None or named is kind:
        return ()
    reason = f"文件名以 {ending} 结尾，内容却是 {kind.value}；按内容读取。"
    return (finding(FindingCode.SOURCE_REMARK, "", name[-80:], reason, 1.0),)
