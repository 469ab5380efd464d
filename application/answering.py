"""Answering what the checks found: a warning is fixed or answered before 报送, an error is fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from application.access import (
    Reading,
    read_allowed_version,
    read_version,
    reading,
    require_insider,
    require_party,
    seen_until,
)
from application.answers import Answered, answered, answers_of
from application.check_settings import InForce, settings_of
from application.corpus import own_surroundings, surroundings_of
from application.guards import check_text
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from documents.checking.titles import place_words
from models.content import BudgetText as Content
from models.content import to_json
from models.engine import Work, transaction
from models.errors import InvalidInput, NotFound
from models.findings import CheckFinding, Severity
from models.places import anchor
from workflow.answers import Said, answer
from workflow.records import lock_text
from workflow.situation import TextRow
from workflow.versions import begin_revision


@use_case("text.findings")
def list_findings(request: Request, text_id: str, *, version: int | None = None) -> dict[str, Any]:
    """What the checks find on a text, with the department's answers: ``{text, version, settings, …, findings}``.

    A finding has its code, severity, place (pointer, ``anchor``, and ``where`` in words), message, ``answer`` (None: none),
    ``binds`` and ``stops`` (whether 报送 is refused for it); ``unanswered`` counts the warnings that stop.
    """
    with reading(request, text_id) as (work, row):
        require_insider(request, row)
        read = read_allowed_version(work, request, row, version)
        held = settings_of(work, row.reviewing_id)
        found, binding = _found(work, request, row, read, held)
        answers = answers_of(work, text_id, until=seen_until(work, request, row))
        listed = answered(read.content, found, answers, binding=binding)
    return {
        "text": text_id,
        "version": read.version,
        "settings": held.to_json(),
        **_counted(listed),
        "findings": [{**item.to_json(), "where": place_words(read.content, item.finding.place)} for item in listed],
    }


@use_case("text.answer")
def answer_findings(
    request: Request,
    text_id: str,
    targets: Sequence[str],
    *,
    words: str,
    everything: bool = False,
    expected: int | None = None,
) -> dict[str, Any]:
    """Answers findings, each named CODE@PLACE (or by its code alone: all of it), or every warning that waits.

    Raises NotFound where there is no such finding, InvalidInput for an error (it has to be fixed) and without words.
    """
    if everything == bool(targets):
        raise InvalidInput("请写明要答复的警告（代码@位置，可写多个），或者用 --all 答复全部（二者选一）。")
    words = typed(words)
    if not any(character.isalnum() for character in words):
        raise InvalidInput("请用 --text 写明答复：为什么这样写，或者怎样核对过。")
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.FINDING_ANSWER, ("text", text_id)),
        transaction(request.installation.engine) as work,
    ):
        require_party(work, request, lock_text(work, text_id))
        now = request.now()
        text, author = begin_revision(work, text_id, actor=request.actor, expected_version=expected, now=now)
        read = read_version(work, text)
        held = settings_of(work, text.reviewing_id)
        found, binding = _found(work, request, text, read, held)
        listed = answered(read.content, found, answers_of(work, text_id), binding=binding)
        chosen = _waiting(listed) if everything else _meant(read.content, listed, targets)
        said = [
            Said(
                item.fingerprint,
                item.finding.code,
                item.anchor,
                item.finding.message,
                words,
                item.answer.text if item.answer else None,
            )
            for item in chosen
        ]
        text = answer(work, text, author, answers=said, recorder=request.recorder, now=now)
        after = answered(read.content, found, answers_of(work, text_id), binding=binding)
    request.installation.settle()
    return {
        "text": text_id,
        "row_version": text.row_version,
        "answered": [{**item.finding.to_json(), "anchor": item.anchor} for item in chosen],
        **_counted(after),
    }


def _found(
    work: Work, request: Request, row: TextRow, read: Reading, held: InForce
) -> tuple[tuple[CheckFinding, ...], tuple[CheckFinding, ...]]:
    """All findings that the person is shown, and those among them that bind: what the guard of 报送 finds."""
    row = row._replace(current_version=read.version)
    own = own_surroundings(work, row)
    around = surroundings_of(work, request, row, settings=held.settings)
    binding = check_text(work, row, read.content, settings=held.settings, surroundings=own)
    if around == own:
        return binding, binding
    return check_text(work, row, read.content, settings=held.settings, surroundings=around), binding


def _counted(listed: Sequence[Answered]) -> dict[str, int]:
    severities = [item.finding.severity for item in listed]
    return {
        "errors": severities.count(Severity.ERROR),
        "warnings": severities.count(Severity.WARNING),
        "hints": severities.count(Severity.HINT),
        "unanswered": sum(item.stops and item.finding.severity is Severity.WARNING for item in listed),
    }


def _waiting(listed: Sequence[Answered]) -> list[Answered]:
    """The warnings without an answer, those that bind nobody included."""
    found = [item for item in listed if item.finding.severity is Severity.WARNING and item.answer is None]
    if not found:
        raise InvalidInput("没有等待答复的警告；错误只能改正，提示不必答复。")
    return found


def _meant(content: Content, listed: Sequence[Answered], targets: Sequence[str]) -> list[Answered]:
    """The findings that are named, each once, in their order."""
    value = to_json(content)
    chosen: list[Answered] = []
    for target in targets:
        code, at, place = target.strip().partition("@")
        wanted = anchor(value, place.strip())
        found = [
            item for item in listed if item.finding.code == code.strip().upper() and (not at or item.anchor == wanted)
        ]
        if not found:
            raise NotFound(
                f"没有“{target}”这一条检查结果；请用 jixiao text findings 查看，写成 代码@位置，"
                "例如 F001@/projects/p1/indicators/i2/sign。",
                target=target,
            )
        for item in found:
            if item.finding.severity is Severity.ERROR:
                raise InvalidInput(f"{item.name} 是错误，不能用答复代替，请改正：{item.finding.message}")
        chosen += [item for item in found if item not in chosen]
    return chosen
