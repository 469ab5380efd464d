"""Which templates documents are made of: those of the program, behind a folder of an office's own.

The folder has the layout of ``documents/templates``: ``<document>/words.xhtml.j2``, ``_base/page.typ``, and
``<document>/page.docx`` for a Word template. Its files are read once and travel as bytes, so that what was linted, what was
rendered with and what the version is taken over are the same, in every process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from models.errors import InvalidInput, JixiaoError

SHARED: Final = "_base"
WORDS: Final = "words.xhtml.j2"
WORD_PAGE: Final = "page.docx"
# The same folder may hold the letters of notifications (docs/guide/notifications.md), which are none of ours.
_LETTERS: Final = frozenset({"subject.txt", "body.txt", "body.html"})
_LONGEST: Final = 20_000_000


class BrokenTemplate(JixiaoError):
    """A template of an office can't be used; ``facts['problems']`` lists ``{file, line, message}``, line 0 for the whole."""

    code = "broken_template"


@dataclass(frozen=True)
class TemplateSet:
    """Templates by their path, such as ``draft/words.xhtml.j2``; ``own`` are an office's own files, in order of path."""

    own: tuple[tuple[str, bytes], ...] = ()

    def data(self, name: str) -> bytes | None:
        """The bytes of a file, the office's own first; None where there is none."""
        own = dict(self.own).get(name)
        return _shipped(name) if own is None else own

    def source(self, name: str) -> str | None:
        """The text of a file; None where there is none."""
        data = self.data(name)
        return None if data is None else data.decode("utf-8")

    def overrides_file(self, name: str) -> bool:
        """Whether a file is an office's own."""
        return any(path == name for path, _ in self.own)

    def overrides(self, document: str) -> bool:
        """Whether an own file takes part in a document."""
        return any(name.split("/")[0] in (SHARED, document) for name, _ in self.own)


SHIPPED: Final = TemplateSet()


@cache
def _shipped(name: str) -> bytes | None:
    try:
        return resources.files("documents").joinpath("templates").joinpath(*name.split("/")).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def shipped_files(folder: str) -> tuple[tuple[str, bytes], ...]:
    """Paths and bytes of the program's files in a folder of templates, in order of path."""
    root = resources.files("documents").joinpath("templates").joinpath(folder)
    return tuple(sorted(_files(root, folder))) if root.is_dir() else ()


def _files(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found = []
    for item in folder.iterdir():
        here = f"{path}/{item.name}"
        found += _files(item, here) if item.is_dir() else [(here, item.read_bytes())]
    return found


@cache
def document_names() -> tuple[str, ...]:
    """Names of the documents that can be rendered, the ``document:`` names of workflow definitions, in order of name."""
    folders = resources.files("documents").joinpath("templates").iterdir()
    return tuple(sorted(folder.name for folder in folders if folder.joinpath(WORDS).is_file()))


def read_templates(folder: Path | None) -> TemplateSet:
    """The templates with those of a folder in front; raises InvalidInput for a folder that can't be read.

    Files that programs leave behind (hidden ones, Word's ``~$`` locks) are not looked at.
    """
    if folder is None:
        return SHIPPED
    if not folder.is_dir():
        raise InvalidInput(f"没有模板文件夹“{folder}”；请检查设置 templates，或取消该设置以使用自带模板。")
    own = []
    for path in sorted(folder.glob("*/*")):
        if path.name.startswith((".", "~$")) or path.name in _LETTERS or not path.is_file():
            continue
        try:
            if path.stat().st_size > _LONGEST:
                raise InvalidInput(f"模板“{path}”超过 20 MB；请压缩其中的图片。")
            own.append((path.relative_to(folder).as_posix(), path.read_bytes()))
        except OSError as error:
            raise InvalidInput(f"不能读取模板“{path}”（{error.strerror}）；请检查权限。") from error
    return TemplateSet(tuple(own))
