"""The public content: the text without personal data.

The approved content is kept as it is; what is published is a copy from which the person in charge, the phone, and every
extra member of a form that is labelled as a person or a way to reach one have been taken out.
"""

from __future__ import annotations

import re
from typing import Final

from models.content import BudgetText, Extra, Indicator, Project

# 姓名 of a contact comes under many labels, and forms spread them with blanks (联 系 人), so blanks are taken out first.
_PERSONAL: Final = re.compile(r"联系人|联系方式|电话|负责人|手机|经办人|填报人|填表人|姓名|电子邮箱|邮箱|身份证")
_BLANK: Final = re.compile(r"\s+")


def is_personal(label: str) -> bool:
    """Whether a form's label names a person, or a way to reach one."""
    return _PERSONAL.search(_BLANK.sub("", label)) is not None


def _public(extra: tuple[Extra, ...]) -> tuple[Extra, ...]:
    return tuple(member for member in extra if not is_personal(member.label))


def _public_indicator(indicator: Indicator) -> Indicator:
    return indicator.model_copy(update={"extra": _public(indicator.extra)})


def _public_project(project: Project) -> Project:
    return project.model_copy(
        update={
            "person_in_charge": None,
            "phone": None,
            "extra": _public(project.extra),
            "indicators": tuple(_public_indicator(indicator) for indicator in project.indicators),
        }
    )


def published(content: BudgetText) -> BudgetText:
    """Copy of a content that may be shown to everybody."""
    overall = content.overall
    indicators = tuple(_public_indicator(indicator) for indicator in overall.indicators)
    return content.model_copy(
        update={
            "extra": _public(content.extra),
            "overall": overall.model_copy(update={"indicators": indicators}),
            "projects": tuple(_public_project(project) for project in content.projects),
        }
    )
