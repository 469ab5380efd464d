"""Document numbers (发文字号): taken in the transaction of the step that issues a letter, and made void with it.

A letter has a number where its organization was given a word for it (``number_word``). Numbers of a word and year run from 1
without a gap: whoever takes one holds the organization's row until the commit, so the next reads what was committed, and a
step that fails gives its number back with everything else. A step that is taken back keeps its number as void.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from models.base import SHANGHAI
from models.documents import IssuedDocument, NumberWord, shown_number
from models.engine import Work
from models.people import Organization
from models.prepared import Prepared, insert_into
from workflow.definition import Definition, Transition
from workflow.situation import Situation, TextRow

SUBMISSION = "submission"
# What the bureau writes to the department; 报送函 is the department's letter.
_OF_FINANCE = ("return", "approval")
# Documents that are letters, and have a number.
LETTERS = (SUBMISSION, *_OF_FINANCE)

_organization_id: sa.BindParameter[str] = sa.bindparam("organization_id")
_WORDS = Prepared(
    sa.select(NumberWord.document, NumberWord.word)
    .where(NumberWord.organization_id == _organization_id)
    .order_by(NumberWord.number)
)
# NO KEY UPDATE lets others go on referring to the organization; SQLite has one writer by nature and leaves the clause out.
LOCK_ORGANIZATION = Prepared(
    sa.select(Organization.id).where(Organization.id == _organization_id).with_for_update(key_share=True)
)
_LAST = Prepared(
    sa.select(sa.func.max(IssuedDocument.number)).where(
        IssuedDocument.word == sa.bindparam("word"), IssuedDocument.year == sa.bindparam("year")
    )
)
_INSERT = insert_into(IssuedDocument)
_VOID = Prepared(
    sa.update(IssuedDocument)
    .where(
        IssuedDocument.text_id == sa.bindparam("of_text"),
        IssuedDocument.step == sa.bindparam("of_step"),
        IssuedDocument.voided_step.is_(None),
    )
    .values(voided_step=sa.bindparam("by_step"), voided_at=sa.bindparam("moment"))
    .returning(IssuedDocument.document, IssuedDocument.word, IssuedDocument.year, IssuedDocument.number)
)


class Issued(NamedTuple):
    """A letter that a step issued, and its number as people write it."""

    document: str
    number: str


def words_of(work: Work, organization_id: str) -> dict[str, str]:
    """The words in force for an organization by document; the key is empty for all documents without one of their own."""
    # In the order of their numbers, so that of several the newest stays.
    newest: dict[str, str] = {row[0]: row[1] for row in work.rows(_WORDS, organization_id=organization_id)}
    return {document: word for document, word in newest.items() if word}


def issue(situation: Situation, moved: TextRow) -> list[Issued]:
    """Takes the numbers of the letters that a step issues; an organization without a word numbers by hand."""
    issued = []
    for document in letters_of(situation.definition, situation.transition, situation.text.state, moved.state):
        organization_id = moved.reviewing_id if document in _OF_FINANCE else moved.organization_id
        words = words_of(situation.work, organization_id)
        word = words.get(document) or words.get("")
        if word:
            issued.append(_take(situation, moved, document, organization_id, word))
    return issued


def letters_of(definition: Definition, transition: Transition, source: str, target: str) -> list[str]:
    """The letters that a transition issues on its way from one state to another.

    A submission is the department's letter wherever it leads (it may come straight back to whoever returned the text); the
    bureau's letters are issued by the step into a state that has them, from one that has not.
    """
    states = definition.states
    letters = []
    if transition.freeze and any(state.document == SUBMISSION for state in states.values()):
        letters.append(SUBMISSION)
    document, before = states[target].document, states[source].document
    # Back to a state of an approval, nothing is approved once more.
    if document in _OF_FINANCE and document != before and (document == "return" or not transition.returns):
        letters.append(document)
    return letters


def _take(situation: Situation, moved: TextRow, document: str, organization_id: str, word: str) -> Issued:
    work = situation.work
    work.one(LOCK_ORGANIZATION, organization_id=organization_id)
    day = situation.now.astimezone(SHANGHAI).date()
    last = work.one(_LAST, word=word, year=day.year)
    number = 1 + (last[0] if last is not None and last[0] is not None else 0)
    work.run(
        _INSERT,
        word=word,
        year=day.year,
        number=number,
        organization_id=organization_id,
        text_id=moved.id,
        step=moved.step,
        document=document,
        round=moved.round,
        version=moved.current_version,
        content_hash=moved.current_hash,
        issued_on=day.isoformat(),
        created_at=situation.now,
        voided_step=None,
        voided_at=None,
    )
    return Issued(document, shown_number(word, day.year, number))


def void(work: Work, text_id: str, step: int, *, by: int, now: datetime) -> list[Issued]:
    """Makes the numbers void that came with a step which the step ``by`` takes back."""
    rows = work.rows(_VOID, of_text=text_id, of_step=step, by_step=by, moment=now)
    return sorted(Issued(document, shown_number(*number)) for document, *number in rows)


def issued_details(issued: list[Issued]) -> list[tuple[str, Any, Any]]:
    """What the event of a step says of the letters that it issued."""
    return [(f"/documents/{item.document}", None, item.number) for item in issued]


def void_details(gone: list[Issued]) -> list[tuple[str, Any, Any]]:
    """What the event of a taking back says of the numbers that are void."""
    return [(f"/documents/{item.document}", item.number, None) for item in gone]
