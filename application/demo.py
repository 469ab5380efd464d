"""The demonstration: a home with three organizations and one account per role, and one text driven to publication."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from application import histories, texts
from application.accounts import first_token, insert_account, insert_grant, insert_organization
from application.acting import Remark, act
from application.answering import answer_findings
from application.auditing import checkpoint, verdict_json, verify_log
from application.editing import confirm_repairs, set_members
from application.identity import authenticate
from application.importing import import_text
from application.installation import Installation, Request, new_request_id
from application.installing import initialize, make_private_folder
from application.migrations import schema_state
from application.rendering import render_text
from application.resources import folder
from application.settings import Settings
from audit.events import Via
from audit.verdicts import Verdict
from models.engine import make_engine, transaction
from models.errors import Conflict
from models.people import ROLE_HOME, ROLE_TITLES, OrganizationKind, Role
from models.texts import OpinionKind

SAMPLE = "library-2021.txt"
_MARK = ".jixiao-demo"
# What the demonstration prints with --json, kept for its owner: the tokens work as long as the home is there.
RESULT = "demo.json"

# The demonstration's three organizations; the department's and the bureau's names stand in the sample.
_ORGANIZATIONS: tuple[tuple[OrganizationKind, str, str | None, tuple[str, ...]], ...] = (
    (OrganizationKind.DEPARTMENT, "澜石市青禾县图书馆", "612", ("图书馆",)),
    (OrganizationKind.FINANCE, "澜石市青禾县财政局", None, ()),
    (OrganizationKind.AUDIT, "澜石市青禾县审计局", None, ()),
)
# The opinions with which the demonstration's reviewer returns the text, and the edit that answers them.
_REMARKS = (
    Remark("/projects/p1/indicators/i6/sign", "成本指标没有符号，不能判断是上限还是定额", "补写“≤”"),
    Remark("/sub_goals/g2", "此分项目标没有对应的预算项目", "说明由哪项经费保障", OpinionKind.SUGGESTION),
)
_ANSWER = "已与业务科室核对，数据出自年度工作计划"
_EDITS = (("/projects/p1/indicators/i6/sign", "≤"), ("/projects/p1/indicators/i6/direction", "反向"))

Say = Callable[[str], None]


@dataclass
class Demonstration:
    """What the demonstration made: ids, states in their order, documents by name, the verdict, one token per role."""

    home: Path
    text: str = ""
    states: list[str] = field(default_factory=list)
    documents: dict[str, Path] = field(default_factory=dict)
    pages: dict[str, Path] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    verdict: Verdict | None = None

    def to_json(self) -> dict[str, Any]:
        """The result in the shape that ``jixiao demo --json`` prints."""
        verdict = verdict_json(self.verdict) if self.verdict else {}
        return {
            "text": self.text,
            "home": str(self.home),
            "states": self.states,
            "documents": {name: str(path) for name, path in self.documents.items()},
            "pages": {name: str(path) for name, path in self.pages.items()},
            "audit": {key: verdict.get(key) for key in ("ok", "size", "root")},
            "tokens": self.tokens,
        }


def demonstrate(settings: Settings, *, keep: bool = False, say: Say = lambda _: None) -> Demonstration:
    """Makes a home and drives a text from import to publication.

    A home that an earlier demonstration made is replaced, or with ``keep`` moved aside; any other folder with something
    in it is left alone (Conflict).
    """
    home = settings.home
    _require_own_database(settings)
    _make_room(home, keep, say)
    make_private_folder(home)
    (home / _MARK).touch()
    made = initialize(settings)
    documents = home / "documents"
    documents.mkdir(exist_ok=True)
    demo = Demonstration(home)
    requests = demonstration_people(made.installation, demo)
    say("已建立：三个单位，每个岗位一个账号")
    _Run(demo, requests, documents, say).whole()
    checkpoint(made.installation)
    demo.verdict = verify_log(made.installation)
    result = home / RESULT
    result.touch(mode=0o600)
    result.write_bytes(orjson.dumps(demo.to_json(), option=orjson.OPT_INDENT_2))
    return demo


def _require_own_database(settings: Settings) -> None:
    # The home can be thrown away and made anew, a database that JIXIAO_DATABASE_URL names can't.
    if settings.database_url is not None:
        engine = make_engine(settings.database_url)
        state = schema_state(engine)
        engine.dispose()
        if state.database is not None:
            raise Conflict("JIXIAO_DATABASE_URL 指向的数据库已在使用；演示需要一个空的数据库，没有改动任何内容。")


def _make_room(home: Path, keep: bool, say: Say) -> None:
    if not home.exists() or not any(home.iterdir()):
        return
    if not (home / _MARK).exists():
        raise Conflict(f"文件夹 {home} 不是演示建立的，没有改动它；请用 --home 指定另一个文件夹。")
    if not keep:
        shutil.rmtree(home)
        return
    number = 1
    while (aside := home.with_name(f"{home.name}-{number}")).exists():
        number += 1
    home.rename(aside)
    say(f"上一次的演示已移到 {aside}")


def demonstration_people(installation: Installation, demo: Demonstration) -> dict[Role, Request]:
    """The demonstration's organizations and one account per role, each with a request of its own; tokens go to ``demo``."""
    recorder = installation.recorder(new_request_id(), Via.CLI)
    now = installation.clock()
    with transaction(installation.engine) as work:
        owners = {
            kind: insert_organization(
                work, recorder, name=name, kind=kind, code=code, aliases=aliases, actor="-", role="-", now=now
            )
            for kind, name, code, aliases in _ORGANIZATIONS
        }
        for role, kind in ROLE_HOME.items():
            account = insert_account(
                work,
                recorder,
                organization=owners[kind],
                login=role.value,
                display_name=f"演示{ROLE_TITLES[role]}",
                password=None,
                actor="-",
                role="-",
                now=now,
            )
            insert_grant(work, recorder, account=account, role=role, actor=None, actor_role="-", now=now)
            demo.tokens[role.value] = first_token(work, recorder, account, actor="-", role="-", now=now, name="demo")
    return {
        role: Request(installation, authenticate(installation, demo.tokens[role.value]), new_request_id())
        for role in ROLE_HOME
    }


class _Run:
    """One text's way through the process, each step by the person whose turn it is."""

    def __init__(self, demo: Demonstration, requests: dict[Role, Request], documents: Path, say: Say) -> None:
        self.demo, self.requests, self.documents, self.say = demo, requests, documents, say

    def whole(self) -> None:
        """From import to publication, with one return."""
        self._import()
        self._act(Role.DEPARTMENT_HEAD, "submit", "submission")
        self._act(Role.REVIEWER, "accept")
        self._act(Role.REVIEWER, "return", "return", reason="成本指标不完整", remarks=_REMARKS)
        set_members(self.requests[Role.DRAFTER], self.demo.text, _EDITS, reason="按初审意见补写成本指标的符号")
        self.say("已修改：成本指标补写“≤”，生成第 2 版")
        self._act(Role.DEPARTMENT_HEAD, "submit", accept_all=True)
        self._act(Role.REVIEWER, "accept")
        self._act(Role.REVIEWER, "pass")
        self._act(Role.SECOND_REVIEWER, "pass", "review")
        self._act(Role.APPROVER, "approve", "approval")
        self._act(Role.PUBLISHER, "publish", "publication")
        self.demo.history = histories.history(self.requests[Role.AUDITOR], self.demo.text)

    def _import(self) -> None:
        drafter = self.requests[Role.DRAFTER]
        data = (folder("examples", "jixiao_examples") / SAMPLE).read_bytes()
        done = import_text(drafter, data, name=SAMPLE)
        self.demo.text = done["text"]
        self.demo.states.append(done["state"])
        self.say(f"已导入：{done['content']['title']}，读入时修复或存疑 {len(done['findings'])} 处")
        confirmed = confirm_repairs(drafter, self.demo.text, (), everything=True)
        self.say(f"已确认：{len(confirmed['confirmed'])} 处修复")
        checked = texts.check(drafter, self.demo.text)
        self.say(f"已检查：错误 {checked['errors']}，警告 {checked['warnings']}，提示 {checked['hints']}")
        answered = answer_findings(drafter, self.demo.text, (), words=_ANSWER, everything=True)
        self.say(f"已答复：{len(answered['answered'])} 条警告")
        self._render(Role.DRAFTER, "draft")

    def _act(self, role: Role, action: str, document: str | None = None, **given: Any) -> None:
        done = act(self.requests[role], self.demo.text, action=action, **given)
        if done["state"] != self.demo.states[-1]:
            self.demo.states.append(done["state"])
        self.say(f"{ROLE_TITLES[role]}：{action} → {done['state_title']}（第 {done['round']} 轮）")
        if document is not None:
            self._render(role, document)

    def _render(self, role: Role, document: str) -> None:
        for format_, kept in (("pdf", self.demo.documents), ("html", self.demo.pages)):
            made = render_text(self.requests[role], self.demo.text, document=document, format_=format_)
            path = self.documents / made.name
            path.write_bytes(made.data)
            kept[document] = path
