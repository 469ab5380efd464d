"""The commands of the guide to comparing, executed as they stand, and what they leave behind."""

from __future__ import annotations

import json
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
from models.people import OrganizationKind, Role


def test_every_command_of_the_comparing_guide_works(tmp_path: Path) -> None:
    made = initialize(Settings(home=tmp_path / "home"))
    recorder, now = made.installation.recorder("guide", Via.CLI), made.installation.clock()
    given = {"actor": "-", "role": "-", "now": now}
    with transaction(made.installation.engine) as work:
        department, _ = (
            insert_organization(work, recorder, name=name, kind=kind, code=None, aliases=(), **given)
            for name, kind in (("图书馆", OrganizationKind.DEPARTMENT), ("财政局", OrganizationKind.FINANCE))
        )
        account = insert_account(
            work, recorder, organization=department, login="jingban", display_name="经办", password=None, **given
        )
        insert_grant(work, recorder, account=account, role=Role.DRAFTER, actor=None, actor_role="-", now=now)
        token = issue_token(work, account.id, "guide", now=now, lifetime=timedelta(days=1))
    made.installation.engine.dispose()
    (tmp_path / "jingban.token").write_text(token)
    shutil.copy(ROOT / "examples" / "library-2021.txt", tmp_path)
    speak = 'as() { local who=$1; shift; JIXIAO_TOKEN=$(cat "$who.token") "$@"; }'
    blocks = run_blocks("comparing.md", tmp_path, {"JIXIAO_HOME": str(tmp_path / "home")}, speak)
    assert len(blocks) >= 5
    found = json.loads((tmp_path / "bijiao.json").read_text("utf-8"))
    assert {change["place"]: change["reason"] for change in found["changes"]} == {
        "/projects/p1/budget/total": "增加自筹资金",
        "/projects/p1/budget/other": "增加自筹资金",
        "/projects/p1/indicators/i4/value": "质量要求提高",
    }
    assert "<ins>87400.00 元</ins>" in (tmp_path / "duizhao.html").read_text("utf-8")
    assert "<del>86400.00 元</del><ins>87400.00 元</ins>" in (tmp_path / "chayi.html").read_text("utf-8")
    assert "<td>质量要求提高</td>" in (tmp_path / "biangeng.html").read_text("utf-8")
