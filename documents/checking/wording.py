"""How messages name things: places in the domain's words, quoted words of the author, money and percent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from models.content import BudgetText

_QUOTED: Final = 30

# How an item of a list is called, and the member that holds its name.
_ITEMS: Final = {
    "projects": ("个项目", "项目", "name"),
    "indicators": ("个指标", "指标", "name"),
    "sub_goals": ("个分项绩效目标", "分项绩效目标", "name"),
    "safeguards": ("条工作保障措施", "工作保障措施", "title"),
    "items": ("条分条", "分条", "title"),
    "goals": ("条绩效目标", "绩效目标", ""),
    "spending_plan": ("个支出时点", "支出时点", "checkpoint"),
}
_PARTS: Final = {"overall": "总体绩效目标"}


def quote(text: str) -> str:
    """The author's words in quotation marks, on one line, and shortened: a message is one sentence."""
    line = text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)
    line = " ".join(line.split())
    return f"“{line if len(line) <= _QUOTED else line[:_QUOTED] + '…'}”"


def owner(content: BudgetText, tokens: Sequence[str]) -> str:
    """The sections and items on the way to a place, such as 项目“科普经费”的第 3 个指标; "" for the text itself."""
    value: Any = content
    names: list[str] = []
    noun = ("条", "", "")
    for token in tokens:
        if isinstance(value, tuple):
            value = value[int(token)]
            counter, kind, member = noun
            name = getattr(value, member, "") if member else ""
            names.append(f"{kind}{quote(name)}" if name.strip() else f"第 {int(token) + 1} {counter}")
        else:
            value = getattr(value, token)
            noun = _ITEMS.get(token, ("条", "", ""))
            if token in _PARTS:
                names.append(_PARTS[token])
    return "的".join(names)


def yuan(amount: Decimal) -> str:
    """Money as 53,100.00 元."""
    return f"{amount:,.2f} 元"


def percent(share: Decimal) -> str:
    """A share as 20% or 12.5%, without needless zeros."""
    digits = f"{share:f}"
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}%"
