"""The tables on the walk over a form: rows under their columns, in each way that rows are written."""

from __future__ import annotations

from collections.abc import Sequence

from documents.reading.forms.columns import INDICATORS, Aligned, Columns, align, fits, positioned
from documents.reading.forms.drafts import Draft, Field, FormDraft, GoalDraft, RowDraft
from documents.reading.forms.fused import fused_indicators
from documents.reading.forms.pieces import Piece, Style
from documents.reading.forms.vocabulary import Vocabulary, points_of
from documents.reading.layout_files import ColumnRole, InfoRole, key_of


class TableWalk:
    """The state that tables need: the form, the project that rows go to, and the columns they stand under."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.form = FormDraft()
        self._vocabulary = vocabulary
        self._draft = Draft()
        self.form.drafts.append(self._draft)
        self._columns: Columns | None = None
        self._offset = 0
        self._period: str | None = None
        self._kind = ""

    def _end_of_rows(self, pieces: Sequence[Piece]) -> int:
        """Where the rows of the table end: at a label that no row holds."""
        table_of_money = self._columns is not None and not self._columns.has(ColumnRole.VALUE)
        for at, piece in enumerate(pieces):
            role = self._vocabulary.labelled(piece.words)[0] if piece.words else None
            if role is None or self._vocabulary.level(piece.words) is not None:
                continue
            if table_of_money and role in (InfoRole.TOTAL, InfoRole.FISCAL, InfoRole.OTHER, InfoRole.SOURCE):
                continue
            if at == 0 or len(pieces) > 1:
                return at
        return len(pieces)

    def _take_rows(self, pieces: Sequence[Piece], style: Style) -> None:
        columns = self._columns
        if columns is None or not any(piece.words for piece in pieces):
            return
        if style is Style.FUSED and columns.has(ColumnRole.VALUE):
            for row in self._fused_rows(pieces, columns):
                self._add_row(row)
            return
        pieces = self._without_points(pieces, keep_positions=style is Style.ROW)
        if not columns.has(ColumnRole.VALUE) and not columns.has(ColumnRole.AMOUNT):
            self._take_money_rows(pieces, columns, style)
            return
        moved = False
        rows: list[Aligned] = []
        if style is Style.ROW:
            cells = positioned(pieces[self._offset :], columns)
            before = [piece for piece in pieces[: self._offset] if piece.words]
            # The number of a row (序号) before its first column is no cell of it.
            unknown = [piece for piece in before if not (self._vocabulary.is_word(piece.words) or _is_number(piece))]
            # Where cells have been lost, the others stand under columns that can't hold them.
            moved = bool(unknown) or not fits(cells, columns, self._vocabulary)
            rows = [cells]
            self.form.ordering += [piece for piece in before if not moved]
        if style is not Style.ROW or moved:
            if self._offset and style is not Style.LINE and _is_number(pieces[0]):
                self.form.ordering.append(pieces[0])
                pieces = pieces[1:]
            rows = align([piece for piece in pieces if piece.words or not moved], columns, self._vocabulary)
        for aligned in rows:
            self._add_row(RowDraft(aligned, columns, style, self._period, moved=moved))

    def _without_points(self, pieces: Sequence[Piece], *, keep_positions: bool) -> Sequence[Piece]:
        """The pieces without ranges of points, which belong to the kind of indicators that they stand behind."""
        kept: list[Piece] = []
        for piece in pieces:
            points = points_of(piece.words)
            level = self._vocabulary.level(piece.words)
            if level is not None:
                self._kind = level[0]
            if points and (level is not None or key_of(piece.words) == points):
                self._draft.points.append((self._kind or "分值范围", points, piece.line))
            if key_of(piece.words) != points or not points:
                kept.append(piece)
            elif keep_positions:
                kept.append(Piece("", piece.line))
        return kept

    def _take_money_rows(self, pieces: Sequence[Piece], columns: Columns, style: Style) -> None:
        """Rows that begin with a label: what was planned, what was spent."""
        groups: list[tuple[Piece, list[Piece]]] = []
        for piece in pieces:
            if piece.words and self._vocabulary.info(piece.words) is not None:
                groups.append((piece, []))
            elif groups:
                groups[-1][1].append(piece)
            elif piece.words:
                self._draft.loose.append(piece)
        for label, cells in groups:
            aligned = align(cells, columns, self._vocabulary) if any(cell.words for cell in cells) else []
            for row in aligned:
                self._draft.money_rows.append(RowDraft(row, columns, style, raw=label.words))
            self.form.ordering.append(label)

    def _fused_rows(self, pieces: Sequence[Piece], columns: Columns) -> list[RowDraft]:
        rows: list[RowDraft] = []
        layout = self._vocabulary.layout
        levels: list[Piece] = []
        for piece in pieces:
            if self._vocabulary.level(piece.words) is not None:
                levels.append(piece)
                continue
            at = {role: number for number, role in enumerate(columns.roles) if role is not None}
            for item in fused_indicators(piece.words, layout.fused_descriptions, layout.fused_values):
                cells = dict(align(levels, columns, self._vocabulary)[0].cells) if levels else {}
                for role, words in (
                    (ColumnRole.NAME, item.name),
                    (ColumnRole.DESCRIPTION, item.description),
                    (ColumnRole.VALUE, item.value),
                ):
                    if words and role in at:
                        cells[at[role]] = Piece(words, piece.line)
                rows.append(RowDraft(Aligned(cells, (), 1.0), columns, Style.FUSED, self._period, raw=item.raw))
                levels = []
        if levels:
            rows.append(RowDraft(align(levels, columns, self._vocabulary)[0], columns, Style.FUSED, self._period))
        return rows

    def _add_row(self, row: RowDraft) -> None:
        cells, roles = row.aligned.cells, row.columns.roles
        by_role = {roles[at]: piece for at, piece in cells.items()}
        if row.columns.has(ColumnRole.AMOUNT) and not row.columns.has(ColumnRole.VALUE):
            self._draft.duties.append(row)
            return
        unit, total = by_role.get(ColumnRole.UNIT_NAME), by_role.get(ColumnRole.PROJECT_TOTAL)
        name = by_role.get(ColumnRole.PROJECT_NAME)
        if unit is not None and name is None and not any(by_role.get(role) for role in INDICATORS):
            # With nothing else in its row, an amount is laid under whichever column is the cheapest.
            self._take_department(unit, total or by_role.get(ColumnRole.VALUE))
            return
        if name is not None:
            self._begin_project(name, unit or self._draft.unit)
        elif unit is not None:
            self._draft.unit = unit
        for role, info in (
            (ColumnRole.PROJECT_CODE, InfoRole.CODE),
            (ColumnRole.PROJECT_NAME, InfoRole.NAME),
            (ColumnRole.PROJECT_TOTAL, InfoRole.TOTAL),
        ):
            if role in by_role:
                self._draft.fields.append(Field(info, row.columns.labels[roles.index(role)], [by_role[role]]))
        if ColumnRole.PROJECT_GOAL in by_role:
            self._draft.goals.append(GoalDraft(by_role[ColumnRole.PROJECT_GOAL], None))
        self._draft.rows.append(row)

    def _take_department(self, unit: Piece, total: Piece | None) -> None:
        if self.form.department is None:
            self.form.department, self.form.department_total = unit, total
        else:
            # The line of another department: its projects follow.
            self._draft = Draft(unit=unit)
            self.form.drafts.append(self._draft)
            if total is not None:
                self._draft.loose.append(total)

    def _begin_project(self, name: Piece, unit: Piece | None) -> None:
        known = self._draft.first(InfoRole.NAME)
        if known is not None and key_of(known.words) != key_of(name.words):
            self._draft = Draft(unit=unit)
            self.form.drafts.append(self._draft)
        self._draft.unit = unit or self._draft.unit


def _is_number(piece: Piece) -> bool:
    """Whether a piece is the running number of a row."""
    return len(piece.words) <= 4 and piece.words.isdecimal()
