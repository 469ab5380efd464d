"""Runs, paragraphs and content controls of WordprocessingML (ECMA-376 part 1, 17.3 and 17.5), written as XML text.

A control's tag is the place of its member by stable ids: whoever edits the file in Word changes what stands in the
control, and the member stays the same member.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from documents.rendering.titles import member_title
from documents.returning.origin import LONGEST_TAG

_BREAKS = re.compile(r"[\n\r]+")
_LONGEST_TITLE: Final = 64


def run(words: str, properties: str = "") -> str:
    """A run of words; a line break of the source is only a blank, as in HTML, and a TAB is Word's own."""
    settings = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    pieces = _BREAKS.sub(" ", words).split("\t")
    inside = "<w:tab/>".join(f'<w:t xml:space="preserve">{escape(piece)}</w:t>' if piece else "" for piece in pieces)
    return f"<w:r>{settings}{inside}</w:r>"


def paragraph(style: str, runs: str, properties: str = "") -> str:
    """A paragraph of a style; ``properties`` are those that follow ``w:pStyle`` in the schema's order."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>{runs}</w:p>'


def field(instruction: str, result: str, properties: str = "") -> str:
    """A complex field with its result already filled in."""
    settings = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    parts = (
        '<w:fldChar w:fldCharType="begin"/>',
        f'<w:instrText xml:space="preserve"> {escape(instruction)} </w:instrText>',
        '<w:fldChar w:fldCharType="separate"/>',
        f"<w:t>{escape(result)}</w:t>",
        '<w:fldChar w:fldCharType="end"/>',
    )
    return "".join(f"<w:r>{settings}{part}</w:r>" for part in parts)


@cache
def _member_title(member: str, within: str) -> str:
    return member_title(member, within)[:_LONGEST_TITLE]


def _title(place: str) -> str:
    """What Word shows on the control: the member's Chinese title."""
    names = place.split("/")[1:]
    members = [name for name in names if name.isalpha() or "_" in name or name.startswith("level")]
    return _member_title(members[-1], members[-2] if len(members) > 1 else "")


class Controls:
    """The content controls of one file; ``places`` are the tags that were too long for Word, with what they stand for."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self._count = 0

    def inline(self, place: str, runs: str) -> str:
        """A control of plain text around runs of one paragraph."""
        kind = '<w:text w:multiLine="1"/>'
        return (
            f"<w:sdt>{self._properties(place, kind)}<w:sdtContent>{runs or '<w:r><w:t/></w:r>'}</w:sdtContent></w:sdt>"
        )

    def block(self, place: str, paragraphs: str) -> str:
        """A control around whole paragraphs: a paragraph that is added inside belongs to the member, too."""
        return f"<w:sdt>{self._properties(place, '')}<w:sdtContent>{paragraphs}</w:sdtContent></w:sdt>"

    def _properties(self, place: str, kind: str) -> str:
        self._count += 1
        tag = place
        if len(tag) > LONGEST_TAG:
            tag = f"#{len(self.places) + 1}"
            self.places[tag] = place
        title = quoteattr(_title(place))
        return (
            f"<w:sdtPr><w:alias w:val={title}/><w:tag w:val={quoteattr(tag)}/>"
            f'<w:id w:val="{self._count}"/>{kind}</w:sdtPr>'
        )

    def runs(self, element: Any) -> str:
        """The runs of an element of the words, each marked member in its control, the element itself included."""
        out = run(element.text) if element.text else ""
        for child in element:
            out += "<w:r><w:br/></w:r>" if child.tag == "br" else self.runs(child)
            if child.tail:
                out += run(child.tail)
        place = element.get("data-at")
        return self.inline(place, out) if place else out
