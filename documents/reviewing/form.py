"""What a review form asks and how its points become a grade (domain.md section 3): configuration, never code."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import InvalidInput

_Name = Annotated[str, Field(min_length=1, max_length=40)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Item(_Data):
    """One line of the form: its name, the most points that it gives, and the question behind it."""

    name: _Name
    points: Annotated[Decimal, Field(gt=0, le=1000)]
    asks: str = ""


class Criterion(_Data):
    """完整性, 相关性, 适当性 or 可行性 with its items."""

    name: _Name
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class Grade(_Data):
    """A grade, the total from which on it is given, whether the text may go on with it, and the usual conclusion."""

    name: _Name
    at_least: Annotated[Decimal, Field(ge=0)]
    passes: bool
    conclusion: _Name


class Form(_Data):
    """A review form; ``grades`` stand from the best to the worst, and the worst begins at 0."""

    title: _Name
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    grades: Annotated[tuple[Grade, ...], Field(min_length=1)]
    conclusions: Annotated[tuple[_Name, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [item.name for item in self.items]
        twice = sorted({name for name in names if names.count(name) > 1})
        limits = [grade.at_least for grade in self.grades]
        strange = sorted({grade.conclusion for grade in self.grades} - set(self.conclusions))
        if twice:
            raise ValueError(f"要点 {'、'.join(twice)} 写了两次")
        if limits != sorted(set(limits), reverse=True) or limits[-1] != 0:
            raise ValueError("等级要从高到低，分数线不能相同，最后一级从 0 分起")
        if limits[0] > self.points:
            raise ValueError(f"最高一级要 {limits[0]} 分，而满分只有 {self.points} 分")
        if strange:
            raise ValueError(f"等级的结论 {'、'.join(strange)} 不在 conclusions 中")
        return self

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in the order of the form."""
        return tuple(item for criterion in self.criteria for item in criterion.items)

    @property
    def points(self) -> Decimal:
        """The most points that the whole form gives."""
        return sum((item.points for item in self.items), Decimal(0))

    def grade(self, total: Decimal) -> Grade:
        """The grade of a total."""
        return next(grade for grade in self.grades if total >= grade.at_least)

    def grade_named(self, name: str) -> Grade | None:
        """The grade of that name; None where the form has none."""
        return next((grade for grade in self.grades if grade.name == name), None)


def parse_form(data: bytes, name: str) -> Form:
    """A form from YAML; raises InvalidInput that says what is wrong, and where, in the file of that name."""
    try:
        return Form.model_validate(yaml.safe_load(data))
    except yaml.YAMLError as error:
        raise InvalidInput(
            f"审核表“{name}”不是有效的 YAML（{' '.join(str(error).split())}）；请改正后重试。"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "全文"
        raise InvalidInput(
            f"审核表“{name}”的 {place} 不合要求：{first['msg'].removeprefix('Value error, ')}；请改正后重试。"
        ) from error


@cache
def default_form() -> Form:
    """The form that ships with jixiao."""
    return parse_form(files("documents.reviewing").joinpath("form.yaml").read_bytes(), "form.yaml")
