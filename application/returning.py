"""A file that comes back into a text: read by its ids where it carries them, compared, and stored as one edit.

Nothing is stored by reading: whoever brings the file back sees the difference and the findings first. A file that was made of
an earlier version is refused with the places that changed on both sides, since what others wrote meanwhile would be undone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from application.access import read_version, reading, require_party
from application.comparing import Compared, Side, compare_sides
from application.editing import earlier_contents, replace_content
from application.installation import Request
from application.past import today
from application.stages import DRAFT, stage_of
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from documents.reading import read_file
from documents.reading.sources.kinds import SourceKind, kind_of
from documents.rendering import Stage
from documents.rendering.titles import title_in
from documents.returning import ReturnCode, returned, returned_form
from documents.returning.codes import returned_finding
from documents.returning.recognizing import recognized
from models.content import BudgetText, from_json, to_json
from models.engine import Work
from models.errors import Conflict, InvalidInput, NotFound
from models.findings import ReadingFinding
from models.identifiers import assign_ids
from models.places import anchor, changes
from models.readable import require_readable
from workflow.situation import TextRow

# More places than a person takes in at once; the rest is counted.
_MOST = 10


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says: the text, version and content hash that it names ("" and 0 where it names none), and how it reads.

    ``content`` makes the content in JSON, and the findings, of the stage that the file was made of and of all earlier contents.
    """

    text_id: str
    version: int
    content_hash: str
    content: Callable[[Stage, list[Any]], tuple[Any, tuple[ReadingFinding, ...]]]


@dataclass(frozen=True, slots=True)
class Return:
    """A file that was read for a text: the edited content, what was found, and the difference; nothing is stored yet."""

    text_id: str
    name: str
    data: bytes
    row_version: int
    version: int
    content: dict[str, Any]
    findings: tuple[dict[str, Any], ...]
    compared: Compared

    def to_json(self) -> dict[str, Any]:
        """The return as JSON: text, version, difference and findings."""
        return {
            "text": self.text_id,
            "version": self.version,
            "row_version": self.row_version,
            "comparison": self.compared.to_json(),
            "findings": list(self.findings),
        }


@use_case("text.compare")
def read_return(request: Request, text_id: str, data: bytes, *, name: str = "") -> Return:
    """What a file would make of the current version of a text.

    Raises InvalidInput for a file of another text or one that can't be read, Conflict for one of an earlier version.
    """
    file = _read(data, name)
    with reading(request, text_id) as (work, row):
        require_party(work, request, row)
        made_of, spoilt = _version_of(work, row, file)
        stage = stage_of(work, today(work, row), DRAFT, made_of)
        current = read_version(work, row)
        earlier = earlier_contents(work, row)
    if spoilt:
        file = _ordinary(data, name, ReturnCode.SPOILT)
    value, findings = file.content(stage, earlier)
    content = from_json(value)
    if made_of != row.current_version:
        with refusals_recorded(request, Act.TEXT_FIELD_UPDATE, ("text", text_id)):
            raise _overtaken(made_of, row.current_version, stage.content, current.content, content)
    edited = to_json(content)
    require_readable(edited)
    title = content.title or f"{content.fiscal_year}年部门预算绩效文本"
    compared = compare_sides(
        Side(f"{title} 第 {row.current_version} 版", current.content, row.id, row.current_version),
        Side(f"{title}（{name or '文件'}）", content, row.id),
    )
    return Return(
        text_id=text_id,
        name=name,
        data=data,
        row_version=row.row_version,
        version=row.current_version,
        content=edited,
        findings=tuple({**finding.to_json(), "anchor": anchor(edited, finding.place)} for finding in findings),
        compared=compared,
    )


def store_return(request: Request, found: Return, *, reason: str = "") -> dict[str, Any]:
    """Stores a return as a new version, with the file it came in; raises what an edit raises, Conflict among them."""
    shown = "".join(character for character in found.name if character.isprintable())[-100:]
    return replace_content(
        request,
        found.text_id,
        orjson.dumps(found.content),
        reason=reason or f"导回 {shown}".strip(),
        expected=found.row_version,
        source=found.data,
    )


def _read(data: bytes, name: str) -> Read:
    """A file by its kind: Word and Excel files of ours by their ids, everything else as any text is read."""
    if data.strip() and kind_of(data) is SourceKind.DOCX:
        form = returned_form(data)
        if form.kind == SourceKind.XLSX.value:
            return _workbook(data) or _ordinary(data, name, ReturnCode.NOT_OURS)
        if form.origin is not None and form.fields:
            origin = form.origin

            def by_controls(stage: Stage, earlier: list[Any]) -> tuple[Any, tuple[ReadingFinding, ...]]:
                made = returned(form, stage, earlier)
                return made.content, made.findings

            return Read(origin.text_id, origin.version, origin.content_hash, by_controls)
        if form.origin is not None and form.untagged:
            # Seen of LibreOffice 7.4: it also writes the words of such controls several times over.
            raise InvalidInput(
                "文件里各处的标识丢失了：多半是用不支持内容控件的软件（如旧版 LibreOffice）保存的，文字也可能重复；"
                "请重新生成文件，用 Word 或 WPS 修改。"
            )
        if form.kind == SourceKind.DOCX.value:
            lost = form.spoilt or form.origin is not None
            return _ordinary(data, name, ReturnCode.SPOILT if lost else ReturnCode.NOT_OURS)
    return _ordinary(data, name, ReturnCode.NOT_OURS)


def _workbook(data: bytes) -> Read | None:
    """An Excel file of ours; None for any other."""
    from documents.reading.returned_workbook import returned_workbook

    try:
        # What it names is read first, with nothing to compare: its rows are read when the text is known.
        about = returned_workbook(data, BudgetText(fiscal_year=2000))
    except InvalidInput:
        return None

    def by_rows(stage: Stage, earlier: list[Any]) -> tuple[Any, tuple[ReadingFinding, ...]]:
        made = returned_workbook(data, stage.content, earlier=earlier)
        return to_json(made.content), made.findings

    if not (about.version.isascii() and about.version.isdigit()):
        return None
    return Read(about.text_id, int(about.version), about.content_hash, by_rows)


def _ordinary(data: bytes, name: str, code: ReturnCode) -> Read:
    """A file without ids (or with ids that are not to be trusted), read like any other and recognized by its words."""

    def by_words(stage: Stage, earlier: list[Any]) -> tuple[Any, tuple[ReadingFinding, ...]]:
        base = to_json(stage.content)
        result = read_file(data, name, fiscal_year=stage.content.fiscal_year)
        lost = "文件里文本的编号、版次或控件已被改动或丢失" if code is ReturnCode.SPOILT else "文件不带文本的编号"
        reason = f"{lost}，按一般文件读取，各项按名称和相似程度与原文本对应；请仔细核对差异。"
        told = returned_finding(code, "", name[-80:], reason, 0.6)
        value = assign_ids(recognized(base, to_json(result.content)), [base, *earlier])
        return value, (told, *result.findings)

    return Read("", 0, "", by_words)


def _version_of(work: Work, row: TextRow, file: Read) -> tuple[int, bool]:
    """The version that a file was made of, and whether what it says of itself can't be true."""
    if not file.version:
        return row.current_version, False
    if file.text_id != row.id:
        raise InvalidInput(
            f"这个文件是文本 {file.text_id or '（没有编号）'} 的，不是 {row.id} 的；请核对 --into，或选对文件。",
            text=file.text_id,
        )
    try:
        found = read_version(work, row, file.version)
    except NotFound:
        return row.current_version, True
    if found.content_hash != file.content_hash:
        return row.current_version, True
    return file.version, False


def _overtaken(made_of: int, current: int, base: BudgetText, newest: BudgetText, edited: BudgetText) -> Conflict:
    """The refusal of a file of an earlier version, with the places that changed on both sides."""
    old, now = to_json(base), to_json(newest)
    theirs = [place for place, _, _ in changes(old, now)]
    mine = [place for place, _, _ in changes(old, to_json(edited))]
    both = [place for place in mine if any(_touch(place, other) for other in theirs)]
    named = "；".join(title_in(old, place) for place in both[:_MOST])
    more = f" 等 {len(both)} 处" if len(both) > _MOST else ""
    told = f"两边都改了：{named}{more}。" if both else "两边没有改到同一处。"
    return Conflict(
        f"文件是按第 {made_of} 版做的，而文本已到第 {current} 版。{told}"
        f"请重新生成第 {current} 版的文件，把您的修改移过去再导入。",
        made_of=made_of,
        version=current,
        both=both,
    )


def _touch(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
