"""Scores on a review form: what is wrong with them, their total, and the grade that they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from documents.reviewing.form import Form, Grade
from models.errors import InvalidInput

# Half and tenth points are given; finer ones would only feign exactness.
_FINEST = Decimal("0.1")

Scores = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form with a score for each of its items; ``notes`` says why, item by item."""

    scores: dict[str, Decimal]
    notes: dict[str, str]
    total: Decimal
    grade: Grade
    conclusion: str


def fill(form: Form, scores: Scores, notes: Mapping[str, str] | None = None, conclusion: str | None = None) -> Filled:
    """A filled form; without a ``conclusion`` that of the grade.

    Raises InvalidInput that names every item which is missing, unknown, or scored outside its points, and where the
    conclusion is none of the form's, or lets a text pass which its grade does not.
    """
    notes = {name: words for name, words in (notes or {}).items() if words.strip()}
    points = {item.name: item.points for item in form.items}
    wrong = [f"没有“{name}”这个要点" for name in (scores.keys() | notes.keys()) - points.keys()]
    wrong += [f"“{name}”还没有打分" for name in points if name not in scores]
    for name, score in scores.items():
        most = points.get(name)
        if most is None:
            continue
        if not score.is_finite() or not 0 <= score <= most:
            wrong.append(f"“{name}”的得分 {score} 不在 0 至 {most} 之间")
        elif score != score.quantize(_FINEST):
            wrong.append(f"“{name}”的得分 {score} 最多保留一位小数")
    if wrong:
        raise InvalidInput(f"审核表没有填好：{'；'.join(sorted(wrong))}。", reasons=sorted(wrong))
    total = sum(scores.values(), Decimal(0))
    grade = form.grade(total)
    if conclusion is not None and conclusion not in form.conclusions:
        raise InvalidInput(f"结论“{conclusion}”无法识别；可以是 {'、'.join(form.conclusions)}。")
    conclusion = conclusion or grade.conclusion
    passing = {item.conclusion for item in form.grades if item.passes}
    if not grade.passes and conclusion in passing:
        raise InvalidInput(f"总分 {total} 为“{grade.name}”，不得进入下一环节，结论不能是“{conclusion}”。")
    ordered = {name: scores[name] for name in points}
    return Filled(ordered, {name: notes[name] for name in points if name in notes}, total, grade, conclusion)
