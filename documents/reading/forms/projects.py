"""A draft becomes a project: fields to members, money, goals, indicators; what has no member goes to ``extra``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.forms.budgets import read_budget
from documents.reading.forms.drafts import Draft, Field, GoalDraft
from documents.reading.forms.indicator_rows import read_rows
from documents.reading.forms.pieces import Piece
from documents.reading.forms.values import has_boxes, iso_day, span_of, steps_of, ticked
from documents.reading.forms.vocabulary import Vocabulary
from documents.reading.layout_files import InfoRole
from documents.reading.project_code import read_code
from models.content import Extra, Goal, Period, Project
from models.findings import ReadingFinding

_TEXTS: Final = {
    InfoRole.NAME: "name",
    InfoRole.CATEGORY: "category",
    InfoRole.NATURE: "nature",
    InfoRole.SUPERVISING_DEPARTMENT: "supervising_department",
    InfoRole.IMPLEMENTING_UNIT: "implementing_unit",
    InfoRole.PERSON_IN_CHARGE: "person_in_charge",
    InfoRole.PHONE: "phone",
    InfoRole.GROUNDS: "grounds",
    InfoRole.CONTENTS: "contents",
    InfoRole.PURPOSE: "purpose",
}
_DAYS: Final = {InfoRole.START: "start", InfoRole.END: "end"}
_MONEY: Final = frozenset({InfoRole.PERIOD_TOTAL, InfoRole.TOTAL, InfoRole.FISCAL, InfoRole.OTHER, InfoRole.SOURCE})
# These are read for the whole form.
_ELSEWHERE: Final = frozenset(
    {
        InfoRole.UNIT, InfoRole.REVIEWING_BODY, InfoRole.DEPARTMENT_TOTAL, InfoRole.DEPARTMENT_BASIC,
        InfoRole.DEPARTMENT_PROJECT, *_MONEY,
    }
)  # fmt: skip
_GOAL_NUMBER = re.compile(r"(?:目标\s*\d{1,3}\s*[：:.、]|\d{1,3}\s*[.．、](?!\d)|[（(]\s*\d{1,3}\s*[）)])\s*")
_NEXT_GOAL = re.compile(r"\s+(?=目标\s*\d{1,3}\s*[：:])")
_PERSON = re.compile(r"(?P<name>[^\d]{2,20}?)[\s,，、/]*(?P<phone>\d[\d\s-]{5,20})")
_LETTER_AMONG_CHARACTERS = re.compile(r"[\u4e00-\u9fff、，][A-Za-z][\u4e00-\u9fff]|[\u4e00-\u9fff][.．][\u4e00-\u9fff]")
_NO_VALUES: Final = frozenset({"-", "—", "——", "/", "……", "…", "无"})


@dataclass(slots=True)
class Built:
    """A project of a form, with its findings and where each line went."""

    project: Project
    findings: list[ReadingFinding] = field(default_factory=list)
    placed: list[tuple[int, str]] = field(default_factory=list)


def build_project(draft: Draft, at: int, currency: str | None, vocabulary: Vocabulary) -> Built:
    """The project number ``at`` (from 0) of a draft whose form counts in ``currency``."""
    return _Builder(draft, at, currency, vocabulary).built()


class _Builder:
    """The state while one draft is read."""

    def __init__(self, draft: Draft, at: int, currency: str | None, vocabulary: Vocabulary) -> None:
        self._draft, self._currency, self._vocabulary = draft, draft.currency or currency, vocabulary
        self._id = f"p{at + 1}"
        self._place = f"/projects/{at}"
        self._members: dict[str, Any] = {}
        self._extra: list[Extra] = []
        self._result = Built(Project(id=self._id))

    def built(self) -> Built:
        """The project and what is to be said about it."""
        for item in self._draft.fields:
            if item.pieces and item.role not in _ELSEWHERE:
                self._take(item)
        goals = self._goals(self._draft.goals)
        money = read_budget(self._draft, self._currency, self._place, first_extra=len(self._extra))
        self._extra += money.extra
        rows = read_rows(self._draft.rows, self._vocabulary, self._place)
        self._points()
        for piece in self._draft.loose:
            self._leave("表中文字", [piece], "没有对应的项")
        self._result.findings += [*money.findings, *rows.findings]
        self._result.placed += [*money.placed, *rows.placed]
        self._result.project = Project(
            id=self._id,
            budget=money.budget,
            goals=goals,
            indicators=rows.indicators,
            extra=tuple(self._extra),
            **self._members,
        )
        self._doubt_characters()
        return self._result

    def _take(self, item: Field) -> None:
        words = item.words
        if words in _NO_VALUES:
            return
        member = _TEXTS.get(item.role)
        if item.role is InfoRole.DURATION:
            self._take_span(item)
        elif item.role is InfoRole.SCHEDULE:
            self._take_steps(item)
        elif item.role is InfoRole.PERSON_AND_PHONE:
            self._take_person(item)
        elif item.role is InfoRole.CODE:
            code, findings = read_code(words, f"{self._place}/code", item.line)
            self._result.findings += findings
            self._put("code", code, item)
        elif item.role in _DAYS:
            self._take_day(item, _DAYS[item.role])
        elif member is None:
            self._leave(item.label, item.pieces, "没有对应的项")
        elif has_boxes(words):
            self._take_ticked(item, member)
        else:
            self._put(member, words, item)

    def _put(self, member: str, value: str, item: Field) -> None:
        known = self._members.get(member)
        if known is not None:
            if known != value:
                self._leave(item.label, item.pieces, "前面已有而不相同，取前者")
            else:
                self._placed(item.pieces, member)
            return
        self._members[member] = value
        self._placed(item.pieces, member)
        raw = item.words
        if not item.ordered:
            reason = "名称在前、内容在后，只按先后次序对应，请确认。"
            self._note(FindingCode.ORDER_ONLY, member, raw, reason, 0.6, item, repaired=value)
        elif item.fused:
            reason = "文字没有分隔，按前后的标签切开，两端可能多字或少字，请对照原件确认。"
            self._note(FindingCode.SEPARATOR_MISSING, member, raw, reason, 0.6, item, repaired=value)
        elif len(item.pieces) > 1:
            raw = "⏎".join(piece.words for piece in item.pieces)
            reason = "这一段写在几行里，已接成一段。"
            self._note(FindingCode.SENTENCE_JOINED, member, raw, reason, 0.8, item, repaired=value)

    def _take_ticked(self, item: Field, member: str) -> None:
        chosen = ticked(item.words)
        if chosen is None:
            self._leave(item.label, item.pieces, "没有勾选，或勾选看不清")
            return
        self._members.setdefault(member, chosen)
        self._placed(item.pieces, member)
        reason = f"勾选的是“{chosen}”，未勾选的不写入，请确认。"
        self._note(FindingCode.CHECK_MARK, member, item.words, reason, 0.8, item, repaired=chosen)

    def _take_person(self, item: Field) -> None:
        """A name and a telephone in one cell: both are personal data, which ``extra`` would not keep apart."""
        match = _PERSON.fullmatch(item.words)
        if match is None:
            self._put("person_in_charge", item.words, item)
            return
        for member, value in (("person_in_charge", match["name"].strip()), ("phone", match["phone"].strip())):
            self._members.setdefault(member, value)
            self._placed(item.pieces, member)
            reason = "姓名和电话写在一格里，已分开。"
            self._note(FindingCode.CELL_JOINED, member, item.words, reason, 0.85, item, repaired=value)

    def _take_day(self, item: Field, member: str) -> None:
        day = iso_day(item.words)
        self._put(member, day or item.words, item)
        if day is not None and day != item.words:
            reason = f"“{item.words}”换成“{day}”。"
            self._note(FindingCode.DATE_NOTATION, member, item.words, reason, 0.95, item, repaired=day)

    def _take_span(self, item: Field) -> None:
        span = span_of(item.words)
        if span is None:
            self._leave(item.label, item.pieces, "不是起止两个时间")
            return
        for member, words in zip(("start", "end"), span, strict=True):
            value = iso_day(words) or words
            self._members.setdefault(member, value)
            self._placed(item.pieces, member)
            reason = f"“{item.label}”写在一格里，“{words}”读作{'开始' if member == 'start' else '结束'}时间。"
            self._note(FindingCode.DATE_NOTATION, member, item.words, reason, 0.9, item, repaired=value)

    def _take_steps(self, item: Field) -> None:
        steps = steps_of(item.words)
        if not steps:
            self._leave(item.label, item.pieces, "分不出各步")
            return
        self._members["schedule"] = steps
        self._placed(item.pieces, "schedule")
        shown = "；".join(f"{step.content} {step.start}-{step.end}" for step in steps)
        reason = "实施进度没有分隔，按年份切开，请对照原件确认。"
        self._note(FindingCode.SEPARATOR_MISSING, "schedule", item.words, reason, 0.6, item, repaired=shown)

    def _goals(self, drafts: Iterable[GoalDraft]) -> tuple[Goal, ...]:
        goals: list[Goal] = []
        for draft in self._one_each(drafts):
            words = draft.piece.words
            if words in _NO_VALUES:
                continue
            number = _GOAL_NUMBER.match(words)
            text = words[number.end() :] if number else words
            place = f"{self._place}/goals/{len(goals)}"
            self._result.placed.append((draft.piece.line, place))
            if draft.unsure:
                reason = "几个目标的名称在前，内容只有一段，分不出属于长期还是年度，期间留空，请补上。"
                self._result.findings.append(
                    finding(FindingCode.GOAL_PERIOD, f"{place}/text", words, reason, 0.5, line=draft.piece.line)
                )
            goals.append(Goal(id=f"t{len(goals) + 1}", text=text, period=cast("Period | None", draft.period)))
        # With one period only, the form is of the year: the member would say nothing.
        if not any(goal.period == "中期" for goal in goals):
            goals = [goal.model_copy(update={"period": None}) for goal in goals]
        return tuple(goals)

    def _one_each(self, drafts: Iterable[GoalDraft]) -> Iterator[GoalDraft]:
        """The drafts with each goal of a cell that numbers several (目标1：… 目标2：…) by itself."""
        for draft in drafts:
            words, line = draft.piece.words, draft.piece.line
            pieces = _NEXT_GOAL.split(words) if words.startswith("目标") else [words]
            if len(pieces) > 1:
                reason = f"一格里写了 {len(pieces)} 项目标，已按编号分开。"
                place = f"{self._place}/goals"
                self._result.findings.append(finding(FindingCode.SOURCE_REMARK, place, words, reason, 0.9, line=line))
            yield from (replace(draft, piece=Piece(piece, line)) for piece in pieces)

    def _points(self) -> None:
        for kind, points, line in self._draft.points:
            place = f"{self._place}/extra/{len(self._extra)}/value"
            reason = f"“{kind}”后面写有分值范围“{points}”，存入附加项。"
            self._result.findings.append(finding(FindingCode.LEVEL_POINTS, place, points, reason, 0.9, line=line))
            self._extra.append(Extra(label=f"{kind}分值", value=points))
            self._result.placed.append((line, place))

    def _leave(self, label: str, pieces: Iterable[Piece], why: str) -> None:
        pieces = list(pieces)
        value = Field(InfoRole.EXTRA, label, pieces).words
        place = f"{self._place}/extra/{len(self._extra)}/value"
        reason = f"“{label[:20]}：{value[:20]}”{why}，原文存入附加项。"
        line = pieces[0].line
        self._result.findings.append(finding(FindingCode.CELL_NOT_PLACED, place, value, reason, 0.6, line=line))
        self._result.placed += [(piece.line, place) for piece in pieces]
        self._extra.append(Extra(label=label, value=value))

    def _doubt_characters(self) -> None:
        """Letters and points among characters, where a scanner wrote the form: shown, never changed."""
        if not self._vocabulary.layout.scanned:
            return
        project = self._result.project
        texts = [(f"goals/{at}/text", goal.text) for at, goal in enumerate(project.goals)]
        texts += [(f"indicators/{at}/name", item.name) for at, item in enumerate(project.indicators)]
        for member, text in texts:
            match = _LETTER_AMONG_CHARACTERS.search(text)
            if match is not None:
                reason = f"“{match[0]}”像是扫描识别的错字，按原文保留，请对照原件改正。"
                self._result.findings.append(
                    finding(FindingCode.SCANNED, f"{self._place}/{member}", match[0], reason, 0.6)
                )
        for at, item in enumerate(project.indicators):
            if item.sign == ">" and item.raw_value is not None:
                reason = f"“{item.raw_value}”的 > 可能是 ≥（扫描识别常认错）；按原文保留，请对照原件改正或确认。"
                place = f"{self._place}/indicators/{at}/sign"
                self._result.findings.append(
                    finding(FindingCode.SIGN_DOUBT, place, item.raw_value, reason, 0.5, repaired=">")
                )

    def _placed(self, pieces: Iterable[Piece], member: str) -> None:
        self._result.placed += [(piece.line, f"{self._place}/{member}") for piece in pieces]

    def _note(
        self, code: FindingCode, member: str, raw: str, reason: str, confidence: float, item: Field, *, repaired: str
    ) -> None:
        place = f"{self._place}/{member}"
        self._result.findings.append(finding(code, place, raw, reason, confidence, repaired=repaired, line=item.line))
