"""The edited content of a Word file that comes back: what it says now, compared with what this program would write.

The file is never compared with the content itself but with a file made of it anew. So a field counts as changed only where a
person would see a change, and what is no field (labels, numbers of headings, the cover's lines) is known word by word:
anything else outside of the controls is reported and never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from documents.reading.sources.isolation import Limits, isolated_return
from documents.reading.sources.returned_files import read_returned
from documents.reading.sources.returned_form import ReturnedForm
from documents.rendering.stage import Stage
from documents.rendering.word import render_docx
from documents.returning.arranging import Arranged, arranged
from documents.returning.codes import ReturnCode, returned_finding
from documents.returning.merging import merged
from documents.returning.origin import LAYOUT
from models.content import from_json, to_json
from models.errors import InvalidInput
from models.findings import ReadingFinding
from models.identifiers import assign_ids

# The only document that claims nothing about the procedure, and therefore the one to work on.
RETURNING: Final = "draft"


@dataclass(frozen=True, slots=True)
class Returned:
    """A content in JSON as a file has it, all items with ids, and what was found on the way."""

    content: dict[str, Any]
    findings: tuple[ReadingFinding, ...]


def returned_form(data: bytes, limits: Limits | None = None) -> ReturnedForm:
    """A returned Word file, read in a process of its own; raises InvalidInput where it can't be read within ``limits``."""
    return isolated_return(data, limits or Limits())


def returned(form: ReturnedForm, base: Stage, earlier: Iterable[Any] = ()) -> Returned:
    """What a file says of the stage that it was made of; ``earlier`` are contents whose ids are never given again.

    Raises InvalidInput for a document that is not the one to work on, and for a file of another layout.
    """
    origin = form.origin
    if origin is None or origin.document != RETURNING:
        raise InvalidInput(
            "这是对外的文件，不是供修改的草案；请用 jixiao text render 编号 --document draft --format docx 生成草案，在草案上修改后导回。"
        )
    if origin.layout != LAYOUT or not form.fields:
        raise InvalidInput(
            "这个文件的格式版本与本程序不同，认不出各处；请用 jixiao text render 编号 --format docx 重新生成，把修改移过去。"
        )
    base = replace(base, status=origin.status)
    issued = _issued(base)
    edit = merged(to_json(base.content), arranged(issued.fields), arranged(form.fields))
    content = assign_ids(edit.content, [to_json(base.content), *earlier])
    now = from_json(content)
    known = {*issued.outside, *_issued(replace(base, content=now)).outside}
    findings = [*_beside(form), *edit.findings, *_left_over(form, known)]
    return Returned(to_json(now), tuple(findings))


def _issued(stage: Stage) -> ReturnedForm:
    return read_returned(render_docx(stage, numbered=False), beside=False)


def _left_over(form: ReturnedForm, known: Mapping[str, Any] | set[str]) -> Iterable[ReadingFinding]:
    for words in form.outside:
        if words not in known:
            reason = "这段文字在控件之外，没有读入；请移到相应的控件里，或导入后用 text edit 补上。"
            yield returned_finding(ReturnCode.LEFT_OVER, "", words, reason)


def _beside(form: ReturnedForm) -> Iterable[ReadingFinding]:
    for aside in form.asides:
        yield returned_finding(ReturnCode.BESIDE, "", aside.raw, aside.sentence)


__all__ = ["RETURNING", "Arranged", "Returned", "returned", "returned_form"]
