"""demo and init."""

from __future__ import annotations

from pathlib import Path

import click

from application.demo import RESULT, demonstrate
from application.installing import initialize
from application.settings import load_settings
from cli.access import keep_token
from cli.output import print_json, say
from cli.session import as_json, configure_log, current_settings
from cli.views import print_history
from models.people import ROLE_TITLES, Role


@click.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), default=Path("var/demo"), show_default=True)
@click.option("--keep", is_flag=True, help="保留上一次的演示（移到旁边），不覆盖。")
@as_json
def demo(home: Path, keep: bool, as_json: bool) -> int:
    """演示：建立三个单位和各岗位账号，把一份样例从导入办到公开，并校验审计日志。"""
    configure_log("warning")
    settings = load_settings(home=home.resolve())
    made = demonstrate(settings, keep=keep, say=(lambda _: None) if as_json else say)
    ok = made.verdict is not None and made.verdict.ok
    if as_json:
        print_json(made.to_json())
        return 0 if ok else 7
    say("")
    print_history(made.history)
    audit = made.to_json()["audit"]
    click.echo(f"审计日志：{'完整' if ok else '未通过校验'}，{audit['size']} 条事件，根哈希 {audit['root']}")
    click.echo(f"文本编号：{made.text}")
    click.echo("生成的文件：")
    for name, path in made.documents.items():
        click.echo(f"  {name:<12}{_near(path)}")
    database = "" if settings.database_url else "数据库 jixiao.db，"
    click.echo(f"安装目录：{_near(home.resolve())}（{database}密钥 keys/，文件 documents/）")
    click.echo("")
    click.echo("接着试试（以经办人的身份）：")
    click.echo(f"  export JIXIAO_HOME={_near(home.resolve())} JIXIAO_TOKEN={made.tokens['drafter']}")
    click.echo(f"  jixiao text show {made.text}")
    click.echo(f"其余岗位的令牌在 {_near(home.resolve() / RESULT)}")
    return 0 if ok else 7


@click.command()
@click.option("--origin", help="审计日志的来源名称，如 finance.example.gov.cn/jixiao（默认随机）。")
@as_json
def init(origin: str | None, as_json: bool) -> None:
    """在 JIXIAO_HOME 建立一个新的安装：数据库、密钥、审计日志、三个管理员。"""
    settings = current_settings()
    made = initialize(settings, origin=origin)
    if as_json:
        print_json(
            {"home": str(settings.home), "vkey": made.vkey, "reads_vkey": made.reads_vkey, "tokens": made.tokens}
        )
        keep_token(settings, made.tokens[Role.SYSTEM_ADMINISTRATOR.value])
        return
    click.echo(f"安装目录：{settings.home}")
    click.echo(f"日志公钥（请公布在安装之外）：{made.vkey}")
    click.echo(f"审计查看日志的公钥（同上）：{made.reads_vkey}")
    click.echo("三个管理员的访问令牌（只显示这一次，请分别交给三个人）：")
    for role, token in made.tokens.items():
        click.echo(f"  {ROLE_TITLES[Role(role)]}  {token}")
    keep_token(settings, made.tokens[Role.SYSTEM_ADMINISTRATOR.value])
    say("已以系统管理员登录。下一步：jixiao org add 单位名称 --kind department。")


def _near(path: Path) -> str:
    """A path as seen from here, where it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
