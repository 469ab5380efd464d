"""``text import FILE --into ID``: a file that was edited elsewhere comes back; shown, asked, stored as a new version."""

from __future__ import annotations

import click

from application import returning
from application.installation import Request
from cli.differences import print_differences
from cli.output import print_json, say
from cli.views import print_reading_findings


def bring_back(
    request: Request, text_id: str, data: bytes, name: str, *, reason: str, yes: bool, as_json: bool
) -> None:
    """Reads a file for a text and stores it where the person wants it; with ``as_json`` it is stored only with ``yes``."""
    found = returning.read_return(request, text_id, data, name=name)
    if as_json:
        stored = returning.store_return(request, found, reason=reason) if yes and found.compared.rows else None
        print_json({**found.to_json(), "stored": stored})
        return
    print_differences(found.compared)
    if found.findings:
        click.echo("\n读入时的说明")
        print_reading_findings(list(found.findings))
    if not found.compared.rows:
        say("没有改动，没有生成新版本。")
        return
    if not (yes or click.confirm("保存为新的一版？", default=True, err=True)):
        say("没有保存。")
        return
    done = returning.store_return(request, found, reason=reason)
    say(f"已生成第 {done['version']} 版，改动 {len(done['changes'])} 处。下一步：jixiao text check {text_id}。")
