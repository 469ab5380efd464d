"""What a grade of the review form means for the next step: the guard ``grade_allows``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from models.blobs import get_blob
from models.content import BudgetText as Content
from models.engine import Work
from models.prepared import Prepared
from models.review_forms import ReviewForm
from workflow.guards import guard
from workflow.situation import Situation

DEPARTMENT_PART = "部门整体绩效目标"
_OF_CONTENT = Prepared(
    sa.select(ReviewForm.subject, ReviewForm.account_id, ReviewForm.grade, ReviewForm.total, ReviewForm.shape)
    .where(
        ReviewForm.text_id == sa.bindparam("text_id"),
        ReviewForm.state == sa.bindparam("state"),
        ReviewForm.round == sa.bindparam("round"),
        ReviewForm.content_hash == sa.bindparam("content_hash"),
    )
    .order_by(ReviewForm.number)
)


def subject_title(content: Content, subject: str) -> str:
    """What people call a subject."""
    name = next((item.name for item in content.projects if item.id == subject), None)
    return DEPARTMENT_PART if not subject else f"项目“{name}”" if name else "已删去的项目"


@guard("grade_allows", "审核等级允许进入下一环节")
def _grade_allows(situation: Situation) -> Iterable[str]:
    """Reasons: the grades 中 and 差 of the present state's forms (财预〔2015〕88号 art. 25 to 28; the limits are configured)."""
    text = situation.text
    found = situation.work.rows(
        _OF_CONTENT, text_id=text.id, state=text.state, round=text.round, content_hash=text.current_hash
    )
    newest = {(subject, account_id): rest for subject, account_id, *rest in found}
    if newest:
        yield from _stopping(situation.work, text.current_hash, newest)


def _stopping(work: Work, content_hash: str, newest: Mapping[tuple[str, str], Sequence[str]]) -> Iterable[str]:
    from documents.reviewing import Form
    from models.content import parse_content

    content = parse_content(get_blob(work, content_hash))
    for (subject, _), (name, total, shape) in newest.items():
        grade = Form.model_validate_json(get_blob(work, shape)).grade_named(name)
        if grade is None or not grade.passes:
            yield f"{subject_title(content, subject)}的审核等级为“{name}”（{total} 分），不得进入下一环节，请退回修改后按程序重新报送"
