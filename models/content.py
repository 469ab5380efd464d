"""The content of a budget text, schema ``jixiao/budget-text/1`` (docs/schema/budget-text-1.json).

The models are frozen: an edit makes a new content. Money is ``Decimal`` 元 with two places and a decimal string in JSON;
shares are ``Decimal`` percent. Every section, project, goal and indicator has a short id that survives edits, so that
opinions, differences and history speak of the same thing. What the domain asks of the values (sums, legal pairs,
required members) is the checker's business: a text under work may be incomplete, and must still be storable.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from models.canonical import canonical_bytes, digest, without_empty
from models.errors import InvalidInput
from models.places import join
from models.problems import problems_of

SCHEMA: Final = "jixiao/budget-text/1"
_CENT = Decimal("0.01")
_LIMIT = Decimal(10) ** 15


_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _decimal(value: Any) -> Decimal:
    """Decimal of a string or integer; a float has lost its exact value before it came here and is refused.

    Decimal itself reads more spellings than JSON writes (full-width digits, 1_000, 1E+3, blanks); a content has one.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError('必须写成十进制字符串，例如 "53100.00"')  # noqa: TRY004 -- pydantic collects ValueError only
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError(f"“{value[:40]}”不是十进制数；应写成例如 53100.00，用半角数字")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"“{number}”不是有限的数")
    if number.copy_abs() >= _LIMIT:
        raise ValueError("数额超出范围：整数部分最多 15 位")
    cents = number.quantize(_CENT)
    if cents != number:
        raise ValueError(f"“{str(value)[:40]}”的小数多于两位")
    return abs(cents) if cents.is_zero() else cents


_TwoPlaces = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$"}),
]
Money = Annotated[_TwoPlaces, Field(description="元，两位小数的十进制字符串")]
Percent = Annotated[_TwoPlaces, Field(description="百分数，两位小数的十进制字符串")]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,15}$", description="短的稳定标识，编辑后不变")]
Sign = Literal["≥", "≤", "=", ">", "<", "区间", "定性"]
Direction = Literal["正向", "反向"]
Period = Literal["年度", "中期"]
Kind = Literal["self_evaluation"]


class _Model(BaseModel):
    # Built on first use: most commands look at no content.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @field_validator("*")
    @classmethod
    def _one_value_for_nothing(cls, value: Any, info: ValidationInfo) -> Any:
        # Canonical form leaves out what holds nothing, so "" of an optional member must be the same content as null.
        if value == "" and info.field_name and cls.model_fields[info.field_name].default is None:
            return None
        if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            raise ValueError("含有不成对的代理字符，不是完整的文字")
        return value


class Extra(_Model):
    """Whatever a form has that the shape has no member for; nothing is dropped."""

    label: str = ""
    value: str = ""


class Department(_Model):
    """The department that writes the text: short name of the cover, codes and full name of the tables."""

    name: str = ""
    code: str | None = None
    unit_code: str | None = None
    unit_name: str | None = None


class Item(_Model):
    """One numbered item of 总体绩效目标, or one safeguard of 工作保障措施."""

    id: Id
    title: str = ""
    text: str = ""


class SubGoal(_Model):
    """One 分项绩效目标 with its 绩效指标 text and the ids of the projects that serve it."""

    id: Id
    name: str = ""
    indicator: str = ""
    projects: tuple[Id, ...] = ()


class Source(_Model):
    """One source of money, such as 一般公共预算."""

    name: str = ""
    amount: Money


class Budget(_Model):
    """A project's money in 元; that total = fiscal + other is check A001, not a rule of the shape.

    ``executed`` (全年执行数) stands only in self-evaluations.
    """

    total: Money | None = None
    fiscal: Money | None = None
    other: Money | None = None
    sources: tuple[Source, ...] = ()
    period_total: Money | None = None
    executed: Money | None = None


class DepartmentBudget(_Model):
    """The money of the whole department in 元: 基本支出 and 项目支出."""

    total: Money | None = None
    basic: Money | None = None
    project: Money | None = None


class Duty(_Model):
    """One 职能 of the department with its task, project and money."""

    id: Id
    duty: str = ""
    task: str | None = None
    project: str | None = None
    amount: Money | None = None


class Checkpoint(_Model):
    """A point of the spending plan: until when, and the cumulative percent spent by then."""

    checkpoint: str = ""
    percent: Percent


class Schedule(_Model):
    """One step of a project's schedule; ISO dates where certain, else as written."""

    content: str = ""
    start: str | None = None
    end: str | None = None


class Goal(_Model):
    """One numbered 绩效目标 of a project."""

    id: Id
    text: str = ""
    period: Period | None = None


class Indicator(_Model):
    """One 绩效指标; ``value`` is a decimal string, or words for 定性; ``raw_value`` is the cell as it was read.

    ``actual`` (全年实际值, as written), ``score`` (得分) and ``reason`` (未完成原因) stand only in self-evaluations.
    """

    id: Id
    level1: str = ""
    level2: str = ""
    name: str = ""
    description: str = ""
    sign: Sign | None = None
    value: str = ""
    value_to: str | None = None
    unit: str | None = None
    remark: str | None = None
    direction: Direction | None = None
    weight: Percent | None = None
    basis: str = ""
    raw_value: str | None = None
    period: Period | None = None
    core: bool | None = None
    part_of: Id | None = None
    scoring: str | None = None
    actual: str | None = None
    score: Percent | None = None
    reason: str | None = None
    extra: tuple[Extra, ...] = ()


class Overall(_Model):
    """总体绩效目标: introduction and numbered items; money, duties and indicators where a form has them."""

    introduction: str = ""
    items: tuple[Item, ...] = ()
    budget: DepartmentBudget | None = None
    duties: tuple[Duty, ...] = ()
    indicators: tuple[Indicator, ...] = ()

    @field_validator("budget")
    @classmethod
    def _empty_budget_is_none(cls, value: DepartmentBudget | None) -> DepartmentBudget | None:
        return None if value == DepartmentBudget() else value


class Project(_Model):
    """One 预算项目 with its 绩效目标表; person_in_charge and phone are personal data and never published."""

    id: Id
    code: str = ""
    name: str = ""
    budget: Budget = Budget()
    purpose: str = ""
    spending_plan: tuple[Checkpoint, ...] = ()
    goals: tuple[Goal, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    category: str | None = None
    nature: str | None = None
    supervising_department: str | None = None
    implementing_unit: str | None = None
    person_in_charge: str | None = None
    phone: str | None = None
    start: str | None = None
    end: str | None = None
    grounds: str | None = None
    contents: str | None = None
    schedule: tuple[Schedule, ...] = ()
    extra: tuple[Extra, ...] = ()


class BudgetText(_Model):
    """A whole 部门预算绩效文本; ``kind`` is absent in it, and names the form where the content is of another one."""

    schema_: Literal["jixiao/budget-text/1"] = Field(alias="schema", default=SCHEMA)
    kind: Kind | None = None
    title: str = ""
    fiscal_year: int = Field(ge=2000, le=2099, strict=True)
    department: Department = Department()
    reviewing_body: str = ""
    overall: Overall = Overall()
    sub_goals: tuple[SubGoal, ...] = ()
    safeguards: tuple[Item, ...] = ()
    projects: tuple[Project, ...] = ()
    extra: tuple[Extra, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        lists: list[tuple[str, tuple[Any, ...]]] = [
            ("overall.items", self.overall.items),
            ("overall.duties", self.overall.duties),
            ("overall.indicators", self.overall.indicators),
            ("sub_goals", self.sub_goals),
            ("safeguards", self.safeguards),
            ("projects", self.projects),
        ]
        for project in self.projects:
            lists.append((f"projects.{project.id}.goals", project.goals))
            lists.append((f"projects.{project.id}.indicators", project.indicators))
        for name, members in lists:
            ids = [member.id for member in members]
            if len(ids) != len(set(ids)):
                raise ValueError(f"{name} 中有重复的 id")
        return self


def to_json(content: BudgetText) -> dict[str, Any]:
    """The canonical JSON value of a content: money as strings, members that hold nothing left out."""
    value: dict[str, Any] = without_empty(content.model_dump(mode="json", by_alias=True))
    return value


def content_bytes(content: BudgetText) -> bytes:
    """The canonical bytes of a content, which its hash is taken over."""
    return canonical_bytes(to_json(content))


def content_hash(content: BudgetText) -> str:
    """SHA-256 of the canonical bytes, 64 hexadecimal characters: what an approval binds to."""
    return digest(content_bytes(content))


def from_json(value: Any) -> BudgetText:
    """Content of a decoded JSON value; raises InvalidInput that names each wrong member by its JSON pointer."""
    try:
        return BudgetText.model_validate(value)
    except ValidationError as error:
        problems = [{"place": join(place), "message": words} for place, words in problems_of(error)]
        first = problems[0]
        more = f"（共 {len(problems)} 处）" if len(problems) > 1 else ""
        raise InvalidInput(
            f"内容不符合 {SCHEMA}：{first['place'] or '全文'} {first['message']}{more}；"
            "请按 docs/schema/budget-text-1.json 改正。",
            problems=problems,
        ) from error


def parse_content(data: bytes) -> BudgetText:
    """Content of JSON bytes (canonical or not); raises InvalidInput with one sentence."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"不是有效的 JSON：{error}；请检查文件。") from error
    return from_json(value)


def json_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of a content."""
    schema = BudgetText.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}


def schema_bytes() -> bytes:
    """The bytes of ``docs/schema/budget-text-1.json``, which ``make schema`` writes."""
    return orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
