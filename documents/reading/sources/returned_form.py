"""The form of a Word file of ours that comes back: its origin, the words of its controls, and the words outside of them.

It crosses from the reading process to ours as JSON, like the neutral form of any other file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from documents.reading.sources.form import Aside, AsideKind
from documents.returning.origin import Origin, origin_xml, parse_origin

# What the reading process is asked for, in the place of a kind of file.
RETURNED: Final = "returned"


@dataclass(frozen=True, slots=True)
class Field:
    """One content control of ours: the place in its tag, its words (lines by ``\\n``), and the row it stands in.

    ``row`` counts all rows of tables from 1 and is 0 outside of tables; ``table`` counts tables in the same way.
    """

    place: str
    words: str
    row: int = 0
    table: int = 0


@dataclass(frozen=True, slots=True)
class ReturnedForm:
    """What came back: the kind of file, and of a docx its contents.

    ``spoilt`` says that there is an origin which is no longer as it was written; ``untagged`` counts controls that lost their
    tags.
    """

    kind: str
    origin: Origin | None
    spoilt: bool
    fields: tuple[Field, ...]
    outside: tuple[str, ...]
    asides: tuple[Aside, ...]
    untagged: int = 0


def to_json(form: ReturnedForm) -> dict[str, Any]:
    """The form as a JSON value."""
    origin = form.origin
    return {
        "kind": form.kind,
        "origin": None if origin is None else origin_xml(origin).decode(),
        "spoilt": form.spoilt,
        "fields": [[item.place, item.words, item.row, item.table] for item in form.fields],
        "outside": list(form.outside),
        "untagged": form.untagged,
        "asides": [[aside.kind.value, aside.sentence, aside.raw] for aside in form.asides],
    }


def from_json(value: Any) -> ReturnedForm:
    """The form of a JSON value; raises ValueError, TypeError or KeyError where it is none."""
    told = value["origin"]
    return ReturnedForm(
        str(value["kind"]),
        None if told is None else parse_origin(str(told).encode()),
        bool(value["spoilt"]),
        tuple(Field(str(place), str(words), int(row), int(table)) for place, words, row, table in value["fields"]),
        tuple(map(str, value["outside"])),
        tuple(Aside(AsideKind(kind), str(sentence), str(raw)) for kind, sentence, raw in value["asides"]),
        int(value["untagged"]),
    )
