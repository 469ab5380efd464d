"""Schemes of indicators: which pairs of first and second level are legal in which year, and which kinds are required.

The two tables at the end are the defaults; a county gives its own as data (``Scheme.model_validate`` of decoded YAML or
JSON). Level names are written here without their ending 指标, and compared without it and without blanks, since texts
write 数量, 数量指标 and 数量 指标 for the same.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Pair = tuple[str, str]

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099


def plain(level: str) -> str:
    """A level's name without blanks and without the ending 指标."""
    return "".join(level.split()).removesuffix("指标")


def full(level: str) -> str:
    """A level's name with the ending 指标, as forms print it."""
    return plain(level) + "指标"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(_Data):
    """A second level, and the other names that texts use for it."""

    name: str
    aliases: tuple[str, ...] = ()


class Level(_Data):
    """A first level with its legal second levels."""

    name: str
    kinds: tuple[Kind, ...]
    aliases: tuple[str, ...] = ()


class Requirement(_Data):
    """A kind of indicator that each project needs: one of ``kinds`` under ``level``, or any kind where it is empty."""

    title: str
    level: str
    kinds: tuple[str, ...] = ()


class Scheme(_Data):
    """The indicator scheme of the years ``since`` to ``until``, both included.

    ``money`` lists the pairs whose amounts are paid from the project's budget (checks A002 and A003). Social and
    ecological costs are borne by others and do not belong there. ``weight_totals`` are the sums that weights may have, and
    ``weight_shares`` what each first level's weights add up to, where the scheme fixes that (check A007).
    """

    title: str
    since: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    until: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    levels: tuple[Level, ...]
    required: tuple[Requirement, ...] = ()
    money: tuple[Pair, ...] = ()
    # Weights add up to 100, or to 90 where the other 10 are those of 预算执行率 that a form does not print.
    weight_totals: Annotated[tuple[Decimal, ...], Field(min_length=1)] = (Decimal(100), Decimal(90))
    weight_shares: dict[str, Decimal] = {}

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        pairs = self._legal
        for item in self.required:
            if not self.satisfying(item):
                raise ValueError(f"指标体系“{self.title}”要求的“{item.title}”在体系中没有对应的指标类别")
        for pair in self.money:
            if pairs.get(pair) != pair:
                raise ValueError(f"指标体系“{self.title}”的成本类别“{'—'.join(pair)}”不在体系中")
        names = {level.name for level in self.levels}
        for name in self.weight_shares:
            if name not in names:
                raise ValueError(f"指标体系“{self.title}”的权重比例写了“{name}”，体系中没有这个一级指标")
        return self

    @cached_property
    def _legal(self) -> dict[Pair, Pair]:
        return {
            (plain(first), plain(second)): (level.name, kind.name)
            for level in self.levels
            for first in (level.name, *level.aliases)
            for kind in level.kinds
            for second in (kind.name, *kind.aliases)
        }

    def pair(self, level1: str, level2: str) -> Pair | None:
        """The pair by its names in this scheme, or None where it is not legal."""
        return self._legal.get((plain(level1), plain(level2)))

    def level(self, level1: str) -> Level | None:
        """The first level of that name or alias, or None."""
        wanted = plain(level1)
        return next((item for item in self.levels if wanted in map(plain, (item.name, *item.aliases))), None)

    def satisfying(self, requirement: Requirement) -> frozenset[Pair]:
        """The pairs that fulfil a requirement."""
        return frozenset(
            (first, second)
            for first, second in self._legal.values()
            if first == requirement.level and (not requirement.kinds or second in requirement.kinds)
        )


_BENEFIT = Level(
    name="效益",
    aliases=("效果",),
    kinds=(
        Kind(name="经济效益", aliases=("经济",)),
        Kind(name="社会效益", aliases=("社会",)),
        Kind(name="生态效益", aliases=("生态",)),
        Kind(name="可持续影响", aliases=("可持续", "可持续发展", "可持续发展影响")),
    ),
)
_SATISFACTION = Level(
    name="满意度", kinds=(Kind(name="服务对象满意度", aliases=("满意度", "社会公众或服务对象满意度")),)
)
_QUANTITY, _QUALITY, _TIME = Kind(name="数量"), Kind(name="质量"), Kind(name="时效")
_OUTPUT_REQUIRED = tuple(
    Requirement(title=f"{name}指标", level="产出", kinds=(name,)) for name in ("数量", "质量", "时效")
)
_OUTCOME_REQUIRED = (Requirement(title="效益指标", level="效益"), Requirement(title="满意度指标", level="满意度"))

SCHEME_A: Final = Scheme(
    title="产出、效益、满意度",
    since=FIRST_YEAR,
    until=2021,
    levels=(
        Level(name="产出", kinds=(_QUANTITY, _QUALITY, _TIME, Kind(name="成本"))),
        _BENEFIT,
        _SATISFACTION,
    ),
    required=(*_OUTPUT_REQUIRED, Requirement(title="成本指标", level="产出", kinds=("成本",)), *_OUTCOME_REQUIRED),
    money=(("产出", "成本"),),
)

SCHEME_B: Final = Scheme(
    title="成本、产出、效益、满意度",
    since=2022,
    until=LAST_YEAR,
    levels=(
        Level(
            name="成本",
            kinds=(
                Kind(name="经济成本", aliases=("经济",)),
                Kind(name="社会成本", aliases=("社会",)),
                Kind(name="生态环境成本", aliases=("生态环境", "生态成本")),
            ),
        ),
        Level(name="产出", kinds=(_QUANTITY, _QUALITY, _TIME)),
        _BENEFIT,
        _SATISFACTION,
    ),
    required=(*_OUTPUT_REQUIRED, Requirement(title="成本指标", level="成本"), *_OUTCOME_REQUIRED),
    money=(("成本", "经济成本"),),
)
