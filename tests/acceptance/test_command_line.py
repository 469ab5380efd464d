from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from acceptance_shell import COMMAND, ROOT, SAMPLE, Shell
from click.testing import CliRunner
from intruder import disarm_sqlite

from cli.main import cli


def test_the_demonstration_prints_what_it_promises(demo):
    assert demo["states"] == [
        "draft",
        "submitted",
        "first_review",
        "revision",
        "submitted",
        "first_review",
        "second_review",
        "approved",
        "published",
    ]
    assert set(demo["documents"]) == {"draft", "submission", "return", "review", "approval", "publication"}
    for path in demo["documents"].values():
        assert Path(path).read_bytes().startswith(b"%PDF-")
    assert demo["audit"]["ok"] is True
    assert demo["audit"]["size"] > 20
    assert len(bytes.fromhex(demo["audit"]["root"])) == 32


def test_the_demonstrations_tokens_work(shell):
    for role in shell.tokens:
        assert shell.ok("whoami", role=role)["roles"] == [role]


def test_the_demonstration_replaces_only_what_is_its_own(shell, tmp_path):
    other = tmp_path / "precious"
    other.mkdir()
    (other / "file").write_text("mine")
    assert "没有改动" in shell.fails(5, "demo", "--home", other)
    assert (other / "file").read_text() == "mine"


def test_a_life_of_a_text_by_its_short_forms(shell, drive):
    text = drive("second_review")
    assert shell.ok("approve", text, role="approver")["state"] == "approved"
    assert shell.ok("text", "do", "publish", text, role="publisher")["state"] == "published"
    assert shell.ok("text", "list", role="auditor")[0]["state"] == "published"
    verdict = shell.ok("audit", "verify")
    assert (verdict["ok"], verdict["status"]) == (True, "intact")


def test_a_return_names_its_places_and_comes_back_answered(shell, drive):
    text = drive("first_review")
    opinion = "/projects/p1/indicators/i6/sign=建议：没有符号|补写≤"
    message = shell.fails(6, "return", text, "--reason", "有误", role="reviewer")
    assert "逐处写明" in message
    shell.ok("return", text, "--reason", "有误", "--opinion", opinion, role="reviewer")
    found = shell.ok("opinion", "list", text, role="drafter")[0]
    assert (found["kind"], found["problem"], found["wanted"]) == ("建议", "没有符号", "补写≤")
    edited = shell.ok("text", "edit", text, "--set", "/projects/p1/indicators/i6/sign=≤", role="drafter")
    place = {"place": "/projects/0/indicators/5/sign", "anchor": "/projects/p1/indicators/i6/sign"}
    assert edited["changes"] == [{**place, "old": None, "new": "≤"}]
    done = shell.ok("submit", text, "--answer", f"{found['id']}=说明：已补写", role="department_head")
    assert (done["state"], done["round"]) == ("submitted", 2)


def test_content_goes_out_and_comes_back_as_json(shell, drive):
    text = drive("draft")
    content = shell.ok("text", "show", text, role="drafter")
    assert content["schema"] == "jixiao/budget-text/1"
    content["projects"][0]["purpose"] = "改写后的用途"
    done = shell.ok("text", "edit", text, "--file", "-", role="drafter", stdin=json.dumps(content).encode())
    assert done["version"] == 2
    assert shell.ok("text", "show", text, role="drafter") == content
    assert shell.ok("text", "show", text, "--version", "1", role="drafter") != content


def test_two_processes_that_approve_at_once(shell, drive):
    text = drive("second_review")
    both = [shell.start("approve", text, role="approver") for _ in range(2)]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in both]
    assert sorted(code for _, code in ended) == [0, 5], ended
    assert shell.ok("text", "actions", text, role="auditor")["state"] == "approved"
    assert shell.ok("audit", "verify")["ok"]


def test_an_edited_byte_of_an_event_is_named(shell):
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        (body,) = database.execute("SELECT body FROM audit_entry WHERE idx = 7").fetchone()
        changed = bytes([*body[:40], body[40] ^ 1, *body[41:]])
        assert disarm_sqlite(database.execute)
        database.execute("UPDATE audit_entry SET body = ? WHERE idx = 7", (changed,))
    done = shell.run("audit", "verify")
    assert done.returncode == 7
    assert "第 7 条" in done.stdout
    assert json.loads(shell.run("audit", "verify", "--json").stdout)["first_bad"] == 7


def test_a_checkpoint_kept_outside_proves_a_cut_tail(shell, tmp_path):
    kept = tmp_path / "checkpoint"
    assert shell.run("audit", "checkpoint", "--out", kept).returncode == 0
    assert shell.run("audit", "verify", "--checkpoint", kept).returncode == 0
    text = kept.read_text().replace("\n\n", "x\n\n", 1)
    kept.write_text(text)
    assert shell.run("audit", "verify", "--checkpoint", kept).returncode in (2, 7)


def test_history_and_log_show_the_refusals_too(shell, drive):
    text = drive("submitted")
    assert "没有这个岗位" in shell.fails(4, "accept", text, role="drafter")
    last = shell.ok("text", "history", text, role="auditor")[-1]
    assert (last["act"], last["outcome"]) == ("workflow.accept", "denied")
    log = shell.ok("audit", "log", "--text", text, "--act", "workflow.accept", role="auditor")
    assert log[-1]["event"]["out"] == "denied"
    assert "审计" in shell.fails(4, "audit", "log", role="drafter")


def test_documents_are_written_where_they_are_asked_for(shell, tmp_path):
    done = shell.ok("text", "render", shell.text, "--document", "approval", "--out", tmp_path, role="auditor")
    assert Path(done["path"]).read_bytes().startswith(b"%PDF-")
    page = shell.run("text", "render", shell.text, "--format", "html", "--out", "-", role="auditor")
    assert page.stdout.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    "arguments",
    [
        ("text", "list"),
        ("text", "show", "TEXT"),
        ("text", "history", "TEXT"),
        ("text", "actions", "TEXT"),
        ("text", "check", "TEXT"),
        ("opinion", "list", "TEXT"),
        ("task", "list"),
        ("workflow", "list"),
        ("workflow", "show", "standard"),
        ("org", "list"),
        ("user", "list"),
        ("audit", "log"),
        ("audit", "verify"),
        ("db", "current"),
        ("whoami",),
    ],
)
def test_everything_that_reads_prints_json_or_plain_lines_into_a_pipe(shell, arguments, monkeypatch):
    # In this process: thirty starts of the program would show nothing more.
    monkeypatch.setenv("JIXIAO_HOME", str(shell.home))
    monkeypatch.setenv("JIXIAO_TOKEN", shell.tokens["auditor"])
    monkeypatch.setenv("JIXIAO_LOG_LEVEL", "warning")
    arguments = [shell.text if item == "TEXT" else item for item in arguments]
    assert json.loads(CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False).stdout) is not None
    plain = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert plain.exit_code == 0
    assert "\x1b" not in plain.stdout
    assert "│" not in plain.stdout


def bad_files(tmp_path):
    sample = SAMPLE.read_text(encoding="utf-8")
    body, _, tables = sample.partition("第二部分\n")
    assert tables
    yield "missing", None, "没有文件"
    yield "empty.txt", b"", "空"
    yield "binary.txt", bytes(range(256)) * 20, "错误"
    yield "word.docx", b"PK\x03\x04" + bytes(200), "损坏"
    yield "no-tables.txt", body.encode(), "绩效目标表"
    yield "two.txt", (sample + sample).encode(), "两份"
    yield "utf16.txt", sample.encode("utf-16"), "UTF-16"
    yield "letter.txt", "关于开展工作的通知\n各单位：\n请按时完成。\n".encode(), "错误"


def rows(shell: Shell) -> dict[str, int]:
    """Rows of every table."""
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


@pytest.mark.parametrize("number", range(8))
def test_a_file_that_is_no_budget_text_is_refused_and_changes_nothing(shell, tmp_path, number):
    name, data, words = list(bad_files(tmp_path))[number]
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    before = rows(shell)
    assert words in shell.fails(2, "text", "import", path, role="drafter")
    assert rows(shell) == before


def test_the_same_text_in_every_encoding_and_from_standard_input(shell, tmp_path):
    sample = SAMPLE.read_text(encoding="utf-8")
    spellings = (sample.encode(), b"\xef\xbb\xbf" + sample.encode(), sample.replace("\n", "\r\n").encode("gb18030"))
    contents = [shell.ok("text", "import", "-", role="drafter", stdin=data)["content"] for data in spellings]
    assert contents[0] == contents[1] == contents[2]


def test_organization_and_year_can_be_given(shell):
    done = shell.ok("text", "import", SAMPLE, "--year", "2022", "--org", "图书馆", role="drafter")
    assert done["content"]["fiscal_year"] == 2022
    assert "T003" in {item["code"] for item in shell_check(shell, done["text"])}
    assert "没有名为" in shell.fails(3, "text", "import", SAMPLE, "--org", "没有这个单位", role="drafter")


def shell_check(shell: Shell, text: str):
    return json.loads(shell.run("text", "check", text, "--json", role="drafter").stdout)["findings"]


def test_a_text_with_errors_is_not_submitted_and_check_says_so(shell):
    text = shell.ok("text", "import", SAMPLE, role="drafter")["text"]
    assert shell.run("text", "check", text, role="drafter").returncode == 6
    assert "C007" in shell.fails(6, "text", "do", "submit", text, role="department_head")


def test_tokens_that_open_nothing(shell):
    assert "还没有登录" in shell.fails(4, "whoami")
    shell.tokens["nobody"] = "jx_wrong"
    assert "无效" in shell.fails(4, "whoami", role="nobody")
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        database.execute("UPDATE access_token SET expires_at = '2020-01-01T00:00:00.000000Z'")
    assert "已过期" in shell.fails(4, "whoami", role="drafter")
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        database.execute(
            "UPDATE access_token SET expires_at = '2099-01-01T00:00:00.000000Z', revoked_at = '2020-01-01T00:00:00.000000Z'"
        )
    assert "已撤销" in shell.fails(4, "whoami", role="drafter")


def test_log_in_with_a_password_and_out_again(tmp_path):
    shell = Shell(tmp_path / "home")
    tokens = shell.ok("init")["tokens"]
    shell.tokens = tokens
    shell.ok("org", "add", "某某局")
    assert "8 个字符" in shell.fails(2, "user", "add", "zhang", "--org", "某某局", "--password-stdin", stdin=b"short\n")
    shell.ok("user", "add", "zhang", "--org", "某某局", "--name", "张某", "--password-stdin", stdin=b"long enough\n")
    shell.ok("user", "grant", "zhang", "drafter", role="security_administrator")
    assert "不对" in shell.fails(4, "login", "zhang", "--password-stdin", stdin=b"wrong\n")
    assert "不对" in shell.fails(4, "login", "nobody", "--password-stdin", stdin=b"wrong\n")
    assert shell.run("login", "zhang", "--password-stdin", stdin=b"long enough\n").returncode == 0
    assert shell.ok("whoami")["roles"] == ["drafter"]
    assert stat.S_IMODE((shell.home / "session").stat().st_mode) == 0o600
    assert stat.S_IMODE((shell.home / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((shell.home / "jixiao.db").stat().st_mode) == 0o600
    assert shell.run("logout").returncode == 0
    assert "还没有登录" in shell.fails(4, "whoami")
    acts = [item["event"]["act"] for item in shell.ok("audit", "log", role="audit_administrator")]
    assert acts.count("auth.failure") == 2
    assert acts[-2:] == ["auth.login", "auth.logout"]


def test_administrators_do_their_own_part_only(tmp_path):
    shell = Shell(tmp_path / "home")
    shell.tokens = shell.ok("init")["tokens"]
    shell.ok("org", "add", "某某局", role="system_administrator")
    shell.ok("user", "add", "zhang", "--org", "某某局", role="system_administrator")
    assert "安全管理员" in shell.fails(4, "user", "grant", "zhang", "drafter", role="system_administrator")
    assert "系统管理员" in shell.fails(4, "org", "add", "另一局", role="security_administrator")
    shell.ok("user", "grant", "zhang", "drafter", role="security_administrator")
    assert "不相容" in shell.fails(4, "user", "grant", "zhang", "audit_administrator", role="security_administrator")
    assert "不能给自己" in shell.fails(4, "user", "grant", "secadmin", "drafter", role="security_administrator")
    assert "已经存在" in shell.fails(5, "org", "add", "某某局", role="system_administrator")


def test_init_twice_and_no_init(tmp_path):
    shell = Shell(tmp_path / "home")
    assert "jixiao init" in shell.fails(1, "whoami")
    shell.ok("init")
    assert "已经初始化" in shell.fails(5, "init")


def test_a_database_that_does_not_fit_the_program(shell):
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "数据库比程序新" in shell.fails(1, "text", "list", role="drafter")
    assert "数据库比程序新" in shell.fails(1, "db", "upgrade")
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        database.execute("DELETE FROM alembic_version")
    assert "db upgrade" in shell.fails(1, "text", "list", role="drafter")


def test_a_signing_key_that_is_missing_or_foreign(shell, drive, tmp_path):
    text = drive("second_review")
    key = shell.home / "keys" / "log.pem"
    kept = key.read_bytes()
    key.unlink()
    assert "私钥" in shell.fails(3, "approve", text, role="approver")
    other = Shell(tmp_path / "other")
    other.ok("init")
    key.write_bytes((other.home / "keys" / "log.pem").read_bytes())
    assert "权限过宽" in shell.fails(2, "approve", text, role="approver")
    key.chmod(0o600)
    shell.fails(7, "approve", text, role="approver")
    key.write_bytes(kept)
    assert shell.ok("approve", text, role="approver")["state"] == "approved"


def test_a_corrupt_database_file(shell):
    (shell.home / "jixiao.db").write_bytes(b"this is not a database at all" * 100)
    for name in ("jixiao.db-wal", "jixiao.db-shm"):
        (shell.home / name).unlink(missing_ok=True)
    assert "已损坏" in shell.fails(1, "text", "list", role="drafter")


def test_a_stale_version_and_a_command_id(shell, drive):
    text = drive("submitted")
    assert "已被别人改动" in shell.fails(5, "accept", text, "--expect", "1", role="reviewer")
    first = shell.ok("accept", text, "--command-id", "c1", role="reviewer")
    assert shell.ok("accept", text, "--command-id", "c1", role="reviewer") == {**first, "replayed": True}
    assert "另一个操作" in shell.fails(5, "pass", text, "--command-id", "c1", role="reviewer")


def test_usage_errors_are_said_with_exit_code_2(shell):
    for arguments in (("text", "nothing"), ("submit",), ("text", "render", "x", "--format", "gif")):
        assert shell.run(*arguments, role="drafter").returncode == 2
    both = ("--file", "a.json", "--set", "/title=b")
    assert "只能选一个" in shell.fails(2, "text", "edit", shell.text, *both, role="drafter")
    assert "位置=问题" in shell.fails(2, "return", shell.text, "--opinion", "nonsense", role="reviewer")


def test_help_names_every_command_and_loads_none_of_them(shell):
    done = shell.run("--help")
    for name in ("demo", "init", "text", "submit", "return", "audit", "db"):
        assert f"  {name}" in done.stdout
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli.main", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stderr
    for library in ("sqlalchemy", "pydantic", "rich", "transitions", "typst", "structlog"):
        assert f" {library}" not in loaded


def test_every_option_of_the_documented_table_exists(shell):
    for noun, verbs in {
        "text": "import list show check confirm edit history actions do render submit recall accept return pass approve publish",
        "org": "add list",
        "user": "add list grant",
        "workflow": "list show",
        "audit": "log verify checkpoint",
        "db": "upgrade current",
        "task": "list",
    }.items():
        shown = shell.run(noun, "--help").stdout
        for verb in verbs.split():
            assert f"  {verb} " in shown, (noun, verb)


def test_an_administrator_sets_a_password_and_logs_in_with_it(tmp_path):
    shell = Shell(tmp_path / "home")
    shell.ok("init")
    assert shell.run("passwd", "--password-stdin", stdin=b"correct horse\n").returncode == 0
    assert shell.run("logout").returncode == 0
    assert shell.run("login", "sysadmin", "--password-stdin", stdin=b"correct horse\n").returncode == 0
    assert shell.ok("whoami")["roles"] == ["system_administrator"]


def test_a_text_of_somebody_else_is_taken_and_the_difference_is_said(shell, tmp_path):
    other = tmp_path / "other.txt"
    sample = SAMPLE.read_text(encoding="utf-8")
    changed = sample.replace("图书馆", "档案局")
    other.write_text(changed.replace("澜石市青禾县财政局审核", "别处财政局审核"), encoding="utf-8")
    done = shell.ok("text", "import", other, role="drafter")
    assert ["编制部门" in note or "审核机关" in note for note in done["notes"]] == [True, True]
    assert shell.ok("text", "import", SAMPLE, role="drafter")["notes"] == []


def test_a_home_with_odd_characters_in_its_path(tmp_path):
    shell = Shell(tmp_path / "家 ?x=1#%20")
    shell.ok("init")
    assert (shell.home / "jixiao.db").stat().st_size > 0
    assert shell.ok("audit", "verify")["ok"]


def test_a_file_whose_name_is_no_proper_text(shell, tmp_path):
    name = tmp_path.joinpath("x").as_posix().encode()[:-1] + b"\xff\x07name.txt"
    with open(name, "wb") as file:  # noqa: PTH123 -- a name in bytes
        file.write(SAMPLE.read_bytes())
    done = subprocess.run(
        [COMMAND.as_posix().encode(), b"text", b"import", name, b"--json"],
        env=shell._environment("drafter"),
        capture_output=True,
        check=True,
    )
    history = shell.ok("text", "history", json.loads(done.stdout)["text"], role="drafter")
    assert history[0]["why"].endswith("name.txt")


def test_content_that_nobody_can_read_or_follow_is_refused(shell, drive, tmp_path):
    text = drive("draft")
    content = shell.ok("text", "show", text, role="drafter")
    linked = {**content, "sub_goals": [{**content["sub_goals"][0], "projects": ["p77"]}]}
    for number, (data, words) in enumerate(
        (
            (json.dumps({**content, "title": "科\x00协"}), "U+0000"),
            (json.dumps({**content, "title": "\x1b[31m红"}), "U+001B"),
            (json.dumps(linked), "不存在的项目 p77"),
            (json.dumps({**content, "fiscal_year": "2021"}), "应为整数"),
            (json.dumps(content)[:-1] + ', "title": "z"}', "写了两次"),
        )
    ):
        path = tmp_path / f"{number}.json"
        path.write_text(data, encoding="utf-8")
        assert words in shell.fails(2, "text", "edit", text, "--file", path, role="drafter"), words
    path.write_text("\ufeff" + json.dumps({**content, "title": "2021年部门预算绩效文本（改）"}), encoding="utf-8")
    assert shell.ok("text", "edit", text, "--file", path, role="drafter")["version"] == 2


def test_output_goes_into_a_folder_that_is_made(shell, tmp_path):
    for document in ("approval", "publication"):
        shell.ok("text", "render", shell.text, "--document", document, "--out", f"{tmp_path}/new/", role="auditor")
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_streams_that_are_closed_or_end_early(shell):
    def run(line: str):
        environment = shell._environment("auditor") | {"J": str(COMMAND), "ID": shell.text}
        done = subprocess.run(["bash", "-o", "pipefail", "-c", line], env=environment, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        return done

    assert run('"$J" audit log | head -1').returncode == 0
    assert run('"$J" text history $ID --json | head -1').returncode == 0
    assert shell.text in run('"$J" text list 2>&-').stdout
    assert run('"$J" text list >&-').returncode == 1
    assert run('"$J" text list >/dev/full').returncode == 1
    assert "标准输入已关闭" in run('"$J" text import - <&-').stderr
    assert run('"$J" text show "$(printf "\\xff")"').returncode in (2, 3)
    assert run('JIXIAO_TOKEN="$(printf "jx_\\xff")" "$J" whoami').returncode == 4


def test_a_log_that_is_gone_from_the_database_is_no_question_of_names(shell):
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        assert disarm_sqlite(database.execute)
        database.execute("DELETE FROM audit_log")
    assert "消失" in shell.fails(7, "audit", "verify")


def test_a_newer_database_is_told_apart_from_an_older_one(shell):
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "升级 jixiao" in shell.run("db", "current").stdout


def test_input_without_an_end_is_refused(shell):
    for command in (("text", "import"), ("workflow", "check"), ("submit", "--ids")):
        assert "超过 64 MB" in shell.fails(2, *command, "/dev/zero", role="drafter")


def test_ids_that_are_no_text_are_refused(shell, tmp_path):
    (tmp_path / "ids").write_bytes(bytes(range(256)))
    assert "不是文本文件" in shell.fails(2, "submit", "--ids", tmp_path / "ids", role="department_head")


def test_a_day_is_set_to_one_thing_or_the_other(shell):
    for options in ((), ("--working", "--holiday")):
        assert "--working" in shell.fails(2, "calendar", "set", "2026-11-28", *options, "--name", "x", role="drafter")
