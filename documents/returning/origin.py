"""Where a Word file comes from: the custom XML part that travels in it (ECMA-376 part 1, 22.5).

::

    <origin xmlns="urn:jixiao:word-origin:1" layout="1" document="draft" text="…" version="3" content-hash="…" status="草案">
      <place tag="#1">/projects/…/indicators/…/description</place>
    </origin>

``layout`` is the arrangement of the fields in the file: a file of another arrangement can't be compared with one that this
program would write. ``place`` elements stand for tags that Word would find too long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

NAMESPACE: Final = "urn:jixiao:word-origin:1"
LAYOUT: Final = 1
# Word takes no tag that is longer.
LONGEST_TAG: Final = 64
_HASH = re.compile("[0-9a-f]{64}")
_VERSION = re.compile("[1-9][0-9]{0,8}")
_MOST_PLACES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Origin:
    """The text, version and content that a Word file was made of, as which document, and its long tags."""

    document: str
    text_id: str
    version: int
    content_hash: str
    status: str
    layout: int = LAYOUT
    places: Mapping[str, str] = field(default_factory=dict)


def origin_xml(origin: Origin) -> bytes:
    """The custom XML part of an origin."""
    attributes = {
        "layout": str(origin.layout),
        "document": origin.document,
        "text": origin.text_id,
        "version": str(origin.version),
        "content-hash": origin.content_hash,
        "status": origin.status,
    }
    told = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    places = "".join(f"<place tag={quoteattr(tag)}>{escape(place)}</place>" for tag, place in origin.places.items())
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{head}<origin xmlns="{NAMESPACE}"{told}>{places}</origin>'.encode()


def parse_origin(data: bytes) -> Origin | None:
    """The origin of a custom XML part; None where it is none, or is no longer as it was written."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
    if root.tag != f"{{{NAMESPACE}}}origin" or root.getroottree().docinfo.doctype:
        return None
    told = {
        name: str(root.get(name, "")) for name in ("document", "text", "version", "content-hash", "status", "layout")
    }
    places = {str(item.get("tag", "")): item.text or "" for item in root.iterchildren(f"{{{NAMESPACE}}}place")}
    if not (_HASH.fullmatch(told["content-hash"]) and _VERSION.fullmatch(told["version"]) and told["text"]):
        return None
    if not _VERSION.fullmatch(told["layout"]) or len(places) > _MOST_PLACES:
        return None
    return Origin(
        document=told["document"],
        text_id=told["text"],
        version=int(told["version"]),
        content_hash=told["content-hash"],
        status=told["status"],
        layout=int(told["layout"]),
        places=places,
    )
