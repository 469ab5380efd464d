"""The contents of a Word file: a field whose result is there already, so that no viewer shows an empty list.

Word is not asked to update fields on opening, since it would ask the reader; the page numbers are those of the printed
page, and whoever edits the text updates the field with F9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from documents.rendering.word.controls import field, paragraph, run

# Only what is listed lies between the ends of this bookmark: titles of letters and annexes are no entries.
REGION: Final = "jixiao_contents"
_REGION_ID: Final = 1_000_000
_FIRST_LEVEL: Final = 2


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading: its number in the file (from 1), level, words, page (None where not known), and whether it is listed."""

    number: int
    level: int
    words: str
    page: int | None
    listed: bool

    @property
    def bookmark(self) -> str:
        """The name that Word itself would give its target."""
        return f"_Toc{self.number:08d}"


def heading_mark(heading: Heading, runs: str) -> str:
    """The runs of a heading with the bookmark that the contents lead to."""
    if not heading.listed:
        return runs
    mark = f'<w:bookmarkStart w:id="{heading.number}" w:name="{heading.bookmark}"/>'
    return f'{mark}{runs}<w:bookmarkEnd w:id="{heading.number}"/>'


def region_begins() -> str:
    """The beginning of the region that the contents list."""
    return f'<w:bookmarkStart w:id="{_REGION_ID}" w:name="{REGION}"/>'


def region_ends() -> str:
    """Its end."""
    return f'<w:bookmarkEnd w:id="{_REGION_ID}"/>'


def contents_field(headings: Sequence[Heading]) -> str:
    """The contents of listed headings of levels 2 and 3: one field over all entries, in Word's own control for contents."""
    begin = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    code = f' TOC \\b {REGION} \\o "2-3" \\h \\z '
    begin += f'<w:r><w:instrText xml:space="preserve">{code}</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    entries = ""
    for at, heading in enumerate(headings):
        page = "" if heading.page is None else str(heading.page)
        number = field(f"PAGEREF {heading.bookmark} \\h", page)
        link = (
            f'<w:hyperlink w:anchor="{heading.bookmark}">{run(heading.words)}<w:r><w:tab/></w:r>{number}</w:hyperlink>'
        )
        first, last = begin if at == 0 else "", end if at == len(headings) - 1 else ""
        entries += paragraph(f"TOC{heading.level - _FIRST_LEVEL + 1}", f"{first}{link}{last}")
    properties = '<w:docPartObj><w:docPartGallery w:val="Table of Contents"/><w:docPartUnique/></w:docPartObj>'
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{entries}</w:sdtContent></w:sdt>"
