"""What people do to a file in Word, done to its XML: typing into controls, copying, deleting and moving rows."""

import copy
import io
import re
import zipfile
from collections.abc import Callable

from docx.oxml import parse_xml
from docx.oxml.ns import qn
from lxml import etree

DOCUMENT = "word/document.xml"


class Editor:
    """An opened file: ``body`` is its XML, ``saved()`` the bytes."""

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            self.members = {name: container.read(name) for name in container.namelist()}
        self.root = parse_xml(self.members[DOCUMENT])
        self.body = self.root.find(qn("w:body"))

    def saved(self) -> bytes:
        self.members[DOCUMENT] = etree.tostring(self.root, xml_declaration=True, encoding="UTF-8", standalone=True)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
            for name, data in self.members.items():
                container.writestr(name, data)
        return out.getvalue()

    def controls(self, place: str) -> list:
        return [sdt for sdt in self.root.iter(qn("w:sdt")) if tag_of(sdt) == place]

    def control(self, place: str):
        return self.controls(place)[0]

    def type(self, place: str, words: str, at: int = 0) -> None:
        """Types words into a control, with Enter for line breaks."""
        fill(self.controls(place)[at], words)

    def row(self, place: str):
        return next(parent for parent in self.control(place).iterancestors() if parent.tag == qn("w:tr"))

    def copied_row(self, place: str):
        """Copies the row of a control below itself; gives the copy."""
        row = self.row(place)
        row.addnext(copy.deepcopy(row))
        return row.getnext()

    def inserted_row(self, place: str, *cells: str):
        """Inserts a row below that of a control, as Word does (cells without controls), and types into its cells."""
        made = self.copied_row(place)
        for cell, words in zip(made.iterchildren(qn("w:tc")), cells, strict=True):
            for paragraph in cell.iter(qn("w:p")):
                for child in paragraph.xpath("./*[not(self::w:pPr)]"):
                    paragraph.remove(child)
                if words:
                    paragraph.append(run(words))
        for merge in made.iter(qn("w:vMerge")):
            merge.set(qn("w:val"), "continue")
        return made

    def paragraph(self, words: str):
        """The first paragraph that holds these words."""
        return next(p for p in self.root.iter(qn("w:p")) if words in "".join(t.text or "" for t in p.iter(qn("w:t"))))

    def project(self, number: int) -> list:
        """The blocks of a project: everything from its heading to the next one."""
        headings = [p for p in self.body if style_of(p) == "Heading3" and "绩效目标表" in text_of(p)]
        blocks = [headings[number - 1]]
        while (
            (following := blocks[-1].getnext()) is not None
            and following not in headings
            and following.tag != qn("w:sectPr")
        ):
            blocks.append(following)
        return blocks

    def part(self, name: str, change: Callable[[bytes], bytes]) -> None:
        self.members[name] = change(self.members[name])


def run(words: str):
    made = parse_xml('<w:r xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>')
    for at, line in enumerate(words.split("\n")):
        if at:
            etree.SubElement(made, qn("w:br"))
        text = etree.SubElement(made, qn("w:t"))
        text.text = line
        text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return made


def tag_of(sdt) -> str:
    tag = sdt.find(f"{qn('w:sdtPr')}/{qn('w:tag')}")
    return "" if tag is None else tag.get(qn("w:val"))


def text_of(element) -> str:
    return "".join(text.text or "" for text in element.iter(qn("w:t")))


def style_of(paragraph) -> str:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return "" if style is None else style.get(qn("w:val"))


def fill(sdt, words: str) -> None:
    content = sdt.find(qn("w:sdtContent"))
    paragraphs = list(content.iterchildren(qn("w:p")))
    if not paragraphs:
        content[:] = [run(words)]
        return
    lines = words.split("\n")
    first = paragraphs[0]
    for paragraph in paragraphs[1:]:
        content.remove(paragraph)
    for child in first.xpath("./*[not(self::w:pPr)]"):
        first.remove(child)
    for line in reversed(lines[1:]):
        made = copy.deepcopy(first)
        made.append(run(line))
        first.addnext(made)
    first.append(run(lines[0]))


def without_control(sdt) -> None:
    """Removes a control and leaves its contents, as Word's "remove content control" does."""
    for child in list(sdt.find(qn("w:sdtContent"))):
        sdt.addprevious(child)
    sdt.getparent().remove(sdt)


def renumbered(data: bytes) -> bytes:
    """Custom XML as Word saves it: the same part under another number."""
    editor = Editor(data)
    editor.members = {
        re.sub(r"customXml/(item|itemProps)1", r"customXml/\g<1>3", name): value.replace(
            b"item1.xml", b"item3.xml"
        ).replace(b"itemProps1", b"itemProps3")
        if not name.endswith("document.xml")
        else value
        for name, value in editor.members.items()
    }
    return editor.saved()
