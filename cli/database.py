"""The database's schema and roles: db upgrade|current|downgrade|roles."""

from __future__ import annotations

import click

from application import migrations
from application.roles import RoleNames, roles_script
from application.upgrading import upgrade_installation
from cli.output import print_json, say
from cli.session import as_json, current_settings
from models.engine import make_engine

_NAMES = RoleNames()


@click.group()
def db() -> None:
    """数据库：升级、当前版本、降级、PostgreSQL 的角色。"""


@db.command("upgrade")
def upgrade() -> None:
    """把数据库升级到程序的版本（在一个事务中完成）。"""
    done = upgrade_installation(current_settings())
    say(f"数据库版本：{done.state.database}")
    if done.reads_vkey is not None:
        say("新建了审计查看日志（reads），密钥在 keys/reads.pem，请备份。它的公钥请公布在安装之外：")
        click.echo(done.reads_vkey)


@db.command("current")
@as_json
def current(as_json: bool) -> None:
    """显示数据库和程序的版本。"""
    state = migrations.schema_state(make_engine(current_settings().engine_url()))
    if as_json:
        print_json(
            {"database": state.database, "program": state.program, "current": state.current, "advice": state.advice}
        )
    else:
        advice = f"（{state.advice}）" if state.advice else ""
        click.echo(f"数据库 {state.database or '空'}，程序 {state.program}{advice}")


@db.command("downgrade")
@click.argument("revision")
@click.confirmation_option("--yes", prompt="降级会丢掉新版本的表和其中的数据，确定吗？", help="不再询问。")
def downgrade(revision: str) -> None:
    """把数据库降到某个版本（base 为全部撤除）。"""
    engine = make_engine(current_settings().engine_url())
    migrations.downgrade(engine, revision)
    say(f"数据库版本：{migrations.schema_state(engine).database or '空'}")


@db.command("roles")
@click.option("--print", "printed", is_flag=True, help="输出 SQL 脚本；不连接数据库，也不改动任何内容。")
@click.option("--owner", default=_NAMES.owner, show_default=True, help="所有者：建表、升级、换密钥。")
@click.option("--application", default=_NAMES.application, show_default=True, help="应用：办理业务的命令。")
@click.option("--integrator", default=_NAMES.integrator, show_default=True, help="整合：jixiao worker。")
@click.option("--reader", default=_NAMES.reader, show_default=True, help="只读：查询和校验。")
def roles(printed: bool, owner: str, application: str, integrator: str, reader: str) -> None:
    """PostgreSQL 的四个角色及其最小权限，输出为 SQL 脚本，由数据库超级用户运行。

    可以重复运行；每次升级之后要再运行一次。
    """
    script = roles_script(RoleNames(owner, application, integrator, reader))
    if not printed:
        say("加上 --print 输出脚本，交给数据库管理员在 jixiao 的数据库中运行。")
        return
    click.echo(script, nl=False)
