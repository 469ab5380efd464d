"""Layouts: what the forms of each place look like, as TOML files beside this module or in an organization's folder.

A file names the words that only its form has (``recognize``), which labels and columns stand for which member, the kinds
of indicators it knows, and lines that belong to no form (``noise``). ``general.toml`` is the vocabulary that every other
file is laid over. docs/layouts.md says how to write one.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import InvalidInput
from models.problems import problems_of

_FOLDER: Final = Path(__file__).with_name("layouts")
_GENERAL: Final = "general"
_MOST_BYTES: Final = 256 * 1024


class FormKind(StrEnum):
    """What a file is: a budget text, a form of projects or of a whole department, a self-evaluation, a letter."""

    BUDGET_TEXT = "budget_text"
    PROJECT_FORM = "project_form"
    DEPARTMENT_FORM = "department_form"
    SELF_EVALUATION = "self_evaluation"
    LETTER = "letter"


class InfoRole(StrEnum):
    """What a label stands for. Only forms outside a budget text know the roles after ``GOALS``."""

    CODE = "code"
    NAME = "name"
    TOTAL = "total"
    FISCAL = "fiscal"
    OTHER = "other"
    CATEGORY = "category"
    NATURE = "nature"
    SUPERVISING_DEPARTMENT = "supervising_department"
    IMPLEMENTING_UNIT = "implementing_unit"
    PERSON_IN_CHARGE = "person_in_charge"
    PHONE = "phone"
    START = "start"
    END = "end"
    GROUNDS = "grounds"
    CONTENTS = "contents"
    PURPOSE = "purpose"
    PLAN = "spending_plan"
    GOALS = "goals"
    PERIOD_TOTAL = "period_total"
    SOURCE = "source"
    DURATION = "duration"
    PERSON_AND_PHONE = "person_and_phone"
    SCHEDULE = "schedule"
    GOAL_YEAR = "goal_year"
    GOAL_PERIOD = "goal_period"
    GOAL_RESULT = "goal_result"
    UNIT = "unit"
    REVIEWING_BODY = "reviewing_body"
    DEPARTMENT_TOTAL = "department_total"
    DEPARTMENT_BASIC = "department_basic"
    DEPARTMENT_PROJECT = "department_project"
    EXTRA = "extra"
    HEADING = "heading"


class ColumnRole(StrEnum):
    """What a column holds: of indicators, then of money (self-evaluations), of lists of projects, of duties."""

    LEVEL1 = "level1"
    LEVEL2 = "level2"
    NAME = "name"
    DESCRIPTION = "description"
    SIGN = "sign"
    VALUE = "value"
    UNIT = "unit"
    WEIGHT = "weight"
    DIRECTION = "direction"
    BASIS = "basis"
    REMARK = "remark"
    SCORING = "scoring"
    ACTUAL = "actual"
    SCORE = "score"
    REASON = "reason"
    PLANNED = "planned"
    EXECUTED = "executed"
    RATE = "rate"
    UNIT_NAME = "unit_name"
    PROJECT_NAME = "project_name"
    PROJECT_CODE = "project_code"
    PROJECT_TOTAL = "project_total"
    PROJECT_GOAL = "project_goal"
    DUTY = "duty"
    TASK = "task"
    DUTY_PROJECT = "duty_project"
    AMOUNT = "amount"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Recognize(_Part):
    all: tuple[str, ...] = ()


class _Terms(_Part):
    level1: tuple[str, ...] = ()
    level2: tuple[str, ...] = ()


class _Fused(_Part):
    descriptions: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class _Noise(_Part):
    patterns: tuple[str, ...] = ()


class _File(_Part):
    """The shape of a layout file."""

    title: str
    kind: FormKind
    scanned: bool = False
    recognize: _Recognize = _Recognize()
    labels: dict[InfoRole, tuple[str, ...]] = {}
    columns: dict[ColumnRole, tuple[str, ...]] = {}
    terms: _Terms = _Terms()
    broken: dict[str, str] = {}
    fused: _Fused = _Fused()
    noise: _Noise = _Noise()


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout laid over the general one: keys are labels as ``label_key`` writes them.

    ``columns`` gives each column label its roles: 指标值 has one, 预算数 counts money in a list and in a self-evaluation.
    ``broken`` maps what is left of a merged cell to its whole words; ``fused_descriptions`` are words that begin a
    description, ``fused_values`` words that are a value, in text without separators.
    """

    name: str
    title: str
    kind: FormKind
    scanned: bool
    words: tuple[str, ...]
    labels: Mapping[str, InfoRole]
    columns: Mapping[str, tuple[ColumnRole, ...]]
    level1: frozenset[str]
    level2: frozenset[str]
    broken: Mapping[str, str]
    fused_descriptions: tuple[str, ...]
    fused_values: tuple[str, ...]
    noise: tuple[re.Pattern[str], ...]


def key_of(words: str) -> str:
    """A label as it is compared: half width, without blanks and closing colon."""
    return "".join(unicodedata.normalize("NFKC", words).split()).rstrip(":")


@functools.cache
def general_layout() -> Layout:
    """The vocabulary that all forms share."""
    return _layout(_GENERAL, (_FOLDER / f"{_GENERAL}.toml").read_text(encoding="utf-8"), None)


@functools.cache
def builtin_layouts() -> tuple[Layout, ...]:
    """The layouts that come with the program, in the order of their names, without the general one."""
    return _folder_layouts(_FOLDER)


def load_layouts(folder: Path | None) -> tuple[Layout, ...]:
    """The layouts of an organization's folder (None: it has none), then those of the program.

    Raises InvalidInput, with the file and the member, for a file that is no layout.
    """
    if folder is None:
        return builtin_layouts()
    if not folder.is_dir():
        raise InvalidInput(f"没有版式文件夹“{folder}”；请建立它，或改正设置。")
    return (*_folder_layouts(folder), *builtin_layouts())


def parse_layout(name: str, text: str) -> Layout:
    """The layout of a TOML text; raises InvalidInput with one sentence that says where it is wrong."""
    return _layout(name, text, general_layout())


def recognized(words: str, layouts: Iterable[Layout]) -> Layout | None:
    """The first layout all of whose words stand in a text; ``words`` is the text as ``key_of`` writes it."""
    return next((layout for layout in layouts if layout.words and all(word in words for word in layout.words)), None)


def _folder_layouts(folder: Path) -> tuple[Layout, ...]:
    layouts: list[Layout] = []
    for path in sorted(folder.glob("*.toml")):
        if path.stem == _GENERAL and folder == _FOLDER:
            continue
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"版式文件 {path.name} 超过 {_MOST_BYTES // 1024} KB，不像是版式；请移出这个文件夹。")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise InvalidInput(f"版式文件 {path.name} 不是 UTF-8 文字；请另存为 UTF-8。") from None
        layouts.append(_layout(path.stem, text, general_layout()))
    return tuple(layouts)


def _layout(name: str, text: str, base: Layout | None) -> Layout:
    try:
        file = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"版式文件 {name}.toml 不是有效的 TOML：{error}；请改正。") from None
    except ValidationError as error:
        place, words = problems_of(error)[0]
        # A key of the wrong name has pydantic's mark [key] behind it.
        where = ".".join(part for part in place if part != "[key]") or "全文"
        raise InvalidInput(
            f"版式文件 {name}.toml 的 {where} {words}；请按 docs/layouts.md 改正。", file=name, place=where
        ) from None
    if base is not None and not file.recognize.all:
        raise InvalidInput(f"版式文件 {name}.toml 缺少 recognize.all（只有这种表才有的词）；请补上。", file=name)
    labels = _unique(name, "labels", file.labels)
    columns: dict[str, tuple[ColumnRole, ...]] = {}
    for role, written in file.columns.items():
        for words in written:
            columns[key_of(words)] = (*columns.get(key_of(words), ()), role)
    level1, level2 = map(frozenset, (map(key_of, file.terms.level1), map(key_of, file.terms.level2)))
    return Layout(
        name=name,
        title=file.title,
        kind=file.kind,
        scanned=file.scanned,
        words=tuple(map(key_of, file.recognize.all)),
        labels={**base.labels, **labels} if base else labels,
        columns={**base.columns, **columns} if base else columns,
        level1=level1 or (base.level1 if base else frozenset()),
        level2=level2 | (base.level2 if base else frozenset()),
        broken={key_of(part): whole for part, whole in file.broken.items()},
        fused_descriptions=file.fused.descriptions,
        fused_values=file.fused.values,
        noise=tuple(_pattern(name, pattern) for pattern in file.noise.patterns),
    )


def _unique(name: str, part: str, roles: Mapping[InfoRole, Iterable[str]]) -> dict[str, InfoRole]:
    labels: dict[str, InfoRole] = {}
    for role, written in roles.items():
        for words in written:
            key = key_of(words)
            if not key:
                raise InvalidInput(f"版式文件 {name}.toml 的 {part}.{role} 里有空的标签；请删去。", file=name)
            if labels.setdefault(key, role) is not role:
                raise InvalidInput(
                    f"版式文件 {name}.toml 的 {part} 里“{words}”既是 {labels[key]} 又是 {role}；请只留一处。", file=name
                )
    return labels


def _pattern(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidInput(
            f"版式文件 {name}.toml 的 noise.patterns“{pattern}”不是正则表达式：{error}；请改正。"
        ) from None
