"""The money of a form: totals of the year and of the whole period, fiscal and other money, sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.columns import NOTHING
from documents.reading.forms.drafts import Draft, Field
from documents.reading.layout_files import ColumnRole, InfoRole, key_of
from documents.reading.money import MONEY_UNITS, read_money
from models.content import Budget, Extra, Source
from models.findings import ReadingFinding

_AMOUNT = re.compile(r"[¥￥]?-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\s*(?:百万元|千元|万元|亿元|元)?")
_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*(万元|亿元|千元)")
_TOTALS: Final = (InfoRole.PERIOD_TOTAL, InfoRole.TOTAL)
_ROLES: Final = frozenset({*_TOTALS, InfoRole.FISCAL, InfoRole.OTHER, InfoRole.SOURCE})
_MEMBERS: Final = {
    InfoRole.PERIOD_TOTAL: "period_total",
    InfoRole.TOTAL: "total",
    InfoRole.FISCAL: "fiscal",
    InfoRole.OTHER: "other",
}


@dataclass(slots=True)
class Money:
    """A budget as read; ``extra`` and ``placed`` belong to the project at ``place``."""

    budget: Budget = field(default_factory=Budget)
    extra: list[Extra] = field(default_factory=list)
    findings: list[ReadingFinding] = field(default_factory=list)
    placed: list[tuple[int, str]] = field(default_factory=list)


def read_budget(draft: Draft, currency: str | None, place: str, *, first_extra: int) -> Money:
    """The money of a draft whose form counts in ``currency`` (None: not said)."""
    money = Money()
    entries = [item for item in draft.fields if item.role in _ROLES and item.pieces]
    if not entries and not draft.money_rows:
        return money
    given = currency
    if currency is None and not draft.money_rows:
        currency = _written_unit(draft, entries, money, f"{place}/budget")
    chosen = _chosen(entries)
    amounts: dict[str, Decimal | None] = {}
    sources: list[Source] = []
    for item in entries:
        member = chosen.get(id(item))
        where = f"{place}/budget/{member or 'sources'}"
        if item.words in NOTHING:
            money.placed.append((item.line, f"{place}/budget"))
            continue
        if item.role is InfoRole.SOURCE:
            amount = _amount(item, currency, f"{place}/budget/sources/{len(sources)}/amount", money)
            if amount is not None:
                sources.append(Source(name=key_of(item.label).removeprefix("其中:"), amount=amount))
                continue
        elif member is not None and member not in amounts:
            amount = amounts[member] = _amount(item, currency, where, money)
            if amount is not None:
                continue
        elif member is not None and amounts[member] == read_money(_figure(item.words), currency, where, item.line)[0]:
            money.placed.append((item.line, where))
            continue
        _leave(money, item, place, first_extra)
    _read_rows(draft, currency, place, amounts, money, first_extra=first_extra)
    bare = [item for item in entries if not _figure(item.words).endswith("元") and _figure(item.words) != "0"]
    if given is None and currency is None and any(amounts.values()) and (bare or draft.money_rows):
        reason = "表上没有写金额单位（如“单位：元”），按元读取，请确认。"
        line = bare[0].line if bare else None
        raw = bare[0].words if bare else ""
        money.findings.append(finding(FindingCode.MONEY_UNIT_MISSING, f"{place}/budget", raw, reason, 0.6, line=line))
    money.budget = Budget(
        **{name: amount for name, amount in amounts.items() if amount is not None}, sources=tuple(sources)
    )
    return money


def _chosen(entries: Sequence[Field]) -> dict[int, str]:
    """The member of each entry: where a form has two totals, the first 财政资金 belongs to the first of them."""
    totals = [item.role for item in entries if item.role in _TOTALS]
    both = len(set(totals)) == 2
    chosen: dict[int, str] = {}
    for role in (InfoRole.FISCAL, InfoRole.OTHER):
        of_role = [item for item in entries if item.role is role]
        paired = both and len(of_role) == len(totals) and len(of_role) > 1
        for at, item in enumerate(of_role):
            if not paired or totals[at] is InfoRole.TOTAL:
                chosen[id(item)] = _MEMBERS[role]
    for item in entries:
        if item.role in _TOTALS:
            chosen[id(item)] = _MEMBERS[item.role]
    return chosen


def _figure(words: str) -> str:
    match = _AMOUNT.match(words)
    return match[0] if match else words


def _amount(item: Field, currency: str | None, where: str, money: Money) -> Decimal | None:
    written = _figure(item.words) if item.fused else item.words
    amount, findings = read_money(written, currency, where, item.line)
    money.findings += findings
    money.placed.append((item.line, where.rsplit("/", 1)[0]))
    return amount


def _leave(money: Money, item: Field, place: str, first_extra: int) -> None:
    at = f"{place}/extra/{first_extra + len(money.extra)}/value"
    reason = f"“{item.label[:20]}”的金额没有对应的项（属于另一期间，或已有一个不同的数），原文存入附加项。"
    money.findings.append(finding(FindingCode.AMOUNT_SHARED, at, item.words, reason, 0.7, line=item.line))
    money.extra.append(Extra(label=item.label, value=item.words))
    money.placed.append((item.line, at))


def _written_unit(draft: Draft, entries: Sequence[Field], money: Money, place: str) -> str | None:
    """The unit of figures without one, where the words before the table write the same figure with its unit."""
    figures: dict[str, Field] = {}
    for item in sorted(entries, key=lambda item: item.role not in _TOTALS):
        figures.setdefault(item.words.replace(",", ""), item)
    texts = [piece for item in draft.fields if item.role is InfoRole.EXTRA for piece in item.pieces]
    for piece in [*texts, *draft.loose]:
        for number, unit in _WITH_UNIT.findall(piece.words):
            same = next(
                (item for words, item in figures.items() if _is_number(words) and Decimal(words) == Decimal(number)),
                None,
            )
            if same is not None and unit in MONEY_UNITS:
                reason = f"表上没有写金额单位；表前文字写的是“{number}{unit}”，与表里的“{same.words}”相符，按{unit}读取，请确认。"
                member = _MEMBERS.get(same.role, "total")
                amount, _ = read_money(same.words, unit, "", same.line)
                money.findings.append(
                    finding(
                        FindingCode.MONEY_UNIT_MISSING, f"{place}/{member}", same.words, reason, 0.8,
                        repaired=str(amount), line=same.line,
                    )
                )  # fmt: skip
                return str(unit)
    return None


def _is_number(words: str) -> bool:
    return re.fullmatch(r"\d+(?:\.\d+)?", words) is not None


def _read_rows(
    draft: Draft,
    currency: str | None,
    place: str,
    amounts: dict[str, Decimal | None],
    money: Money,
    *,
    first_extra: int,
) -> None:
    """Rows of a self-evaluation: planned and executed beside one another."""
    for row in draft.money_rows:
        cells = {row.columns.roles[at]: piece for at, piece in row.aligned.cells.items()}
        role = InfoRole.TOTAL if "资金总额" in row.raw else InfoRole.FISCAL if "财政" in row.raw else InfoRole.OTHER
        planned, executed = cells.get(ColumnRole.PLANNED), cells.get(ColumnRole.EXECUTED)
        member = _MEMBERS[role]
        if planned is not None and planned.words not in NOTHING and member not in amounts:
            item = Field(role, row.raw, [planned])
            amounts[member] = _amount(item, currency, f"{place}/budget/{member}", money)
        if role is InfoRole.TOTAL and executed is not None and executed.words not in NOTHING:
            item = Field(role, row.raw, [executed])
            amounts["executed"] = _amount(item, currency, f"{place}/budget/executed", money)
        taken = [ColumnRole.PLANNED, *([ColumnRole.EXECUTED] if role is InfoRole.TOTAL else [])]
        for at, piece in row.aligned.cells.items():
            if row.columns.roles[at] not in taken and piece.words not in NOTHING:
                label = f"{key_of(row.raw)} {key_of(row.columns.labels[at])}"
                money.placed.append((piece.line, f"{place}/extra/{first_extra + len(money.extra)}"))
                money.extra.append(Extra(label=label, value=piece.words))
