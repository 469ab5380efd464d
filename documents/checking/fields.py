"""The required fields of a budget text as data, and the search for those that are empty (check C001).

A path is a JSON pointer in which ``*`` stands for every item of a list. A required list needs at least one item. Where
several members can say the same, ``or_members`` names the siblings that do as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Any, Final, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, model_validator

from models.content import BudgetText

EACH: Final = "*"


def blank(text: str | None) -> bool:
    """Whether a text holds nothing: no letter and no digit; forms write ``-``, ``/`` and ``……`` for empty."""
    # The first character says it for almost every text.
    return not text or not (text[0].isalnum() or any(character.isalnum() for character in text))


def _without_none(annotation: Any) -> Any:
    arguments = get_args(annotation)
    return next(item for item in arguments if item is not NoneType) if NoneType in arguments else annotation


def _in_schema(tokens: list[str]) -> bool:
    """Whether the content schema has a member at such a path, so that a misspelt setting fails when it is loaded."""
    annotation: Any = BudgetText
    for token in tokens:
        if token == EACH:
            if get_origin(annotation) is not tuple:
                return False
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel) and token in annotation.model_fields:
            annotation = _without_none(annotation.model_fields[token].annotation)
        else:
            return False
    return tokens[-1] != EACH


class RequiredField(BaseModel):
    """One required field: its path and its Chinese title."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    title: str
    or_members: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _path_exists(self) -> Self:
        *owner, _ = self.tokens
        for tokens in (self.tokens, *([*owner, name] for name in self.or_members)):
            if not self.path.startswith("/") or not _in_schema(tokens):
                raise ValueError(f"必填项“{self.title}”的路径“/{'/'.join(tokens)}”在文本结构中不存在")
        return self

    @property
    def tokens(self) -> list[str]:
        """The path's reference tokens."""
        return self.path[1:].split("/")


def empty(value: Any) -> bool:
    """Whether a member holds nothing: None, an empty list, or a blank text."""
    return value is None or value == () or (isinstance(value, str) and blank(value))


def missing(content: BudgetText, field: RequiredField) -> Iterator[tuple[str, ...]]:
    """Tokens of every place where the field is empty; an owner that does not exist lacks nothing of its own."""
    *path, last = field.tokens
    owners: list[tuple[tuple[str, ...], Any]] = [((), content)]
    for token in path:
        if token == EACH:
            owners = [((*tokens, str(n)), item) for tokens, value in owners for n, item in enumerate(value)]
        else:
            owners = [((*tokens, token), getattr(value, token)) for tokens, value in owners if value is not None]
    for tokens, owner in owners:
        if owner is not None and all(empty(getattr(owner, name)) for name in (last, *field.or_members)):
            yield (*tokens, last)


def _indicator_fields(path: str) -> tuple[RequiredField, ...]:
    return (
        RequiredField(path=f"{path}/*/level1", title="一级指标"),
        RequiredField(path=f"{path}/*/level2", title="二级指标"),
        RequiredField(path=f"{path}/*/name", title="三级指标"),
        RequiredField(path=f"{path}/*/description", title="绩效指标描述"),
        RequiredField(path=f"{path}/*/value", title="指标值"),
    )


REQUIRED_FIELDS: Final[tuple[RequiredField, ...]] = (
    RequiredField(path="/department/name", title="编制部门"),
    RequiredField(path="/department/unit_code", title="单位编码"),
    RequiredField(path="/department/unit_name", title="单位名称"),
    RequiredField(path="/reviewing_body", title="审核机关"),
    RequiredField(path="/overall/introduction", title="总述"),
    RequiredField(path="/overall/items", title="分条"),
    RequiredField(path="/overall/items/*/text", title="内容", or_members=("title",)),
    *_indicator_fields("/overall/indicators"),
    RequiredField(path="/sub_goals", title="分项绩效目标"),
    RequiredField(path="/sub_goals/*/name", title="绩效目标名称"),
    RequiredField(path="/sub_goals/*/indicator", title="绩效指标"),
    RequiredField(path="/safeguards", title="工作保障措施"),
    RequiredField(path="/safeguards/*/title", title="标题"),
    RequiredField(path="/safeguards/*/text", title="内容"),
    RequiredField(path="/projects", title="预算项目"),
    RequiredField(path="/projects/*/code", title="项目编码"),
    RequiredField(path="/projects/*/name", title="项目名称"),
    RequiredField(path="/projects/*/budget/total", title="预算数"),
    RequiredField(path="/projects/*/budget/fiscal", title="财政资金"),
    RequiredField(path="/projects/*/budget/other", title="其他资金"),
    RequiredField(path="/projects/*/purpose", title="资金用途"),
    RequiredField(path="/projects/*/spending_plan", title="资金支出计划"),
    RequiredField(path="/projects/*/spending_plan/*/checkpoint", title="时点"),
    RequiredField(path="/projects/*/goals", title="绩效目标"),
    RequiredField(path="/projects/*/goals/*/text", title="内容"),
    RequiredField(path="/projects/*/indicators", title="绩效指标"),
    *_indicator_fields("/projects/*/indicators"),
)
