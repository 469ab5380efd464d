"""What a comparison looks like on a terminal: each difference under its heading, with marks that need no colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cli.output import say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from application.comparing import Compared

_KINDS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}
_STYLES = {"added": "green", "removed": "red", "changed": "yellow", "moved": "cyan", "same": ""}
_BRACKETS = {"added": ("{+", "+}"), "removed": ("[-", "-]"), "same": ("", "")}
# So much of what did not change is shown on either side of a change.
_CONTEXT = 20
# Two values as short as these are read one above the other; in longer ones the changes are marked where they stand.
_SHORT = 34


def print_differences(compared: Compared) -> None:
    """All differences on standard output, 80 columns into a pipe; which two are compared on standard error."""
    say(f"{compared.before.name} → {compared.after.name}")
    if not compared.rows:
        say("两者内容相同，没有差异。")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    section = None
    for row in compared.rows:
        if row.section != section:
            console.print(Text(f"\n{row.section}" if section else row.section, style="bold"))
            section = row.section
        title = row.title if row.kind == "changed" else f"{row.title}（{row.kind_title}）"
        _print(console, Text(f"{_KINDS[row.kind]} ", style=_STYLES[row.kind]), Text(title))
        for sign, line in _lines(row):
            _print(console, Text(f"  {sign} ", style=line.style), line)
    told = "，".join(f"{title} {number}" for title, number in compared.row_counts().items() if number)
    say(f"共 {len(compared.rows)} 处：{told}。长文字中 [-…-] 是删去的，{{+…+}} 是增加的。")


def _print(console: Console, sign: Text, line: Text) -> None:
    """A line behind its sign, folded to the width of the terminal so that the sign stands alone in its columns."""
    from rich.text import Text

    for number, part in enumerate(line.wrap(console, console.width - sign.cell_len, overflow="fold")):
        part.rstrip()
        console.print(Text.assemble(sign if number == 0 else " " * sign.cell_len, part), soft_wrap=True)


def _lines(row: Any) -> Iterator[tuple[str, Text]]:
    """The lines below a place: a sign, and the words behind it."""
    from rich.text import Text

    if row.kind == "moved":
        yield " ", Text(f"{row.before} → {row.after}")
        return
    if max(len(row.before), len(row.after)) <= _SHORT or not (row.before and row.after):
        for sign, words, style in (("-", row.before, "red"), ("+", row.after, "green")):
            yield from ((sign, Text(line, style=style)) for line in words.splitlines() if line.strip())
        return
    for paragraph in row.paragraphs:
        if any(piece.mark != "same" for piece in paragraph):
            yield " ", _marked(paragraph)


def _marked(paragraph: Iterable[Any]) -> Text:
    """One paragraph with its changes in brackets; what did not change is shortened to the words around them."""
    from rich.text import Text

    pieces = list(paragraph)
    out = Text()
    for number, piece in enumerate(pieces):
        text = piece.text
        if piece.mark == "same":
            text = _shortened(text, first=number == 0, last=number == len(pieces) - 1)
        opening, closing = _BRACKETS[piece.mark]
        out.append(f"{opening}{text}{closing}" if text else "", style=_STYLES[piece.mark])
    return out


def _shortened(text: str, *, first: bool, last: bool) -> str:
    head, tail = ("" if first else text[:_CONTEXT]), ("" if last else text[-_CONTEXT:])
    return text if len(text) <= len(head) + len(tail) + 1 else f"{head}…{tail}"
