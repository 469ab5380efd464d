"""What a form says of one project, as it was found: nothing is repaired yet, every piece knows its line."""

from __future__ import annotations

from dataclasses import dataclass, field

from documents.reading.forms.columns import Aligned, Columns
from documents.reading.forms.pieces import Piece, Style
from documents.reading.layout_files import InfoRole

# A shorter line without an end mark was ended by its author; only longer ones were cut.
_SHORTEST_CUT = 20


@dataclass(slots=True)
class Field:
    """One label with the pieces of its value; ``ordered`` is False where the value was paired by order alone."""

    role: InfoRole
    label: str
    pieces: list[Piece] = field(default_factory=list)
    fused: bool = False
    ordered: bool = True

    @property
    def words(self) -> str:
        """The value in one text: a line of its own stays one, a line that was broken goes on."""
        text = ""
        for piece in self.pieces:
            ended = not text or text[-1] in "。！？；：" or (len(text.split("\n")[-1]) <= _SHORTEST_CUT)
            text += f"\n{piece.words}" if text and ended and piece.words[0] not in "。，；" else piece.words
        return text

    @property
    def line(self) -> int:
        """The line that the value begins on."""
        return self.pieces[0].line


@dataclass(slots=True)
class GoalDraft:
    """One goal and the period that its label or column names; ``unsure`` where several labels share one text."""

    piece: Piece
    period: str | None
    unsure: bool = False


@dataclass(slots=True)
class RowDraft:
    """One row of a table, the columns it stands under, and what period they speak of.

    ``moved`` where its pieces did not fit the columns they stood under, and were laid under others.
    """

    aligned: Aligned
    columns: Columns
    style: Style
    period: str | None = None
    raw: str = ""
    moved: bool = False


@dataclass(slots=True)
class Draft:
    """One project, or the whole department of a department form."""

    fields: list[Field] = field(default_factory=list)
    goals: list[GoalDraft] = field(default_factory=list)
    rows: list[RowDraft] = field(default_factory=list)
    money_rows: list[RowDraft] = field(default_factory=list)
    duties: list[RowDraft] = field(default_factory=list)
    loose: list[Piece] = field(default_factory=list)
    points: list[tuple[str, str, int]] = field(default_factory=list)
    currency: str | None = None
    unit: Piece | None = None

    def first(self, role: InfoRole) -> Field | None:
        """The first field of a role that has a value."""
        return next((item for item in self.fields if item.role is role and item.pieces), None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found for it."""
        return not (self.fields or self.goals or self.rows or self.money_rows or self.duties)


@dataclass(slots=True)
class FormDraft:
    """A whole form: its titles, its projects, the department's own line, and what only orders it."""

    titles: list[Piece] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    department: Piece | None = None
    department_total: Piece | None = None
    year: tuple[int, int] | None = None
    currency: str | None = None
    ordering: list[Piece] = field(default_factory=list)
    noise: list[Piece] = field(default_factory=list)
    numbers: list[tuple[int, Piece]] = field(default_factory=list)
