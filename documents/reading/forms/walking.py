"""A walk over a form's pieces: labels take the words behind them, headers begin tables, rows go under their columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from documents.reading.forms.columns import header_of
from documents.reading.forms.drafts import Draft, Field, FormDraft, GoalDraft
from documents.reading.forms.pieces import Chunk, Piece, Style
from documents.reading.forms.table_rows import TableWalk
from documents.reading.forms.vocabulary import Vocabulary, label_of, number_of
from documents.reading.layout_files import InfoRole, key_of
from documents.reading.money import currency_of

_TITLE = re.compile(
    r"(?!.*(?:详见|参见|见附)).{0,60}绩效.{0,12}表(?:\.[A-Za-z]{3,4})?\s*(?:[（(]\s*\d{4}\s*年?度?\s*[）)])?"
)
_YEAR = re.compile(r"(?<!\d)(20\d\d)\s*年\s*度?")
_ONLY_YEAR = re.compile(r"[（(]?\s*(20\d\d)\s*年\s*度?\s*[）)]?")
_FORM_LINE = re.compile(f"{_TITLE.pattern}|{_ONLY_YEAR.pattern}")
_LABELLED_YEAR = re.compile(r"(?:预算|财政|申报|项目)?年\s*度\s*[：:]\s*(20\d\d)\s*年?\s*度?")
_BRACKET_UNIT = re.compile(r"[（(]\s*(万元|元|千元)\s*[）)]")
_CODE_AND_NAME = re.compile(r"(?P<code>\d{3,9})\s*[-—–]?\s*(?P<name>[^\d\s].{1,60})")
_REFERENCE = re.compile(r"(?:详见|参见|见附)")
_PERIODS: Final = {InfoRole.GOAL_PERIOD: "中期", InfoRole.GOAL_YEAR: "年度"}
_GOALS: Final = frozenset({*_PERIODS, InfoRole.GOALS, InfoRole.GOAL_RESULT})
# A value of these is a text that can go on over several lines.
_LONG: Final = frozenset(
    {InfoRole.GROUNDS, InfoRole.CONTENTS, InfoRole.PURPOSE, InfoRole.EXTRA, InfoRole.SCHEDULE, *_GOALS}
)
_AGREED_RUN: Final = 3
_LONGEST_RUN: Final = 20


class FormWalk(TableWalk):
    """The state while the chunks of one form are read."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__(vocabulary)
        self._waiting: Field | None = None
        self._goals: list[tuple[InfoRole, Piece]] = []

    def take(self, chunk: Chunk) -> None:
        """Takes one chunk."""
        pieces = self._without_noise(chunk)
        header = header_of(pieces, self._vocabulary, whole=chunk.style is Style.ROW)
        if header is None:
            self._take_body(pieces, chunk.style)
            return
        begin, end, columns = header
        self._take_body(pieces[:begin], chunk.style)
        self._end_goals()
        self._waiting = None
        self._columns, self._offset = columns, begin
        self.form.ordering += [piece for piece in pieces[begin:end] if piece.words]
        rest = Chunk(pieces[end:], chunk.style)
        if rest.filled:
            # What follows a header in its own chunk are rows; another header may follow them.
            self.take(rest)

    def end(self) -> FormDraft:
        """The form after its last chunk."""
        self._end_goals()
        self.form.drafts = [draft for draft in self.form.drafts if not draft.is_empty] or self.form.drafts[:1]
        return self.form

    def _without_noise(self, chunk: Chunk) -> tuple[Piece, ...]:
        noise = self._vocabulary.layout.noise
        kept = []
        for piece in chunk.pieces:
            if piece.words and any(pattern.fullmatch(piece.words) for pattern in noise):
                self.form.noise.append(piece)
            else:
                kept.append(piece)
        return tuple(kept)

    def _take_body(self, pieces: Sequence[Piece], style: Style) -> None:
        if self._columns is not None and pieces:
            at = self._end_of_rows(pieces)
            self._take_rows(pieces[:at], style)
            pieces = pieces[at:]
            if pieces:
                self._columns = None
        if pieces:
            self._take_words(pieces, style)

    def _take_words(self, pieces: Sequence[Piece], style: Style) -> None:
        filled = [piece for piece in pieces if piece.words]
        at = 0
        while at < len(filled):
            if style in (Style.LINE, Style.PIPE) and (
                used := self._take_names_first(filled[at : at + 2 * _LONGEST_RUN])
            ):
                at += used
                continue
            at += self._take_piece(filled[at], style, filled[at + 1 :])
        if style not in (Style.LINE, Style.FUSED) and self._waiting is not None and self._waiting.pieces:
            self._waiting = None

    def _take_piece(self, piece: Piece, style: Style, following: Sequence[Piece]) -> int:
        """Takes a piece; the number of pieces that were used up with it."""
        words = piece.words
        role, label, value = self._vocabulary.labelled(words)
        if self._take_form_line(piece) or self._is_unit_only(piece, label or words):
            return 1
        if role is None:
            return self._take_value(piece, style, following)
        if number := number_of(words):
            self.form.numbers.append((number, piece))
        if role is InfoRole.HEADING:
            self._take_heading(piece)
            return 1
        if role in _GOALS:
            self._waiting = None
            self._goals.append((role, piece))
            if value:
                self._take_goals([Piece(value, piece.line)])
            return 1
        self._end_goals()
        if role not in _LONG:
            # (3)实施主体。某局。 ends as a sentence does.
            value = value.rstrip("。")
        if role is InfoRole.NAME:
            self._new_project_at_name(value or next((item.words for item in following[:1]), ""))
        self._waiting = Field(role, label, [Piece(value, piece.line)] if value else [], fused=style is Style.FUSED)
        self._draft.fields.append(self._waiting)
        if value and role not in _LONG:
            self._waiting = None
        if not value:
            self.form.ordering.append(piece)
        return 1

    def _is_unit_only(self, piece: Piece, words: str) -> bool:
        """Takes the money unit in brackets behind a label; True where the piece holds nothing else."""
        bracket = _BRACKET_UNIT.search(words) if len(words) <= 20 else None
        if bracket is None:
            return False
        self.form.currency = self.form.currency or bracket[1]
        if bracket.span() != (0, len(words)):
            return False
        self.form.ordering.append(piece)
        return True

    def _new_project_at_name(self, name: str) -> None:
        known = self._draft.first(InfoRole.NAME)
        if known is not None and key_of(known.words) != key_of(name):
            self._draft = Draft()
            self.form.drafts.append(self._draft)

    def _take_heading(self, piece: Piece) -> None:
        self._end_goals()
        self._waiting = None
        self.form.ordering.append(piece)
        if "指标" in piece.words:
            self._period = (
                "中期" if "长期" in piece.words or "中期" in piece.words else "年度" if "年度" in piece.words else None
            )

    def _take_form_line(self, piece: Piece) -> bool:
        """Titles, the year under them, and the money unit."""
        words = piece.words
        labelled_year = _LABELLED_YEAR.fullmatch(words) if len(words) <= 40 else None
        year = labelled_year or (_YEAR.search(words) if len(words) <= 80 else None)
        if len(words) <= 80 and _TITLE.fullmatch(words) and self._vocabulary.info(words) is None:
            self.form.titles.append(piece)
        elif labelled_year or (_ONLY_YEAR.fullmatch(words) and (self._waiting is None or self._waiting.pieces)):
            self.form.ordering.append(piece)
        elif (currency := currency_of(words)) is not None:
            self.form.currency = self.form.currency or currency[0]
            rest = Piece(currency[1], piece.line)
            self.form.ordering.append(Piece(words, piece.line))
            if rest.words and not self._take_form_line(rest):
                self._take_piece(rest, Style.LINE, ())
            return True
        else:
            return False
        if year is not None and self.form.year is None:
            self.form.year = (int(year[1]), piece.line)
        return True

    def _take_value(self, piece: Piece, style: Style, following: Sequence[Piece]) -> int:
        if self._goals:
            values = [piece]
            for other in following:
                if self._vocabulary.labelled(other.words)[0] is not None or _FORM_LINE.fullmatch(other.words):
                    break
                values.append(other)
            self._take_goals(values)
            return len(values)
        waiting = self._waiting
        goes_on = waiting is not None and waiting.role in _LONG and style in (Style.LINE, Style.FUSED)
        if waiting is not None and (not waiting.pieces or goes_on):
            waiting.pieces.append(piece)
            waiting.fused = waiting.fused or style is Style.FUSED
            if waiting.role not in _LONG:
                self._waiting = None
        else:
            self._draft.loose.append(piece)
        return 1

    def _take_goals(self, values: Sequence[Piece]) -> None:
        """Values behind labels of goals: one for each, or one text that may belong to any of them."""
        labels, self._goals = self._goals, []
        self.form.ordering += [piece for _, piece in labels]
        if len(labels) == 1:
            pairs = [(labels[0][0], piece) for piece in values]
        elif len(labels) == len(values):
            pairs = [(role, piece) for (role, _), piece in zip(labels, values, strict=True)]
        else:
            specific = [role for role, _ in labels if role is not InfoRole.GOALS]
            sure = specific[0] if len(specific) == 1 else None
            if sure is None:
                self._draft.goals += [GoalDraft(piece, None, unsure=True) for piece in values]
                return
            pairs = [(sure, piece) for piece in values]
        for role, piece in pairs:
            if role is InfoRole.GOAL_RESULT or _REFERENCE.match(piece.words):
                self._draft.fields.append(Field(InfoRole.EXTRA, label_of(labels[-1][1].words), [piece]))
            else:
                self._draft.goals.append(GoalDraft(piece, _PERIODS.get(role)))

    def _end_goals(self) -> None:
        self.form.ordering += [piece for _, piece in self._goals]
        self._goals = []

    def _take_names_first(self, pieces: Sequence[Piece]) -> int:
        """A run of labels and behind it as many values, as a PDF gives two columns: paired by order, and marked so.

        The number of pieces that were used up; 0 where there is no such run, or not as many values as labels.
        """
        labels = 0
        while labels < len(pieces) and self._is_plain_label(pieces[labels]):
            labels += 1
        values = pieces[labels : 2 * labels]
        following = pieces[2 * labels : 2 * labels + 1]
        if labels < _AGREED_RUN or len(values) < labels or any(map(self._names_something, values)):
            return 0
        if following and not self._names_something(following[0]):
            return 0
        for label, value in zip(pieces[:labels], values, strict=True):
            role = self._vocabulary.info(label.words) or InfoRole.EXTRA
            self.form.ordering.append(label)
            self._draft.fields.append(Field(role, label.words, [value], ordered=False))
        self._waiting = None
        return 2 * labels

    def _names_something(self, piece: Piece) -> bool:
        return self._vocabulary.labelled(piece.words)[0] is not None or _FORM_LINE.fullmatch(piece.words) is not None

    def _is_plain_label(self, piece: Piece) -> bool:
        role = self._vocabulary.info(piece.words)
        return role is not None and role is not InfoRole.HEADING and role not in _GOALS


def code_and_name(words: str) -> tuple[str, str] | None:
    """Code and name of ``812-…部门`` or ``812001 …本级``; None where there is no code."""
    match = _CODE_AND_NAME.fullmatch(words)
    return (match["code"], match["name"].strip()) if match else None
