"""The version of a document's templates: one SHA-256 over all files that take part in making it."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from documents.rendering.template_set import SHARED, SHIPPED, TemplateSet, shipped_files


@lru_cache(maxsize=64)
def templates_sha256(document: str, templates: TemplateSet = SHIPPED) -> str:
    """SHA-256 over the document's folder and the shared one, in order of path: path, length and bytes of each file.

    A file of an office stands in the place of the program's, or beside it.
    """
    whole = hashlib.sha256()
    for folder in sorted((SHARED, document)):
        files = dict(shipped_files(folder)) | {
            name: data for name, data in templates.own if name.startswith(f"{folder}/")
        }
        for path, data in sorted(files.items()):
            whole.update(f"{path}\0{len(data)}\0".encode() + data)
    return whole.hexdigest()
