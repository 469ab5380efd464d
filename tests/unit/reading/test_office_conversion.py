"""LibreOffice with a stranger's file in its hands: it fetches nothing, runs nothing, and leaves nothing behind."""

from __future__ import annotations

import io
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import docx
import made_files as made
import pytest

from documents.reading.sources.kinds import SourceKind
from documents.reading.sources.office_conversion import converted
from models.errors import InvalidInput

pytestmark = pytest.mark.skipif(made.soffice() is None, reason="LibreOffice is not installed")
_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
    'xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0"'
)
_LIBRARY = 'xmlns:library="http://openoffice.org/2000/library"'


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the process, in which nothing may be left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """A machine that files may point to, under its address first, and what it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        do_OPTIONS = do_GET  # noqa: N815 -- the library looks for the method's name

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 -- the library names it so
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    paths.append(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield paths
    server.shutdown()
    thread.join()
    server.server_close()


def _odt(body: str, scripts: str = "", members: dict[str, str] | None = None) -> bytes:
    kind = "application/vnd.oasis.opendocument.text"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES} office:version="1.2">{scripts}'
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    all_members = {"content.xml": content, **(members or {})}
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="text/xml"/>' for name in all_members
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>{entries}</manifest:manifest>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, data in {"mimetype": kind, **all_members, "META-INF/manifest.xml": manifest}.items():
            container.writestr(name, data)
    return out.getvalue()


def _words(data: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs)


def test_what_a_file_points_to_is_not_fetched(asked: list[str], tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("秘密", "utf-8")
    address = asked.pop()
    frame = '<draw:frame draw:name="i" svg:width="5cm" svg:height="3cm" text:anchor-type="as-char">'
    made_word = converted(
        _odt(
            f'<text:p>前{frame}<draw:image xlink:href="{address}/picture.png"/></draw:frame></text:p>'
            f'<text:section text:name="s"><text:section-source xlink:href="{secret.as_uri()}"/><text:p>旧</text:p>'
            "</text:section><text:p>后</text:p>"
        ),
        SourceKind.ODT,
    )
    assert asked == []
    assert "".join(_words(made_word).split()) == "前旧后"


def test_macros_of_a_file_are_not_run(tmp_path: Path) -> None:
    note = tmp_path / "ran"
    module = (
        '<?xml version="1.0" encoding="UTF-8"?><script:module xmlns:script="http://openoffice.org/2000/script" '
        f'script:name="M" script:language="StarBasic">Sub Go\nOpen "{note}" For Output As #1\nClose #1\nEnd Sub'
        "</script:module>"
    )
    library = (
        f'<library:library {_LIBRARY} library:name="Standard"><library:element library:name="M"/></library:library>'
    )
    libraries = f'<library:libraries {_LIBRARY}><library:library library:name="Standard"/></library:libraries>'
    listener = (
        "<office:scripts><office:event-listeners><script:event-listener "
        'script:language="ooo:script" script:event-name="dom:load" xmlns:dom="http://www.w3.org/2001/xml-events" '
        'xmlns:ooo="http://openoffice.org/2004/office" xlink:type="simple" '
        'xlink:href="vnd.sun.star.script:Standard.M.Go?language=Basic&amp;location=document"/>'
        "</office:event-listeners></office:scripts>"
    )
    members = {
        "Basic/Standard/M.xml": module,
        "Basic/Standard/script-lb.xml": library,
        "Basic/script-lc.xml": libraries,
    }
    assert _words(converted(_odt("<text:p>字</text:p>", listener, members), SourceKind.ODT)) == "字"
    assert not note.exists()


def test_nothing_is_left_of_a_conversion_that_takes_too_long(own_folder: Path) -> None:
    with pytest.raises(InvalidInput, match="还没有完成"):
        converted(_odt("<text:p>字</text:p>"), SourceKind.ODT, seconds=1.0)
    assert list(own_folder.iterdir()) == []


def test_conversions_do_not_wait_for_one_another() -> None:
    """With one profile for both, the second would hand its file to the first and end without a result."""
    with ThreadPoolExecutor(2) as pool:
        files = pool.map(
            lambda words: converted(_odt(f"<text:p>{words}</text:p>"), SourceKind.ODT, seconds=120), "甲乙"
        )
        assert [_words(data) for data in files] == ["甲", "乙"]
