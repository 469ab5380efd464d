"""Figures in the author's words: plain numbers, and amounts of money with their unit, exact in Decimal 元."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

from documents.checking.fields import blank
from models.content import Indicator

# What stands in a cell of units that nobody filled; % and ㎡ are units though they hold no letter.
_UNWRITTEN: Final = " -—–－/…."

MONEY_UNITS: Final = {
    "元": Decimal(1),
    "人民币元": Decimal(1),
    "百元": Decimal(100),
    "千元": Decimal(1000),
    "万元": Decimal(10_000),
    "百万元": Decimal(1_000_000),
    "亿元": Decimal(100_000_000),
}

TEN_THOUSAND: Final = Decimal(10_000)

# Longer digit strings are no figures of a budget; the bound keeps every product below within the exact precision.
_LONGEST: Final = 100
_EXACT: Final = Context(prec=120)

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
# Decimal digits of any width; numbering such as ① is no figure.
_RUN = re.compile(r"\d+(?:[.．]\d+)?")
# A run of digits is only tried from its first digit, so that a long one costs linear time; a price per piece
# (元/人, 元每次) is not an amount.
_AMOUNT = re.compile(
    r"(?<![0-9,.])([0-9][0-9,]*+(?:\.[0-9]++)?)\s*+(百万元|人民币元|百元|千元|万元|亿元|元)(?!\s*[/每])"
)

_AVERAGE = re.compile(r"均|每")
_NEAR: Final = 6


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with a unit of money, and the same in 元."""

    number: Decimal
    unit: str
    yuan: Decimal


def narrow(text: str) -> str:
    """The text with half-width digits, letters and marks (NFKC); for reading figures only, never for storing."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def number(text: str) -> Decimal | None:
    """The plain number that a text is, thousands commas and full-width digits allowed, or None."""
    digits = narrow(text).strip()
    if len(digits) > _LONGEST or not _NUMBER.fullmatch(digits):
        return None
    return Decimal(digits.replace(",", ""))


def count_numbers(text: str) -> int:
    """How many figures stand in a text: 2 in 举办培训班12期，培训500人."""
    return len(_RUN.findall(text.replace(",", "")))


def total(amounts: Iterator[Decimal]) -> Decimal:
    """The exact sum."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def has_unit(unit: str | None) -> bool:
    """Whether a unit is written, of money or of anything else."""
    return bool("".join((unit or "").split()).strip(_UNWRITTEN))


def money_unit(unit: str | None) -> str | None:
    """The unit as a key of MONEY_UNITS, or None where it is no unit of money (元/人 is a price, not an amount)."""
    word = "".join(narrow(unit or "").split())
    return word if word in MONEY_UNITS else None


def amount(figure: Decimal, unit: str) -> Amount:
    """An amount of ``figure`` in ``unit``, a key of MONEY_UNITS."""
    return Amount(figure, unit, _EXACT.multiply(figure, MONEY_UNITS[unit]))


def amounts(text: str) -> Iterator[Amount]:
    """All amounts of money that a text states, averages (人均 500 元) left out."""
    words = narrow(text)
    for match in _AMOUNT.finditer(words):
        figure = number(match[1].replace(",", ""))
        if figure is not None and not _AVERAGE.search(words, max(0, match.start() - _NEAR), match.start()):
            yield amount(figure, match[2])


def indicator_amount(indicator: Indicator) -> Amount | None:
    """The money that an indicator's value is, the upper end of a 区间, or None where it is no amount.

    The unit is the one of its member; where that is empty, the one written behind the number in the value, and then the
    one that the remark gives to the same number (forms often give the unit only there).
    """
    ends = [indicator.value, indicator.value_to or ""] if indicator.sign == "区间" else [indicator.value]
    found = [item for item in (_end_amount(indicator, end) for end in ends if not blank(end)) if item is not None]
    return max(found, key=lambda item: item.yuan) if found and indicator.sign != "定性" else None


def _end_amount(indicator: Indicator, end: str) -> Amount | None:
    text = narrow(end).strip()
    written = _AMOUNT.fullmatch(text)
    figure = number(written[1] if written else text)
    if figure is None:
        return None
    if has_unit(indicator.unit):
        unit = money_unit(indicator.unit)
    elif written:
        unit = written[2]
    else:
        unit = next((item.unit for item in amounts(indicator.remark or "") if item.number == figure), None)
    return None if unit is None else amount(figure, unit)


def off_by_ten_thousand(one: Decimal, other: Decimal) -> bool:
    """Whether one of two amounts is exactly 10,000 times the other: the trace of 元 taken for 万元."""
    if one == 0 or other == 0:
        return False
    return _EXACT.multiply(one, TEN_THOUSAND) == other or _EXACT.multiply(other, TEN_THOUSAND) == one
