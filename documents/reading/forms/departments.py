"""Several departments in one file: one is chosen by name or code, or the reader asks which."""

from __future__ import annotations

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.drafts import Draft, FormDraft
from documents.reading.forms.walking import code_and_name
from documents.reading.layout_files import InfoRole, key_of
from models.errors import InvalidInput
from models.findings import ReadingFinding


def chosen_department(form: FormDraft, department: str | None) -> tuple[list[Draft], list[ReadingFinding]]:
    """The projects of one department, and a finding about those left out.

    Raises InvalidInput that lists the departments where there are several and ``department`` is none of them, or stands
    for more than one.
    """
    groups: dict[str, list[Draft]] = {}
    names: dict[str, str] = {}
    for draft in form.drafts:
        words = _unit_of(draft)
        parts = code_and_name(words)
        # Units of one department share the first three digits of their codes.
        key = parts[0][:3] if parts is not None else key_of(words)
        groups.setdefault(key, []).append(draft)
        names.setdefault(key, words)
    # A project without a unit belongs to the department of the others where there is only one.
    if len([key for key in groups if key]) <= 1:
        return form.drafts, []
    shown = "、".join(f"“{name}”" for key, name in names.items() if key)
    if department is None:
        raise InvalidInput(
            f"文件里有 {len(groups)} 个部门的项目：{shown}；请在导入时用 --department 指明读哪一个，其余分别导入。",
            departments=[name for key, name in names.items() if key],
        )
    wanted = key_of(department)
    fitting = [key for key, name in names.items() if key and (wanted in key_of(name) or wanted == key)]
    if len(fitting) != 1:
        which = "没有" if not fitting else "不止一个"
        raise InvalidInput(
            f"文件里的部门中{which}“{department}”：{shown}；请用 --department 写出其中一个的全称或编码。",
            departments=[name for key, name in names.items() if key],
        )
    left = [name for key, name in names.items() if key != fitting[0]]
    reason = f"文件里有几个部门，按指定只读“{names[fitting[0]]}”；没有读的：{'、'.join(filter(None, left)) or '没有写单位的项目'}。"
    return groups[fitting[0]], [finding(FindingCode.DEPARTMENT_CHOSEN, "", "、".join(left), reason, 1.0)]


def _unit_of(draft: Draft) -> str:
    if draft.unit is not None:
        return draft.unit.words
    item = draft.first(InfoRole.UNIT)
    return item.words if item is not None else ""
