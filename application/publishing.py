"""What publication takes out of a text, and what looks personal in it and stays, for those who answer for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from application.access import is_outsider, newest_version, read_version, reading
from application.histories import names_of_accounts
from application.installation import Request
from application.use_cases import use_case
from documents.rendering import place_title
from documents.rendering.publication import Removed, Suspicion, removed, suspicions
from models.content import BudgetText
from models.engine import Work
from models.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class PublicationNotes:
    """What was taken out, and what looks personal and is published, each with the Chinese title of its place."""

    removed: tuple[tuple[Removed, str], ...] = ()
    suspicions: tuple[tuple[Suspicion, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """``{removed: [{place, label, title}], suspicions: [{place, kind, shown, title}]}``; no value stands in it whole."""
        return {
            "removed": [{**asdict(item), "title": title} for item, title in self.removed],
            "suspicions": [{**asdict(item), "title": title} for item, title in self.suspicions],
        }


def notes_of(work: Work, content: BudgetText) -> PublicationNotes:
    """The notes of a content; the names of all accounts are looked for in it."""
    names = frozenset(name for name, _ in names_of_accounts(work).values())
    return PublicationNotes(
        tuple((item, place_title(content, item.place)) for item in removed(content)),
        tuple((item, place_title(content, item.place)) for item in suspicions(content, names)),
    )


@use_case("text.publication")
def publication_notes(request: Request, text_id: str) -> PublicationNotes:
    """The notes of the version that is published, or of the newest one where none is.

    Raises NotAllowed for those who may read only what is public: that a name stands there is itself personal.
    """
    with reading(request, text_id) as (work, row):
        if is_outsider(request, row):
            raise NotAllowed("公开时去掉了什么，只有编制部门、审核机关和审计可以查看；请查看公开稿。")
        version = row.published_version or newest_version(work, request, row)
        return notes_of(work, read_version(work, row, version).content)
