"""The commands of the guides to workflows and to handling texts, executed as they stand, one block after the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

from acceptance_shell import COMMAND, ROOT

from application.accounts import insert_account, insert_grant, insert_organization
from application.identity import issue_token
from application.installing import initialize
from application.settings import Settings
from audit.events import Via
from models.engine import transaction
from models.people import OrganizationKind, Role

_BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def run_blocks(name: str, folder: Path, environment: dict[str, str], before: str = "") -> list[str]:
    """Runs every block of a guide in one shell and one folder; the blocks."""
    blocks: list[str] = _BLOCK.findall((ROOT / "docs" / "guide" / name).read_text("utf-8"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JIXIAO_")}
    environment = {
        **kept,
        "PATH": f"{COMMAND.parent}:{os.environ['PATH']}",
        "JIXIAO_LOG_LEVEL": "warning",
        "PYTHONUTF8": "1",
        **environment,
    }
    script = folder / "script.sh"
    script.write_text("\n".join([before, *blocks]), "utf-8")
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return blocks


def test_every_command_of_the_workflow_guide_works(tmp_path: Path) -> None:
    made = initialize(Settings(home=tmp_path / "home"))
    made.installation.engine.dispose()
    token = made.tokens["system_administrator"]
    blocks = run_blocks("workflow.md", tmp_path, {"JIXIAO_HOME": str(tmp_path / "home"), "JIXIAO_TOKEN": token})
    assert len(blocks) >= 7
    assert "<svg" in (tmp_path / "county.svg").read_text("utf-8")


PEOPLE = {
    "jingban": Role.DRAFTER,
    "fuzeren": Role.DEPARTMENT_HEAD,
    "gongkai": Role.PUBLISHER,
    "chushen": Role.REVIEWER,
    "chushen2": Role.REVIEWER,
    "jixiaogu": Role.SECOND_REVIEWER,
    "yusuangu": Role.BUDGET_REVIEWER,
    "juzhang": Role.APPROVER,
    "fujuzhang": None,
}


def test_every_command_of_the_handling_guide_works(tmp_path: Path) -> None:
    made = initialize(Settings(home=tmp_path / "home"))
    recorder, now = made.installation.recorder("guide", Via.CLI), made.installation.clock()
    given = {"actor": "-", "role": "-", "now": now}
    with transaction(made.installation.engine) as work:
        department = insert_organization(
            work, recorder, name="图书馆", kind=OrganizationKind.DEPARTMENT, code=None, aliases=(), **given
        )
        bureau = insert_organization(
            work, recorder, name="财政局", kind=OrganizationKind.FINANCE, code=None, aliases=(), **given
        )
        for login, role in PEOPLE.items():
            where = department if role in (Role.DRAFTER, Role.DEPARTMENT_HEAD, Role.PUBLISHER) else bureau
            account = insert_account(
                work, recorder, organization=where, login=login, display_name=login, password=None, **given
            )
            if role is not None:
                insert_grant(work, recorder, account=account, role=role, actor=None, actor_role="-", now=now)
            token = issue_token(work, account.id, "guide", now=now, lifetime=timedelta(days=1))
            (tmp_path / f"{login}.token").write_text(token)
    made.installation.engine.dispose()
    shutil.copy(ROOT / "examples" / "library-2021.txt", tmp_path)
    speak = 'as() { local who=$1; shift; JIXIAO_TOKEN=$(cat "$who.token") "$@"; }'
    blocks = run_blocks("handling.md", tmp_path, {"JIXIAO_HOME": str(tmp_path / "home")}, speak)
    assert len(blocks) >= 10
