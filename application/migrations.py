"""The database's schema: upgrade, downgrade, where it stands, and whether program and database fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from application.resources import folder
from models.engine import Work, transaction
from models.errors import DatabaseUnavailable, InvalidInput
from models.records import MIGRATING

# What `alembic heads` prints for this program; a test holds it against the folder, so that a command need not load
# alembic (90 ms) to learn whether the database fits.
HEAD = "0008"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision of the database (None: empty) and of the program."""

    database: str | None
    program: str

    @property
    def advice(self) -> str:
        """What to do, as a sentence; empty where database and program fit."""
        if self.current:
            return ""
        if self.database is None or self.database < self.program:
            return "请运行 jixiao db upgrade"
        return "数据库比程序新，请升级 jixiao"

    @property
    def current(self) -> bool:
        """Whether nothing is to be migrated."""
        return self.database == self.program


def config(connection: sa.Connection | None = None) -> Any:
    """Alembic's configuration for a connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(folder("alembic", "jixiao_migrations")).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def schema_state(engine: sa.Engine) -> SchemaState:
    """Where the database stands; raises DatabaseUnavailable where it can't be read."""
    with transaction(engine, read_only=True) as work:
        if not sa.inspect(work.connection).has_table("alembic_version"):
            return SchemaState(None, HEAD)
        row = work.connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return SchemaState(row[0] if row else None, HEAD)


def require_current(engine: sa.Engine) -> None:
    """Raises DatabaseUnavailable where the database is older or newer than the program."""
    state = schema_state(engine)
    if state.current:
        return
    if state.database is None or state.database < state.program:
        raise DatabaseUnavailable(
            f"数据库还没有迁移（数据库 {state.database or '空'}，程序 {state.program}）；请先运行 jixiao db upgrade。",
            database=state.database,
            program=state.program,
        )
    raise DatabaseUnavailable(
        f"数据库比程序新（数据库 {state.database}，程序 {state.program}）；请升级 jixiao 后再试，没有做任何改动。",
        database=state.database,
        program=state.program,
    )


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Migrates up in one transaction; raises DatabaseUnavailable where the database is newer than the program."""
    from alembic import command

    state = schema_state(engine)
    if state.database is not None and state.database > state.program:
        require_current(engine)
    with transaction(engine) as work:
        command.upgrade(config(work.connection.execution_options(**{MIGRATING: True})), revision)


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Migrates down in one transaction; raises InvalidInput where that would drop records: events, steps, signatures."""
    from alembic import command
    from alembic.util import CommandError

    try:
        with transaction(engine) as work:
            before = _records(work)
            command.downgrade(config(work.connection.execution_options(**{MIGRATING: True})), revision)
            # Judged by what it did, inside the transaction: a revision can be named in many ways.
            after = _records(work)
            lost = [f"{count} 条{_RECORDS[name]}" for name, count in before.items() if count and not after[name]]
            if lost:
                raise InvalidInput(f"数据库中有 {'、'.join(lost)}，不能撤除；需要重新开始请换一个数据库。")
    except CommandError as error:
        raise InvalidInput(f"没有版本“{revision}”：{error}。") from error


# Tables whose rows are nowhere else.
_RECORDS = {
    "audit_entry": "审计事件",
    "step": "办理步骤",
    "signature": "签署",
    "sealed_value": "密封的个人信息",
    "finding_answer": "检查问题的答复",
    "check_setting": "检查设置",
    "number_word": "发文字号设置",
    "issued_document": "发文登记",
    "review_form": "审核表",
}


def _records(work: Work) -> dict[str, int]:
    tables = set(sa.inspect(work.connection).get_table_names())
    counted = sa.func.count()
    return {
        name: int(work.connection.scalar(sa.select(counted).select_from(sa.table(name))) or 0) if name in tables else 0
        for name in _RECORDS
    }
