"""Lists whose rows hold an id: 36 characters leave a table of 80 columns no room, so an item takes two lines there."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from cli.output import print_table

_INDENT = "    "
_GAP = "  "


def print_listing(columns: Sequence[str], rows: Sequence[Sequence[str]], *, first: int, empty: str) -> None:
    """Rows in two lines each on a terminal: the ``first`` cells in aligned columns, the others below.

    Into a pipe they are the tab-separated lines of every other list.
    """
    if not rows or not sys.stdout.isatty():
        print_table(columns, rows, empty=empty)
        return
    from rich.cells import cell_len, set_cell_size

    widths = [max(cell_len(row[place]) for row in rows) for place in range(first)]
    for row in rows:
        cells = [set_cell_size(cell, width) for cell, width in zip(row[:first], widths, strict=True)]
        click.echo(_GAP.join(cells).rstrip())
        click.echo(_INDENT + _GAP.join(filter(None, (" ".join(cell.split()) for cell in row[first:]))))
