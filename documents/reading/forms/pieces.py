"""A form's lines cut into pieces: cells of TAB rows and pipe tables, one cell per line, words set apart by blanks.

A chunk is a run of pieces between two ends of rows that are certain. Only in TAB rows does a piece's position tell its
column; the other ways lose empty cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from documents.reading.forms.fused import FusedText, is_fused
from documents.reading.forms.vocabulary import Vocabulary
from documents.reading.lines import Line, stripped

# A cell of a pipe table can be broken over so many lines.
_MOST_PIECES: Final = 4
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SEVERAL_PIPES = re.compile(r"\|[\s|]*\|\s*$")
_LONGEST_BLANK_LINE: Final = 400


class Style(StrEnum):
    """How the pieces of a chunk were told apart."""

    ROW = "row"
    PIPE = "pipe"
    BLANK = "blank"
    LINE = "line"
    FUSED = "fused"


@dataclass(frozen=True, slots=True)
class Piece:
    """One cell without outer blanks, and the line that it begins on."""

    words: str
    line: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pieces between two certain ends of rows; empty ones only where the source shows them."""

    pieces: tuple[Piece, ...]
    style: Style

    @property
    def filled(self) -> tuple[Piece, ...]:
        """The pieces that hold words."""
        return tuple(piece for piece in self.pieces if piece.words)


def chunks_of(lines: Sequence[Line], vocabulary: Vocabulary) -> tuple[Chunk, ...]:
    """The chunks of a form's lines, in order; lines of one cell each are gathered in one chunk."""
    chunks: list[Chunk] = []
    single: list[Piece] = []
    seen_header = False
    fused = FusedText(vocabulary)
    at = 0
    while at < len(lines):
        line = lines[at]
        pipes = _pipe_zone(lines, at)
        if pipes:
            found = _pipe_chunks(lines[at : at + pipes])
        elif line.is_row:
            found = [Chunk(_pieces(line.text.split("\t"), line.number), Style.ROW)]
        elif is_fused(line.words, fused):
            found = [Chunk(_pieces(fused.split(line.words), line.number), Style.FUSED)]
        else:
            words = _apart(line.words, vocabulary, in_table=seen_header)
            found = [Chunk(_pieces(words, line.number), Style.BLANK)] if len(words) > 1 else []
            if not found:
                single.append(Piece(line.words, line.number))
        if found and single:
            chunks.append(Chunk(tuple(single), Style.LINE))
            single = []
        chunks += found
        seen_header = seen_header or any(is_header_run(chunk.filled, vocabulary) for chunk in found)
        at += pipes or 1
    if single:
        chunks.append(Chunk(tuple(single), Style.LINE))
    return tuple(chunk for chunk in chunks if chunk.filled)


def is_header_run(pieces: Iterable[Piece], vocabulary: Vocabulary) -> bool:
    """Whether at least three of the pieces are labels of columns."""
    return sum(1 for piece in pieces if vocabulary.columns(piece.words)) >= 3


def _pieces(cells: Iterable[str], line: int) -> tuple[Piece, ...]:
    return tuple(Piece(stripped(cell), line) for cell in cells)


def _pipe_zone(lines: Sequence[Line], at: int) -> int:
    """How many lines from ``at`` on are one pipe table: lines with pipes, and pieces of cells between them."""
    end = at
    for number in range(at, len(lines)):
        if "|" in lines[number].text and not lines[number].is_row:
            end = number + 1
        elif number - end >= _MOST_PIECES or number == at:
            break
    return end - at


def _pipe_chunks(lines: Sequence[Line]) -> list[Chunk]:
    with_pipes = [line.words for line in lines if "|" in line.words]
    boxed = sum(1 for words in with_pipes if words.startswith("|") and words.strip("| ")) * 2 > len(with_pipes)
    chunks: list[Chunk] = []
    pieces: list[Piece] = []
    part, begun = "", 0
    for line in lines:
        words = line.words.removeprefix("|") if boxed else line.words
        *cells, rest = words.split("|")
        for cell in cells:
            whole = f"{part} {stripped(cell)}".strip() if part else stripped(cell)
            pieces.append(Piece(whole, begun or line.number))
            part, begun = "", 0
        if stripped(rest):
            part, begun = f"{part} {stripped(rest)}".strip(), begun or line.number
        if not part and (boxed or _SEVERAL_PIPES.search(line.words)):
            chunks.append(Chunk(_without_tail(pieces), Style.PIPE))
            pieces = []
    if part:
        pieces.append(Piece(part, begun))
    chunks.append(Chunk(_without_tail(pieces), Style.PIPE))
    return chunks


def _without_tail(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    end = len(pieces)
    while end and not pieces[end - 1].words:
        end -= 1
    return tuple(pieces[:end])


def _apart(words: str, vocabulary: Vocabulary, *, in_table: bool) -> list[str]:
    """The words of a line that blanks set apart, where labels among them show that it is a row; else the whole line."""
    tokens = words.split() if len(words) <= _LONGEST_BLANK_LINE else [words]
    if len(tokens) < 2:
        return [words]
    cells: list[tuple[str, bool]] = []
    at = 0
    while at < len(tokens):
        # 年度主要目标 和成果 is one label in two words.
        used = next((size for size in (3, 2, 1) if _is_label("".join(tokens[at : at + size]), vocabulary, size)), 0)
        cells.append(("".join(tokens[at : at + used]) if used else tokens[at], used > 0))
        at += used or 1
    if not any(label for _, label in cells):
        short = in_table and len(words) <= 60 and any(char.isdigit() for char in tokens[-1])
        return tokens if short else [words]
    in_rows = in_table and vocabulary.info(cells[0][0]) is None
    joined: list[str] = []
    before_is_value = False
    for cell, label in cells:
        if not label and before_is_value and not in_rows:
            joined[-1] += f" {cell}"
        else:
            joined.append(cell)
        before_is_value = not label
    # A sentence that only happens to hold a label does not begin with one; 0.00 其他资金 ends one field and begins another.
    return joined if in_rows or cells[0][1] or _FIGURE.fullmatch(cells[0][0]) else [words]


def _is_label(words: str, vocabulary: Vocabulary, size: int) -> bool:
    if size > 1:
        return vocabulary.info(words) is not None
    return vocabulary.is_word(words) or vocabulary.labelled(words)[0] is not None
