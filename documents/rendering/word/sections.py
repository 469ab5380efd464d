"""The page of a Word file (GB/T 9704-2012): paper, margins, the grid of lines, page numbers, and the watermark of a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import quoteattr

from documents.rendering.word.controls import field, paragraph, run

NAMESPACES: Final = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_DRAWING: Final = 'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# Twentieths of a point. 22 lines of 28.95 pt fill 225 mm; the dash of the number stands 7 mm below the text.
_PAPER: Final = '<w:pgSz w:w="11906" w:h="16838"/>'
_MARGINS: Final = (
    '<w:pgMar w:top="2098" w:right="1474" w:bottom="1984" w:left="1587" w:header="851" w:footer="1440" w:gutter="0"/>'
)
_GRID: Final = '<w:docGrid w:type="lines" w:linePitch="579"/>'
_NUMBER: Final = '<w:sz w:val="28"/><w:szCs w:val="28"/>'
_IMPRINT: Final = '<w:color w:val="5A5A5A"/><w:sz w:val="16"/><w:szCs w:val="16"/>'
_EDGE: Final = 280
_WIDTH: Final = 8845
# The watermark's frame in points: about as large as the printed page's, since WordArt fills its frame with ink.
_DIAGONAL: Final = 125 / 25.4 * 72 * 2**0.5
_SPACED: Final = 140 / 120

# Adds a part of the file ("header" or "footer") and gives the id of its relationship.
AddPart = Callable[[str, str], str]


class Sections:
    """The sections of one file; each has header and footer of its own, for odd and for even pages.

    ``imprint`` stands beside the page number, ``watermark`` ("" for none) across every page; ``start`` is the number of the
    first page of the last section, None where it goes on.
    """

    def __init__(self, add: AddPart, imprint: str, watermark: str) -> None:
        self._add = add
        self._imprint = imprint
        self._watermark = watermark
        self._marks = 0
        self.start: int | None = None

    def numbered(self) -> str:
        """Properties of a section with page numbers, which ends here."""
        return self._properties(self._references(numbered=True), "")

    def cover(self) -> str:
        """Properties of the cover, which ends here and has no number."""
        return self._properties(self._references(numbered=False), "")

    def last(self) -> str:
        """Properties of the last section."""
        number = "" if self.start is None else f'<w:pgNumType w:start="{self.start}"/>'
        return self._properties(self._references(numbered=True), number)

    def _properties(self, references: str, number: str) -> str:
        return f'<w:sectPr>{references}<w:type w:val="nextPage"/>{_PAPER}{_MARGINS}{number}{_GRID}</w:sectPr>'

    def _references(self, *, numbered: bool) -> str:
        out = ""
        for kind in ("default", "even"):
            out += f'<w:headerReference w:type="{kind}" r:id="{self._add("header", self._header())}"/>'
        for kind in ("default", "even"):
            content = self._footer(even=kind == "even") if numbered else paragraph("Footer", "")
            out += f'<w:footerReference w:type="{kind}" r:id="{self._add("footer", _part("ftr", content))}"/>'
        return out

    def _footer(self, *, even: bool) -> str:
        number = run("— ", _NUMBER) + field("PAGE", "1", _NUMBER) + run(" —", _NUMBER)
        imprint, tab = run(self._imprint, _IMPRINT), "<w:r><w:tab/></w:r>"
        if even:
            stops = f'<w:tabs><w:tab w:val="right" w:pos="{_WIDTH}"/></w:tabs><w:ind w:left="{_EDGE}" w:firstLine="0"/>'
            return paragraph("Footer", number + tab + imprint, stops)
        stops = f'<w:tabs><w:tab w:val="right" w:pos="{_WIDTH - _EDGE}"/></w:tabs>'
        return paragraph("Footer", imprint + tab + number, stops)

    def _header(self) -> str:
        if not self._watermark:
            return _part("hdr", paragraph("Header", ""))
        self._marks += 1
        return _part("hdr", paragraph("Header", _watermark(self._watermark, self._marks)))


def _part(kind: str, content: str) -> str:
    return f"{HEAD}<w:{kind} {NAMESPACES} {_DRAWING}>{content}</w:{kind}>"


def _watermark(words: str, number: int) -> str:
    """A watermark as Word itself writes one: WordArt behind the text, which nobody who copies the text meets."""
    ratio = _SPACED * len(words)
    height = _DIAGONAL / (ratio + 1)
    style = (
        f"position:absolute;margin-left:0;margin-top:0;width:{height * ratio:.1f}pt;height:{height:.1f}pt;rotation:315;"
        "z-index:-251658752;mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
        "mso-position-vertical:center;mso-position-vertical-relative:margin"
    )
    return (
        '<w:r><w:pict><v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" '
        'path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/>'
        '<v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/>'
        '<v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/></v:formulas>'
        '<v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>'
        f'<v:shape id="PowerPlusWaterMarkObject{number}" o:spid="_x0000_s{1024 + number}" type="#_x0000_t136" '
        f'style="{style}" o:allowincell="f" fillcolor="#e8e8e8" stroked="f">'
        f'<v:textpath style="font-family:&quot;黑体&quot;;font-size:1pt" string={quoteattr(words)}/>'
        "</v:shape></w:pict></w:r>"
    )
