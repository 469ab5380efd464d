"""The PostgreSQL roles of an installation: who may do what to which table, as an SQL script for the database's administrator.

Four roles: the owner makes and migrates the schema and changes keys; the application runs the commands of people and can add
events to the outbox, but neither change them there nor touch the log; the integrator (``jixiao worker``) moves them into the
log; the reader reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput

_READ, _ADD, _CHANGE, _DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"
_LATER = "UPDATE (cosignatures, timestamp_token)"

# Rights beyond reading, by table: of the application, of the integrator. A table that is not named here can't be used by
# either; a test holds the list against the schema.
RIGHTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "access_token": ((_ADD, _CHANGE), ()),
    "account": ((_ADD, _CHANGE), ()),
    "alembic_version": ((), ()),
    "audit_checkpoint": ((_ADD, _LATER), (_ADD, _LATER)),
    "audit_entry": ((), (_ADD,)),
    "audit_head": ((), (_CHANGE,)),
    "audit_key": ((), ()),
    "audit_log": ((), ()),
    "audit_object": ((_ADD, _CHANGE), ()),
    "audit_outbox": ((_ADD,), (_DELETE,)),
    "audit_projection": ((), (_ADD,)),
    "audit_tile": ((), (_ADD,)),
    "blob": ((_ADD,), ()),
    "budget_text": ((_ADD, _CHANGE), ()),
    "carbon_copy": ((_ADD,), ()),
    "channel_state": ((_ADD, _DELETE), ()),
    "check_setting": ((_ADD,), ()),
    "command": ((_ADD,), ()),
    "contact": ((_ADD, _DELETE), ()),
    "delegation": ((_ADD, _CHANGE), ()),
    "delivery": ((_ADD, _CHANGE), ()),
    "finding": ((_ADD, _CHANGE), ()),
    "finding_answer": ((_ADD,), ()),
    "issued_document": ((_ADD, _CHANGE), ()),
    "job_run": ((_ADD,), ()),
    "message": ((_ADD, _CHANGE), ()),
    "notice": ((_ADD, _CHANGE), ()),
    "notice_preference": ((_ADD, _CHANGE, _DELETE), ()),
    "number_word": ((_ADD,), ()),
    "opinion": ((_ADD, _CHANGE), ()),
    "opinion_answer": ((_ADD, _CHANGE), ()),
    "organization": ((_ADD, _CHANGE), ()),
    "participation": ((_ADD,), ()),
    "reminder": ((_ADD,), ()),
    "rendered_document": ((_ADD,), ()),
    "review_form": ((_ADD,), ()),
    "role_grant": ((_ADD, _CHANGE), ()),
    "sealed_value": ((_ADD, _CHANGE), ()),
    "signature": ((_ADD,), ()),
    "signer": ((_ADD, _CHANGE), ()),
    "step": ((_ADD,), ()),
    # Sealing locks the key's row against its erasure, and a lock needs the right to change.
    "subject_key": ((_ADD, _CHANGE, _DELETE), ()),
    "task": ((_ADD, _CHANGE), ()),
    "text_version": ((_ADD,), ()),
    "workday_override": ((_ADD, _CHANGE, _DELETE), ()),
    "workflow_definition": ((_ADD,), ()),
}
# The integrator needs nobody's name: it reads the log and what says which schema this is.
_INTEGRATOR_READS = (
    "alembic_version",
    *(name for name in RIGHTS if name.startswith("audit_") and name != "audit_object"),
)
# The reader sees no secrets: tokens and password hashes let somebody in, and what is sealed would outlive its erasure in a
# copy. Of an account everything else.
_READER_NEVER = frozenset(("access_token", "account", "contact", "sealed_value", "subject_key"))
_READER_ACCOUNT = ("id", "organization_id", "login", "display_name", "created_at", "disabled_at")


@dataclass(frozen=True, slots=True)
class RoleNames:
    """What the four roles are called in the database."""

    owner: str = "jixiao_owner"
    application: str = "jixiao_application"
    integrator: str = "jixiao_integrator"
    reader: str = "jixiao_reader"

    def __post_init__(self) -> None:
        names = (self.owner, self.application, self.integrator, self.reader)
        for name in names:
            if not name or "\x00" in name or len(name.encode()) > 63 or name.startswith("pg_"):
                raise InvalidInput(f"角色名“{name}”不能用：应为 1 到 63 字节，且不以 pg_ 开头。")
        if len(set(names)) != len(names):
            raise InvalidInput("四个角色应各有各的名称；请不要重复。")


def roles_script(names: RoleNames) -> str:
    """The script: run by a superuser in the installation's database, after ``init`` and after each ``db upgrade``.

    It can be run again at any time and takes away what was granted beyond it. It sets no passwords.
    """
    owner, application, integrator, reader = (
        _quoted(name) for name in (names.owner, names.application, names.integrator, names.reader)
    )
    users = f"{application}, {integrator}, {reader}"
    lines = [
        "-- jixiao 的数据库角色。由数据库超级用户在 jixiao 的数据库中运行，例如：",
        "--   jixiao db roles --print | psql -v ON_ERROR_STOP=1 数据库",
        "-- 可以重复运行；每次 jixiao db upgrade 之后要再运行一次。口令另行设置：psql 中的 \\password 角色名。",
        "BEGIN;",
        *(_created(name) for name in (names.owner, names.application, names.integrator, names.reader)),
        "-- 表归所有者；只有所有者能改结构、停触发器、换密钥。",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {owner};",
        _owned(names.owner),
        "-- 先收回一切，再逐表授予。",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
        f"REVOKE ALL ON SCHEMA public FROM {users};",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {users};",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {users};",
        f"GRANT USAGE ON SCHEMA public TO {users};",
        "-- 应用：可以往发件箱加事件，不能改、不能删，也碰不到日志。",
        *(_granted((_READ, *RIGHTS[table][0]), table, application) for table in RIGHTS),
        f"GRANT USAGE ON SEQUENCE public.audit_outbox_seq_seq TO {application};",
        "-- 整合（jixiao worker）：把发件箱的事件写入日志，签检查点。",
        *(_granted((_READ, *RIGHTS[table][1]), table, integrator) for table in _INTEGRATOR_READS),
        "-- 只读：看不到口令、令牌和封存的个人信息。",
        *(_granted((_READ,), table, reader) for table in RIGHTS if table not in _READER_NEVER),
        _granted((f"{_READ} ({', '.join(_READER_ACCOUNT)})",), "account", reader),
        "COMMIT;",
    ]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    # E'' reads the same whatever standard_conforming_strings says.
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _created(name: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)}) THEN"
        f" CREATE ROLE {_quoted(name)} LOGIN; END IF; END $$;"
    )


def _owned(owner: str) -> str:
    tables = "SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    name = _literal(owner)
    return (
        f"DO $$ DECLARE item record; BEGIN FOR item IN {tables} LOOP"
        f" EXECUTE format('ALTER TABLE %s OWNER TO %I', item.name, {name}); END LOOP;"
        f" EXECUTE format('ALTER FUNCTION public.jixiao_guard() OWNER TO %I', {name}); END $$;"
    )


def _granted(rights: tuple[str, ...], table: str, role: str) -> str:
    return f"GRANT {', '.join(rights)} ON public.{table} TO {role};"
