"""Tables of the words as Word's raw grid: real merged cells, a header that repeats, rows that stay on one page.

The grid is written as XML text: python-docx's ``table.cell`` looks at the whole table for each cell.
"""

from __future__ import annotations

from typing import Any, Final

from documents.rendering.word.controls import Controls, paragraph

TWIPS_A_MM: Final = 1440 / 25.4
_WIDTH: Final = round(156 * TWIPS_A_MM)
_ALIGNMENTS: Final = {"number": "right", "middle": "center"}
# The measure of the printed page: a row of ordinary length stays on one page, a very long one must be able to break.
_SHORT_BYTES: Final = 450
_BYTES_A_LINE: Final = 30


def table(element: Any, controls: Controls) -> str:
    """A ``table`` of the words as ``w:tbl``."""
    widths: list[int] = []
    rows: list[str] = []
    for part in element:
        if part.tag == "colgroup":
            widths = [
                round(float(col.get("style").removeprefix("width:").removesuffix("mm")) * TWIPS_A_MM) for col in part
            ]
        else:
            rows += _rows(part, widths, controls)
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="Form"/><w:tblW w:w="{_WIDTH}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        f'<w:tblLook w:val="0000"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )


def _rows(part: Any, widths: list[int], controls: Controls) -> list[str]:
    """The rows of a ``thead`` or ``tbody``; a merged cell goes on below as an empty one, as Word writes it."""
    rows = []
    # By column: how many rows below are still covered, and how many columns the merged cell takes.
    covered: dict[int, tuple[int, int]] = {}
    for row in part:
        cells, column = "", 0
        below: dict[int, tuple[int, int]] = {}
        for cell in [*row, None]:
            while column in covered:
                left, across = covered[column]
                if left > 1:
                    below[column] = (left - 1, across)
                cells += _cell("", widths[column : column + across], "continue")
                column += across
            if cell is None:
                break
            across, down = int(cell.get("colspan", "1")), int(cell.get("rowspan", "1"))
            cells += _cell(_content(cell, controls), widths[column : column + across], "restart" if down > 1 else "")
            if down > 1:
                below[column] = (down - 1, across)
            column += across
        covered = below
        whole = "<w:cantSplit/>" if all(map(_is_short, row)) else ""
        repeated = "<w:tblHeader/>" if part.tag == "thead" else ""
        properties = f"<w:trPr>{whole}{repeated}</w:trPr>" if whole or repeated else ""
        rows.append(f"<w:tr>{properties}{cells}</w:tr>")
    return rows


def _cell(content: str, widths: list[int], merge: str) -> str:
    span = f'<w:gridSpan w:val="{len(widths)}"/>' if len(widths) > 1 else ""
    merged = f'<w:vMerge w:val="{merge}"/>' if merge else ""
    properties = f'<w:tcPr><w:tcW w:w="{sum(widths)}" w:type="dxa"/>{span}{merged}<w:vAlign w:val="center"/></w:tcPr>'
    return f"<w:tc>{properties}{content or paragraph('TableText', '')}</w:tc>"


def _content(cell: Any, controls: Controls) -> str:
    kind = cell.get("class", "")
    if cell.tag == "th":
        return paragraph("TableHead", controls.runs(cell))
    alignment = f'<w:jc w:val="{_ALIGNMENTS[kind]}"/>' if kind in _ALIGNMENTS else ""
    return paragraph("TableCode" if kind == "code" else "TableText", controls.runs(cell), alignment)


def _is_short(cell: Any) -> bool:
    lines = sum(1 for _ in cell.iter("br"))
    size = len("".join(cell.itertext()).encode())
    return int(cell.get("rowspan", "1")) > 1 or size + _BYTES_A_LINE * lines < _SHORT_BYTES
