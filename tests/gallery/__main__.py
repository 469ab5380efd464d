"""``make gallery``: the documents of one text as pictures of their pages, for docs/gallery.

Only the pages that a reader should see are kept: a letter brings the whole text along, which the draft shows already.
The same program and libraries make the same bytes.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import pypdfium2  # noqa: E402 -- comes with pdfplumber, as Pillow does
from PIL import Image  # noqa: E402

from documents.rendering import render_pdf  # noqa: E402
from tests.gallery.showcase import stages  # noqa: E402

OUT = ROOT / "docs" / "gallery"
DPI = 80
_SHADES = 16
# How many of its first pages a document shows; 0 for all. The answers to opinions are the last page of a submission.
PAGES = {
    "draft": [0, 1, 2, -2, -1],
    "return": [],
    "submission": [0, 1, -1],
    "review": [],
    "approval": [0, 1],
    "publication": [0, -2],
    "processing": [],
    "archive": [],
}


def pictures() -> dict[str, bytes]:
    """PNG bytes by file name, such as ``approval-1.png``."""
    found = {}
    for document, stage in stages().items():
        pdf = pypdfium2.PdfDocument(render_pdf(stage))
        wanted = PAGES[document] or range(len(pdf))
        for number, at in enumerate(wanted, start=1):
            page = pdf[at % len(pdf)]
            image = page.render(scale=DPI / 72, grayscale=True).to_pil()
            found[f"{document}-{number}.png"] = _png(image)
        pdf.close()
    return found


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("L").quantize(_SHADES).save(out, "png", optimize=True)
    return out.getvalue()


def main() -> None:
    """Writes the pictures, and takes away those that nothing makes any more."""
    OUT.mkdir(parents=True, exist_ok=True)
    made = pictures()
    for path in OUT.glob("*.png"):
        if path.name not in made:
            path.unlink()
    for name, data in made.items():
        (OUT / name).write_bytes(data)
    total = sum(map(len, made.values()))
    sys.stdout.write(f"docs/gallery：{len(made)} 张，共 {total // 1024} KB\n")


if __name__ == "__main__":
    main()
