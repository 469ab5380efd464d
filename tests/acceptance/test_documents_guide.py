"""The commands of the guide to documents, executed as they stand, and the gallery that it shows."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

from acceptance_shell import ROOT
from test_workflow_guide import run_blocks

from application.accounts import insert_account, insert_grant, insert_organization
from application.identity import issue_token
from application.installing import initialize
from application.settings import Settings
from audit.events import Via
from models.engine import transaction
from models.people import ROLE_HOME, OrganizationKind, Role
from tests.gallery.__main__ import pictures

PEOPLE = {
    "jingban": Role.DRAFTER,
    "fuzeren": Role.DEPARTMENT_HEAD,
    "gongkai": Role.PUBLISHER,
    "chushen": Role.REVIEWER,
    "fushen": Role.SECOND_REVIEWER,
    "juzhang": Role.APPROVER,
}
MOST = 1_500_000


def test_every_command_of_the_documents_guide_works(tmp_path: Path) -> None:
    made = initialize(Settings(home=tmp_path / "home"))
    recorder, now = made.installation.recorder("guide", Via.CLI), made.installation.clock()
    given = {"actor": "-", "role": "-", "now": now}
    with transaction(made.installation.engine) as work:
        homes = {
            kind: insert_organization(work, recorder, name=name, kind=kind, code=None, aliases=(), **given)
            for kind, name in ((OrganizationKind.DEPARTMENT, "图书馆"), (OrganizationKind.FINANCE, "财政局"))
        }
        for login, role in PEOPLE.items():
            where = homes[ROLE_HOME[role]]
            account = insert_account(
                work, recorder, organization=where, login=login, display_name=login, password=None, **given
            )
            insert_grant(work, recorder, account=account, role=role, actor=None, actor_role="-", now=now)
            token = issue_token(work, account.id, "guide", now=now, lifetime=timedelta(days=1))
            (tmp_path / f"{login}.token").write_text(token)
    (tmp_path / "guanli.token").write_text(made.tokens["system_administrator"])
    made.installation.engine.dispose()
    (tmp_path / "vkey.txt").write_text(f"{made.vkey}\n")
    shutil.copy(ROOT / "examples" / "library-2021.txt", tmp_path)
    speak = 'as() { local who=$1; shift; JIXIAO_TOKEN=$(cat "$who.token") "$@"; }'
    blocks = run_blocks("documents.md", tmp_path, {"JIXIAO_HOME": str(tmp_path / "home")}, speak)
    assert len(blocks) >= 9
    for name in ("草案.pdf", "退回修改通知.pdf", "批复函.pdf", "公开稿.pdf"):
        assert (tmp_path / name).read_bytes().startswith(b"%PDF"), name
    assert len(list((tmp_path / "报送函").glob("*.pdf"))) == 1


def test_the_gallery_shows_every_picture_that_is_made_and_stays_small() -> None:
    made = pictures()
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "docs" / "gallery" / "README.md").read_text("utf-8"))
    assert sorted(shown) == sorted(made)
    assert sum(map(len, made.values())) < MOST
    assert all(data.startswith(b"\x89PNG") for data in made.values())
