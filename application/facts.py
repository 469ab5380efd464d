"""What conditions of a definition may ask about a budget text; importing this registers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from models.blobs import get_blob
from models.engine import Work
from models.people import Organization
from models.prepared import Prepared
from models.texts import TextKind
from workflow.facts import Fact, register_facts
from workflow.situation import TextRow

_CENT: Final = Decimal("0.01")
_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)

BUDGET_FACTS: Final = {
    "total": Fact("预算总额", step=_CENT, optional=True),
    "fiscal": Fact("财政资金", step=_CENT, optional=True),
    "other": Fact("其他资金", step=_CENT, optional=True),
    "projects": Fact("项目数", step=_ONE, least=_ZERO),
    "indicators": Fact("绩效指标数", step=_ONE, least=_ZERO),
    "sub_goals": Fact("分项绩效目标数", step=_ONE, least=_ZERO),
    "fiscal_year": Fact("财政年度", step=_ONE, least=Decimal(2000)),
    "department": Fact("编制部门", type="text"),
}

# The registered name and not that of the content: whoever writes a text must not choose its way by the cover.
_NAME: Final = Prepared(sa.select(Organization.name).where(Organization.id == sa.bindparam("organization_id")))


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum in 元; None as soon as one amount is missing, since a gap taken for zero would choose the way of a small budget."""
    known = list(amounts)
    return None if None in known else sum((amount for amount in known if amount is not None), _ZERO)


def _read(work: Work, text: TextRow) -> Mapping[str, Any]:
    from models.content import parse_content  # loaded when a condition asks, not with every command

    content = parse_content(get_blob(work, text.current_hash))
    budgets = [project.budget for project in content.projects]
    name = work.one(_NAME, organization_id=text.organization_id)
    return {
        "total": total(budget.total for budget in budgets),
        "fiscal": total(budget.fiscal for budget in budgets),
        "other": total(budget.other for budget in budgets),
        "projects": len(content.projects),
        "indicators": len(content.overall.indicators) + sum(len(project.indicators) for project in content.projects),
        "sub_goals": len(content.sub_goals),
        "fiscal_year": text.fiscal_year,
        "department": name[0] if name else "",
    }


register_facts(TextKind.BUDGET.value, BUDGET_FACTS, _read)
