"""Document numbers (发文字号): the words of an organization, and the register of the letters that have a number."""

from __future__ import annotations

import re
from typing import Any

import orjson
import sqlalchemy as sa

from application.accounts import find_organization, require_role
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from models.base import timestamp
from models.blobs import get_blob
from models.documents import IssuedDocument, NumberWord, shown_number
from models.engine import Work, transaction
from models.errors import Conflict, InvalidInput
from models.people import Organization, OrganizationKind, Role
from models.prepared import Prepared, insert_into
from models.texts import BudgetText
from workflow.issuing import LETTERS, LOCK_ORGANIZATION, words_of

DOCUMENT_TITLES = {"submission": "报送函", "return": "退回修改通知", "approval": "批复函"}
# What an office puts before the year: characters, no brackets, blanks or digits that could be read as part of the number.
_WORD = re.compile(r"[\u3400-\u9fffA-Za-z（）]{1,20}")

_INSERT = insert_into(NumberWord)
_COUNT = Prepared(
    sa.select(sa.func.max(NumberWord.number)).where(NumberWord.organization_id == sa.bindparam("organization_id"))
)
_OTHERS = Prepared(
    sa.select(Organization.name)
    .join(NumberWord, NumberWord.organization_id == Organization.id)
    .where(NumberWord.word == sa.bindparam("word"), NumberWord.organization_id != sa.bindparam("organization_id"))
    .limit(1)
)
_EVERYBODY = Prepared(sa.select(Organization.id).order_by(Organization.id))


@use_case("organization.number_word")
def set_number_word(request: Request, organization: str, word: str, *, document: str | None = None) -> dict[str, Any]:
    """Gives an organization the word of its document numbers (system administrator); an empty one ends the numbering.

    ``document`` is a letter with a word of its own. A word belongs to one organization for ever, since its numbers do. What
    is set already changes nothing.
    """
    word = typed(word)
    if word and _WORD.fullmatch(word) is None:
        raise InvalidInput(
            f"发文字号的字头“{word}”不能用：应为 1 至 20 个汉字或字母，例如“抚财绩”；年份、括号“〔〕”和序号由系统填写。"
        )
    if document is not None and document not in LETTERS:
        raise InvalidInput(f"“{document}”不编文号；可以单独设字头的是 {'、'.join(LETTERS)}。")
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.ORGANIZATION_UPDATE, ("account", request.person.account_id)),
        transaction(request.installation.engine) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        owner = find_organization(work, organization)
        _require_sender(owner, document)
        # Whoever gives a word to another organization at the same time waits for one of these rows.
        for (organization_id,) in work.rows(_EVERYBODY):
            work.one(LOCK_ORGANIZATION, organization_id=organization_id)
        _require_free(work, owner, word)
        before, key = words_of(work, owner.id), document or ""
        event_id = None
        if before.get(key, "") != word:
            now = request.now()
            last = work.one(_COUNT, organization_id=owner.id)
            work.run(
                _INSERT,
                organization_id=owner.id,
                number=1 + ((last[0] if last else None) or 0),
                document=key,
                word=word,
                author_id=request.person.account_id,
                created_at=now,
            )
            event_id = request.recorder.write(
                work,
                Act.ORGANIZATION_UPDATE,
                actor=request.person.account_id,
                role=role,
                obj=("organization", owner.id),
                now=now,
                details=[(f"/number_word/{document or 'all'}", before.get(key), word or None)],
            ).event_id
        result = {
            "organization": owner.name,
            "words": _titled(words_of(work, owner.id)),
            "changed": event_id is not None,
        }
    request.installation.settle(event_id)
    return result


def _require_sender(owner: Organization, document: str | None) -> None:
    sends = {OrganizationKind.DEPARTMENT: ("submission",), OrganizationKind.FINANCE: ("return", "approval")}
    letters = sends.get(OrganizationKind(owner.kind), ())
    if not letters or (document is not None and document not in letters):
        known = "报送函由编制部门发出，退回修改通知和批复函由财政单位发出"
        raise InvalidInput(f"“{owner.name}”不发这种文件：{known}；请核对单位和 --document。")


def _require_free(work: Work, owner: Organization, word: str) -> None:
    taken = work.one(_OTHERS, word=word, organization_id=owner.id) if word else None
    if taken is not None:
        raise Conflict(f"字头“{word}”是“{taken[0]}”用过的；两个单位不能用同一个字头，请换一个。", word=word)


def _titled(words: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"document": key, "title": DOCUMENT_TITLES.get(key, "全部文件"), "word": words[key]} for key in sorted(words)
    ]


@use_case("organization.number_words")
def number_words(request: Request, organization: str) -> dict[str, Any]:
    """The words of an organization: ``{organization, words: [{document, title, word}]}``."""
    with transaction(request.installation.engine, read_only=True) as work:
        owner = find_organization(work, organization)
        return {"organization": owner.name, "words": _titled(words_of(work, owner.id))}


@use_case("document.list")
def list_documents(request: Request, *, year: int | None = None, document: str | None = None) -> list[dict[str, Any]]:
    """The register of letters in order of their numbers, void ones included.

    People see what their own organization sent and what was sent to it; auditors everything.
    """
    query = (
        sa.select(IssuedDocument, Organization.name)
        .join(Organization, Organization.id == IssuedDocument.organization_id)
        .order_by(IssuedDocument.word, IssuedDocument.year, IssuedDocument.number)
    )
    mine = request.person.organization_id
    if not request.person.holds(Role.AUDITOR):
        query = query.join(BudgetText, BudgetText.id == IssuedDocument.text_id).where(
            sa.or_(BudgetText.organization_id == mine, BudgetText.reviewing_id == mine)
        )
    if year is not None:
        query = query.where(IssuedDocument.year == year)
    if document is not None:
        query = query.where(IssuedDocument.document == document)
    with transaction(request.installation.engine, read_only=True) as work:
        return [_entry(work, item, owner) for item, owner in work.session.execute(query)]


def _entry(work: Work, item: IssuedDocument, owner: str) -> dict[str, Any]:
    return {
        "number": shown_number(item.word, item.year, item.number),
        "issued_on": item.issued_on,
        "document": item.document,
        "document_title": DOCUMENT_TITLES.get(item.document, item.document),
        "organization": owner,
        "text": item.text_id,
        # As the letter says it: the text may have another title since, which is not the reader's to see.
        "title": orjson.loads(get_blob(work, item.content_hash)).get("title", ""),
        "round": item.round,
        "version": item.version,
        "content_hash": item.content_hash,
        "void": item.voided_step is not None,
        "voided_at": None if item.voided_at is None else timestamp(item.voided_at),
    }
