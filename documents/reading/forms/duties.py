"""A whole department's form: its money, its duties, its goals and its indicators, none of which goes to a project."""

from __future__ import annotations

from decimal import Decimal

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.drafts import Draft, FormDraft
from documents.reading.forms.indicator_rows import read_rows
from documents.reading.forms.projects import Built
from documents.reading.forms.vocabulary import Vocabulary
from documents.reading.layout_files import ColumnRole, InfoRole
from documents.reading.money import read_money
from models.content import DepartmentBudget, Duty, Item, Overall, Project

_MONEY = {
    InfoRole.DEPARTMENT_TOTAL: "total",
    InfoRole.TOTAL: "total",
    InfoRole.DEPARTMENT_BASIC: "basic",
    InfoRole.DEPARTMENT_PROJECT: "project",
}
_OVERALL = "/overall"


def read_department(form: FormDraft, draft: Draft, vocabulary: Vocabulary) -> tuple[Overall, Built]:
    """The department part of a form, with its findings and where its lines went."""
    built = Built(Project(id="p1"))
    amounts: dict[str, Decimal | None] = {}
    for item in draft.fields:
        member = _MONEY.get(item.role)
        if member is None or not item.pieces or member in amounts:
            continue
        place = f"{_OVERALL}/budget/{member}"
        amounts[member], findings = read_money(item.words, form.currency, place, item.line)
        built.findings += findings
        built.placed.append((item.line, place))
    if any(amounts.values()) and form.currency is None:
        reason = "表上没有写金额单位（如“单位：万元”），按元读取，请确认。"
        built.findings.append(finding(FindingCode.MONEY_UNIT_MISSING, f"{_OVERALL}/budget", "", reason, 0.6))
    rows = read_rows(draft.rows, vocabulary, _OVERALL)
    built.findings += rows.findings
    built.placed += rows.placed
    items = []
    for at, goal in enumerate(draft.goals):
        items.append(Item(id=f"o{at + 1}", text=goal.piece.words))
        built.placed.append((goal.piece.line, f"{_OVERALL}/items/{at}/text"))
    return (
        Overall(
            items=tuple(items),
            budget=DepartmentBudget(**{name: amount for name, amount in amounts.items() if amount is not None}),
            duties=_duties(form, draft, built),
            indicators=rows.indicators,
        ),
        built,
    )


def _duties(form: FormDraft, draft: Draft, built: Built) -> tuple[Duty, ...]:
    duties: list[Duty] = []
    duty = ""
    for row in draft.duties:
        cells = {row.columns.roles[at]: piece for at, piece in row.aligned.cells.items()}
        place = f"{_OVERALL}/duties/{len(duties)}"
        built.placed += [(piece.line, place) for piece in cells.values()]
        if ColumnRole.DUTY in cells:
            duty = cells[ColumnRole.DUTY].words
        money = cells.get(ColumnRole.AMOUNT)
        amount: Decimal | None = None
        if money is not None:
            amount, findings = read_money(money.words, form.currency, f"{place}/amount", money.line)
            built.findings += findings
        task, project = cells.get(ColumnRole.TASK), cells.get(ColumnRole.DUTY_PROJECT)
        duties.append(
            Duty(
                id=f"d{len(duties) + 1}",
                duty=duty,
                task=task.words if task else None,
                project=project.words if project else None,
                amount=amount,
            )
        )
    return tuple(duties)
