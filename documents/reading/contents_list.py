"""The contents list beside the body's headings: each entry must be found there, and each heading here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.headings import Block, BlockKind, section_role
from documents.reading.outline import ContentsEntry, Outline, bare_key, heading_key
from models.findings import ReadingFinding


def contents_findings(outline: Outline, blocks: Sequence[Block]) -> tuple[ReadingFinding, ...]:
    """What the contents list and the headings of the body do not agree on."""
    if not outline.contents:
        heading = outline.contents_heading
        reason = "目录里没有条目。" if heading else "没有找到目录，无法与正文核对。"
        line = heading.number if heading else None
        return (finding(FindingCode.CONTENTS_MISSING, "", heading.words if heading else "", reason, 0.8, line=line),)
    headings = [block for block in blocks if block.kind in _PLACES or block.kind is BlockKind.ITEM]
    return (*_entries(outline.contents, headings), *_headings(outline.contents, headings))


_PLACES = {BlockKind.PART: "", BlockKind.SECTION: "", BlockKind.PROJECT: "/projects"}


def _full_title(block: Block) -> str:
    """A heading as a contents list writes it, with its number."""
    if block.title_line is not None:
        return f"{block.line.words}{block.title_line.words}"
    return block.line.words


def _entries(entries: Sequence[ContentsEntry], headings: Sequence[Block]) -> Iterator[ReadingFinding]:
    full = {heading_key(_full_title(block)) for block in headings}
    bare = {bare_key(_full_title(block)) for block in headings}
    page = 0
    for entry in entries:
        if heading_key(entry.title) not in full:
            if bare_key(entry.title) in bare:
                reason = f"目录条目“{entry.title}”的编号与正文的标题不同。"
            else:
                reason = f"目录条目“{entry.title}”在正文中找不到相应的标题，请核对目录或正文。"
            code = FindingCode.CONTENTS_ENTRY_WITHOUT_HEADING
            yield finding(code, "", entry.title, reason, 0.9, line=entry.line)
        if entry.page is not None and entry.page < page:
            reason = f"目录条目“{entry.title}”的页码 {entry.page} 小于前一条的 {page}。"
            yield finding(FindingCode.CONTENTS_LINE, "", entry.title, reason, 0.8, line=entry.line)
        page = entry.page if entry.page is not None else page


def _headings(entries: Sequence[ContentsEntry], headings: Sequence[Block]) -> Iterator[ReadingFinding]:
    listed = {bare_key(entry.title) for entry in entries} | {heading_key(entry.title) for entry in entries}
    project = -1
    for block in headings:
        project += block.kind is BlockKind.PROJECT
        key = bare_key(_full_title(block))
        if block.kind is BlockKind.ITEM or not key or key in listed:
            continue
        place = f"/projects/{project}/name" if block.kind is BlockKind.PROJECT else ""
        if block.kind is BlockKind.SECTION and (role := section_role(block.title)):
            place = f"/{role}"
        reason = f"正文标题“{_full_title(block)}”不在目录中，请核对目录或正文。"
        code = FindingCode.HEADING_WITHOUT_CONTENTS_ENTRY
        yield finding(code, place, _full_title(block), reason, 0.9, line=block.line.number)
