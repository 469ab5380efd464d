"""The body of a Word file: the elements of the words (documents/templates/README.md) as paragraphs, tables and sections."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from documents.rendering.word.contents import Heading, contents_field, heading_mark, region_begins, region_ends
from documents.rendering.word.controls import Controls, paragraph, run
from documents.rendering.word.sections import Sections
from documents.rendering.word.tables import TWIPS_A_MM, table

_PARAGRAPHS: Final = {
    "document-number": "DocumentNumber",
    "addressee": "Addressee",
    "annexes": "Annexes",
    "copies": "Copies",
    "imprint": "Imprint",
}
_COVER: Final = {"cover-department": "CoverDepartment", "cover-title": "CoverTitle", "cover-status": "CoverStatus"}
_BREAKING: Final = frozenset({"part", "annex", "letter", "project"})
# Bodies and imprint stand at the foot of the cover, however long its title is.
_FRAME: Final = '<w:framePr w:w="8845" w:hAnchor="margin" w:vAnchor="margin" w:xAlign="center" w:yAlign="bottom" w:wrap="notBeside"/>'
_NEW_PAGE: Final = "<w:pageBreakBefore/>"
# Two tables of one form need a paragraph between them, or Word makes one table of both; the second's header repeats only
# because it is a table of its own.
GLUE: Final = paragraph("Glue", "")
_CHARACTER: Final = 320
_TITLES: Final = 2
_TITLE_SIZE: Final = 440
_LAST_LATIN: Final = 0x2FF
_WIDTH: Final = round(156 * TWIPS_A_MM)


def _place(element: Any) -> str:
    """The place of a paragraph that holds nothing but a member; the paragraphs of one member stand together."""
    return element.get("data-at", "") if element.tag == "p" else ""


def _balanced(words: str) -> str:
    """Indents of a title that needs several lines, so that they are about as long and no character is left over."""
    length = sum(_TITLE_SIZE if ord(letter) > _LAST_LATIN else _TITLE_SIZE * 11 // 20 for letter in words)
    lines = -(-length // _WIDTH)
    if lines < 2:
        return ""
    side = max(0, (_WIDTH - length // lines - 2 * _TITLE_SIZE) // 2)
    return f'<w:ind w:left="{side}" w:right="{side}" w:firstLineChars="0" w:firstLine="0"/>'


class Body:
    """Writes the body once, in the order of the words.

    ``pages`` are the page numbers of all headings, in order, as the printed page has them; empty where they are not known.
    """

    def __init__(self, root: Any, pages: Sequence[int], controls: Controls, sections: Sections) -> None:
        self._controls = controls
        self._sections = sections
        self._headings: dict[Any, Heading] = {}
        elements = list(root.iter("h1", "h2", "h3", "h4"))
        for at, element in enumerate(elements):
            page = pages[at] if len(pages) == len(elements) else None
            listed = element.get("id") is not None
            self._headings[element] = Heading(at + 1, int(element.tag[1]), "".join(element.itertext()), page, listed)
        self._listed = [heading for heading in self._headings.values() if heading.listed]
        self._break = False

    def xml(self, root: Any) -> str:
        """All blocks of the article, with the properties of its sections."""
        out = ""
        parts = [element for element in root if element.get("class") == "part"]
        for element in root:
            previous = element.getprevious()
            begins = previous is None or previous.get("class") == "cover"
            if element.get("class") == "cover":
                out += self._cover(element, first=begins)
                continue
            block = self._block(element, first=begins)
            if parts and element is parts[0]:
                block = region_begins() + block
            out += block + (region_ends() if parts and element is parts[-1] else "")
        return out + self._sections.last()

    def _cover(self, element: Any, *, first: bool) -> str:
        before = "" if first else paragraph("SectionEnd", "", self._sections.numbered())
        out = ""
        for part in element:
            kind = part.get("class", "")
            if kind == "cover-bodies":
                lines = list(part)
                for line in lines:
                    gap = '<w:spacing w:after="1158"/>' if line is lines[-1] else ""
                    out += paragraph("CoverBody", self._controls.runs(line), _FRAME + gap)
            elif kind in _COVER:
                mark = self._headings.get(part)
                runs = self._controls.runs(part)
                out += paragraph(_COVER[kind], heading_mark(mark, runs) if mark else runs)
            else:
                out += paragraph("Imprint", self._controls.runs(part), _FRAME)
        # The cover is not counted: the pages go on behind it where a letter came before, and begin with 1 elsewhere.
        self._sections.start = self._page_after(element) or (1 if first else None)
        return before + out + paragraph("SectionEnd", "", self._sections.cover())

    def _page_after(self, cover: Any) -> int | None:
        """The number of the first page behind the cover, which is not counted."""
        after = cover.getnext()
        headings = [] if after is None else list(after.iter("h1", "h2", "h3", "h4"))
        return self._headings[headings[0]].page if headings else None

    def _block(self, element: Any, *, first: bool = False) -> str:
        if element.tag == "section":
            return self._section(element, first=first)
        if element.tag == "nav":
            title = next(element.iter("h2"))
            entries = contents_field(self._listed)
            self._break = True
            return paragraph("ContentsTitle", heading_mark(self._headings[title], self._controls.runs(title))) + entries
        if element.tag == "table":
            return table(element, self._controls)
        if element.tag == "div":
            return self._signature(element)
        if element.tag.startswith("h"):
            return self._heading(element)
        return self._paragraph(element)

    def _section(self, element: Any, *, first: bool) -> str:
        if element.get("class") in _BREAKING and not first:
            self._break = True
        out = ""
        for place, children in groupby(element, key=_place):
            blocks = ""
            for child in children:
                previous = child.getprevious()
                if child.tag == "table" and previous is not None and previous.tag == "table":
                    blocks += GLUE
                blocks += self._block(child, first=previous is None or previous.tag.startswith("h"))
            out += self._controls.block(place, blocks) if place else blocks
        # A table that ends a section touches whatever comes next.
        return out + (GLUE if len(element) and element[-1].tag == "table" else "")

    def _broken(self) -> str:
        wanted, self._break = self._break, False
        return _NEW_PAGE if wanted else ""

    def _heading(self, element: Any) -> str:
        heading = self._headings[element]
        # An annex and a letter's title are no entries of the contents, which lists levels 2 and 3.
        level = 1 if heading.level == 2 and not heading.listed else heading.level
        sides = _balanced(heading.words) if level <= _TITLES else ""
        return paragraph(f"Heading{level}", heading_mark(heading, self._controls.runs(element)), self._broken() + sides)

    def _paragraph(self, element: Any) -> str:
        kind = element.get("class", "")
        if kind == "caption":
            left, *right = [self._controls.runs(part) for part in element]
            return paragraph("Caption", left + "".join(f"<w:r><w:tab/></w:r>{runs}" for runs in right), self._broken())
        properties = self._broken()
        follows = element.getnext()
        ends_letter = kind == "" and follows is not None and follows.get("class") in ("annexes", "signature")
        if ends_letter or kind == "annexes":
            # A letter's last paragraph goes with its signature, which must not stand alone on a page.
            properties = f"<w:keepNext/><w:keepLines/>{properties}"
        # The member's control stands around all of its paragraphs.
        runs = run(element.text or "") if _place(element) else self._controls.runs(element)
        return paragraph(_PARAGRAPHS.get(kind, "Normal"), runs, properties)

    def _signature(self, element: Any) -> str:
        lines = list(element)
        longest = max(len("".join(line.itertext())) for line in lines)
        # The lines are centred above each other, and end two characters from the edge.
        left = max(0, _WIDTH - 2 * _CHARACTER - longest * _CHARACTER)
        out = ""
        for line in lines:
            first, last = line is lines[0], line is lines[-1]
            gap = '<w:spacing w:before="1158"/>' if first else ""
            keep = "" if last else "<w:keepNext/>"
            properties = (
                f'{keep}{gap}<w:ind w:left="{left}" w:right="{2 * _CHARACTER}" w:firstLineChars="0" w:firstLine="0"/>'
            )
            style = "Seal" if line.get("class") == "seal" else "Signature"
            out += paragraph(style, self._controls.runs(line), properties)
        return out
