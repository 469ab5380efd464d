"""The texts that stand around one in the database: what its file said, last year's, and other departments' of the year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from models.engine import Work
from models.errors import NotAllowed, NotFound
from models.findings import ReadingFinding, Severity
from models.prepared import Prepared
from models.texts import BudgetText, Finding, TextVersion
from workflow.situation import TextRow

if TYPE_CHECKING:
    from application.installation import Request
    from documents.checking import CheckSettings, Surroundings
    from models.content import BudgetText as Content

_READ = Prepared(
    sa.select(
        Finding.code, Finding.severity, Finding.anchor, Finding.raw, Finding.reason, Finding.repaired, Finding.line
    )
    .join(TextVersion, TextVersion.text_id == Finding.text_id)
    .where(
        Finding.text_id == sa.bindparam("text_id"),
        TextVersion.number == sa.bindparam("version"),
        TextVersion.source_sha256.is_not(None),
    )
    .order_by(Finding.number)
)


def own_surroundings(work: Work, row: TextRow) -> Surroundings:
    """What the reader said of a text's file, as long as the current version is the one that was read.

    The contents list of a version that was made here is printed from its tables: it can't differ from them.
    """
    from documents.checking import Surroundings

    read = [
        ReadingFinding(code, Severity(severity), place, raw, reason, 1.0, repaired, line)
        for code, severity, place, raw, reason, repaired, line in work.rows(
            _READ, text_id=row.id, version=row.current_version
        )
    ]
    return Surroundings(tuple(read))


def surroundings_of(work: Work, request: Request, row: TextRow, *, settings: CheckSettings) -> Surroundings:
    """What stands around a text, of the texts that the person may read, each in the version that they may read.

    A finding names the other department and its indicator, so it may come from no text that the person could not open.
    Nothing here stops 报送 unless it is set so: the guard looks at the text's own file only (``own_surroundings``).
    """
    from documents.checking import Surroundings
    from documents.checking.corpus import neighbours

    last = _texts(work, request, row.fiscal_year - 1, BudgetText.organization_id == row.organization_id)
    others = _texts(work, request, row.fiscal_year, BudgetText.organization_id != row.organization_id)
    limits = settings.thresholds
    return Surroundings(
        own_surroundings(work, row).read,
        last[0] if last else None,
        neighbours(
            [(_title(text), text) for text in others], similarity=limits.copy_similarity, length=limits.copy_length
        )
        if others
        else None,
    )


def _texts(work: Work, request: Request, year: int, condition: sa.ColumnElement[bool]) -> list[Content]:
    """The texts of a year that the person may read, newest first."""
    from application.access import read_allowed_version, readable

    columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
    query = (
        sa.select(*columns)
        .where(BudgetText.fiscal_year == year, condition, readable(request))
        .order_by(BudgetText.changed_at.desc(), BudgetText.id)
    )
    found = []
    for row in work.connection.execute(query).all():
        try:
            found.append(read_allowed_version(work, request, TextRow(*row)).content)
        except (NotAllowed, NotFound):
            continue
    return found


def _title(text: Content) -> str:
    return f"{text.department.name or text.department.unit_name or '未写明部门'}{text.fiscal_year}年文本"
