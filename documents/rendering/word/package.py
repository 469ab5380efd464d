"""A docx file of its parts: the same stage gives the same bytes, whatever the clock, the locale and the machine."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PACKAGE_URI, PackURI
from docx.opc.part import Part
from docx.package import Package
from lxml import etree

from documents.rendering.fonts import FontSet
from documents.rendering.stage import Stage
from documents.rendering.template_set import SHIPPED, WORD_PAGE, TemplateSet
from documents.rendering.typesetting import heading_pages
from documents.rendering.word.body import Body
from documents.rendering.word.controls import Controls
from documents.rendering.word.sections import HEAD, NAMESPACES, Sections
from documents.rendering.words import Words, require_document, words
from documents.returning.origin import Origin, origin_xml
from models.errors import JixiaoError

# ZIP knows no time zone, and no earlier day.
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_LEVEL: Final = 6
_TYPES: Final = "/[Content_Types].xml"
_TYPES_NAMESPACE: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
# Found in the package's data by the names below ``documents/templates``.
_STATIC: Final = (
    ("styles", "_base/word-styles.xml", CONTENT_TYPE.WML_STYLES, RELATIONSHIP_TYPE.STYLES),
    ("settings", "_base/word-settings.xml", CONTENT_TYPE.WML_SETTINGS, RELATIONSHIP_TYPE.SETTINGS),
    ("fontTable", "_base/word-fonts.xml", CONTENT_TYPE.WML_FONT_TABLE, RELATIONSHIP_TYPE.FONT_TABLE),
)
_ITEM_PROPERTIES: Final = (
    '<ds:datastoreItem ds:itemID="{6D1D7D7F-3C0B-5B8E-9C52-0C5A1E6B7A11}" '
    'xmlns:ds="http://schemas.openxmlformats.org/officeDocument/2006/customXml"><ds:schemaRefs>'
    '<ds:schemaRef ds:uri="urn:jixiao:word-origin:1"/></ds:schemaRefs></ds:datastoreItem>'
)


def render_docx(
    stage: Stage, *, fonts: FontSet | None = None, numbered: bool = True, templates: TemplateSet = SHIPPED
) -> bytes:
    """A docx file of a stage's document, with a content control around every field and its origin in a custom XML part.

    ``numbered`` says whether the contents show the page numbers of the printed page, which have to be set for it with
    ``fonts``. Raises NotFound for an unknown document, InvalidInput for a character that no document can hold; one that only
    the fonts lack is written as it is. An office's own Word template is filled in instead where there is one; it has neither
    controls nor origin.
    """
    require_document(stage.document)
    own = templates.data(f"{stage.document}/{WORD_PAGE}")
    if own is not None:
        from documents.rendering.word.own_page import filled

        return saved(filled(stage, own))
    made = words(stage, templates)
    pages = heading_pages(stage, made, fonts or FontSet(), templates) if numbered else ()
    return saved(_package(stage, made, pages, templates))


def _package(stage: Stage, made: Words, pages: tuple[int, ...], templates: TemplateSet) -> Package:
    package = Package()
    main = _LateDocument(PackURI("/word/document.xml"), CONTENT_TYPE.WML_DOCUMENT_MAIN, b"", package)
    package.relate_to(main, RELATIONSHIP_TYPE.OFFICE_DOCUMENT)
    for name, template, content_type, relationship in _STATIC:
        part = Part(PackURI(f"/word/{name}.xml"), content_type, _static(template, templates), package)
        main.relate_to(part, relationship)

    counts = {"header": 0, "footer": 0}

    def add(kind: str, xml: str) -> str:
        counts[kind] += 1
        content_type = CONTENT_TYPE.WML_HEADER if kind == "header" else CONTENT_TYPE.WML_FOOTER
        relationship = RELATIONSHIP_TYPE.HEADER if kind == "header" else RELATIONSHIP_TYPE.FOOTER
        return main.relate_to(
            Part(PackURI(f"/word/{kind}{counts[kind]}.xml"), content_type, xml.encode(), package), relationship
        )

    controls = Controls()
    imprint = f"版本 {stage.version}\u3000内容哈希 {stage.content_hash[:16]}"
    root = etree.fromstring(f"<article>{made.body}</article>", etree.XMLParser(resolve_entities=False, huge_tree=True))
    body = Body(root, pages, controls, Sections(add, imprint, made.watermark)).xml(root)
    main.content = f"{HEAD}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>".encode()
    _add_origin(main, package, stage, controls)
    core = Part(PackURI("/docProps/core.xml"), CONTENT_TYPE.OPC_CORE_PROPERTIES, _core(stage, made), package)
    package.relate_to(core, RELATIONSHIP_TYPE.CORE_PROPERTIES)
    return package


class _LateDocument(Part):
    """The main part: the body can be written only when the parts that it names have their ids."""

    content: bytes = b""

    @property
    def blob(self) -> bytes:
        return self.content


def _add_origin(main: Part, package: Package, stage: Stage, controls: Controls) -> None:
    origin = Origin(
        document=stage.document,
        text_id=stage.text_id,
        version=stage.version,
        content_hash=stage.content_hash,
        status=stage.status,
        places=controls.places,
    )
    item = Part(PackURI("/customXml/item1.xml"), CONTENT_TYPE.XML, origin_xml(origin), package)
    properties = Part(
        PackURI("/customXml/itemProps1.xml"),
        CONTENT_TYPE.OFC_CUSTOM_XML_PROPERTIES,
        f"{HEAD}{_ITEM_PROPERTIES}".encode(),
        package,
    )
    main.relate_to(item, RELATIONSHIP_TYPE.CUSTOM_XML)
    item.relate_to(properties, RELATIONSHIP_TYPE.CUSTOM_XML_PROPS)


def _core(stage: Stage, made: Words) -> bytes:
    """Title, author and day: the only date that a document knows is that of its stage."""
    day = datetime(stage.issued_on.year, stage.issued_on.month, stage.issued_on.day, tzinfo=UTC)
    moment = f'xsi:type="dcterms:W3CDTF">{day:%Y-%m-%dT%H:%M:%SZ}'
    author = escape(stage.department or stage.content.department.unit_name or stage.content.department.name)
    return (
        f'{HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(made.title)}</dc:title><dc:creator>{author}</dc:creator><dc:language>zh-CN</dc:language>"
        f"<cp:lastModifiedBy>{author}</cp:lastModifiedBy><cp:revision>1</cp:revision>"
        f"<dcterms:created {moment}</dcterms:created><dcterms:modified {moment}</dcterms:modified>"
        "</cp:coreProperties>"
    ).encode()


def _static(template: str, templates: TemplateSet) -> bytes:
    source = templates.data(template)
    if source is None:
        raise JixiaoError(f"安装不完整：缺少模板 {template}；请重新安装。")
    return source


def saved(package: Package) -> bytes:
    """The container: members sorted, one time for all, the list of types first."""
    parts = sorted(package.iter_parts(), key=lambda part: part.partname)
    members: dict[str, bytes] = {PACKAGE_URI.rels_uri: package.rels.xml}
    for part in parts:
        members[part.partname] = part.blob
        if len(part.rels):
            members[part.partname.rels_uri] = part.rels.xml
    types = "".join(
        f"<Override PartName={quoteattr(part.partname)} ContentType={quoteattr(part.content_type)}/>" for part in parts
    )
    defaults = (
        f'<Default Extension="rels" ContentType="{CONTENT_TYPE.OPC_RELATIONSHIPS}"/>'
        f'<Default Extension="xml" ContentType="{CONTENT_TYPE.XML}"/>'
    )
    listed = f'{HEAD}<Types xmlns="{_TYPES_NAMESPACE}">{defaults}{types}</Types>'.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, data in [(_TYPES, listed), *sorted(members.items())]:
            entry = zipfile.ZipInfo(name.removeprefix("/"), _ZIP_TIME)
            # What the system would write of itself, and of who may read the file, is no part of it.
            entry.create_system, entry.external_attr = 0, 0
            container.writestr(entry, data, zipfile.ZIP_DEFLATED, _LEVEL)
    return out.getvalue()
