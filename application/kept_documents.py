"""Files that are kept as they were first made, so that a document is given again byte for byte after any update.

Decision: documents of a stage are kept as blobs, drafts are not. A letter that went out, or a form that was signed, must not
change when a template or the program does, and re-rendering could promise that only with every old program at hand. A draft
claims nothing, is made over and over again while a text is written, and would fill the database; its event names the hash of
the bytes, of the templates, and the program, so that a different file can be explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from application.installation import program_version
from application.stages import DRAFT
from documents.rendering import Stage
from documents.rendering.facts import facts_digest
from documents.rendering.template_set import TemplateSet
from documents.rendering.template_version import templates_sha256
from models.blobs import get_blob, put_blob
from models.documents import RenderedDocument
from models.engine import Work
from models.prepared import Prepared

_FIND = Prepared(
    sa.select(RenderedDocument.sha256, RenderedDocument.templates, RenderedDocument.program).where(
        RenderedDocument.facts == sa.bindparam("facts"), RenderedDocument.format == sa.bindparam("format")
    )
)
# Two may make the same document at once: the first stays, and is what both give.
_KEEP = Prepared(
    sa.text(
        "INSERT INTO rendered_document"
        " (facts, format, text_id, document, version, sha256, templates, program, created_at) VALUES"
        " (:facts, :format, :text_id, :document, :version, :sha256, :templates, :program, :created_at)"
        " ON CONFLICT (facts, format) DO NOTHING"
    ).bindparams(
        *(
            sa.bindparam(name, type_=RenderedDocument.__table__.c[name].type)
            for name in ("facts", "format", "text_id", "document", "version", "sha256", "templates", "program")
        ),
        sa.bindparam("created_at", type_=RenderedDocument.__table__.c.created_at.type),
    )
)


@dataclass(frozen=True, slots=True)
class Made:
    """The bytes of a document with the templates' version and the program that made them."""

    data: bytes
    templates: str
    program: str


def is_kept(document: str) -> bool:
    """Whether files of a document are kept."""
    return document != DRAFT


def made_now(stage: Stage, data: bytes, templates: TemplateSet) -> Made:
    """Bytes that were made by this program, of these templates."""
    return Made(data, templates_sha256(stage.document, templates), program_version())


def find(work: Work, stage: Stage, format_: str) -> Made | None:
    """The file that was first made of a document; None where none was, or none is kept."""
    if not is_kept(stage.document):
        return None
    row = work.one(_FIND, facts=facts_digest(stage), format=format_)
    return None if row is None else Made(get_blob(work, row[0]), row[1], row[2])


def keep(work: Work, stage: Stage, format_: str, made: Made, now: datetime) -> Made:
    """Keeps a file, in the caller's transaction, unless somebody was first; what is to be given."""
    if not is_kept(stage.document):
        return made
    facts = facts_digest(stage)
    work.run(
        _KEEP,
        facts=facts,
        format=format_,
        text_id=stage.text_id,
        document=stage.document,
        version=stage.version,
        sha256=put_blob(work, made.data, now),
        templates=made.templates,
        program=made.program,
        created_at=now,
    )
    return find(work, stage, format_) or made
