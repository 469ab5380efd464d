"""Settings of checks for each finance bureau, and answers to the checks' findings; both are added and never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Table: what people call its rows, and its key; guarded as migration 0004 guards other records.
_FROZEN = {
    "check_setting": ("检查设置", ("organization_id", "number")),
    "finding_answer": ("检查问题的答复", ("text_id", "number")),
}
_ADVICE = "没有改动任何内容，请通过 jixiao 的命令办理。"


def upgrade() -> None:
    op.create_table(
        "check_setting",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_check_setting_author_id_account")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_check_setting_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_check_setting_sha256_blob")),
        sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("pk_check_setting")),
    )
    op.create_table(
        "finding_answer",
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_finding_answer_author_id_account")),
        sa.ForeignKeyConstraint(["text_id"], ["budget_text.id"], name=op.f("fk_finding_answer_text_id_budget_text")),
        sa.PrimaryKeyConstraint("text_id", "number", name=op.f("pk_finding_answer")),
    )
    sqlite = op.get_context().dialect.name == "sqlite"
    for table, (title, key) in _FROZEN.items():
        message = f"{title}（{table}）只能新增，不能修改、删除或替换；{_ADVICE}"
        for statement in _sqlite(table, key, message) if sqlite else _postgresql(table, message):
            op.execute(statement)


def downgrade() -> None:
    # The triggers go with their tables; the function that they call is migration 0004's.
    op.drop_table("finding_answer")
    op.drop_table("check_setting")


def _postgresql(table: str, message: str) -> list[str]:
    statements = []
    for event in ("UPDATE", "DELETE", "TRUNCATE"):
        name, each = f"guard_{table}_{event.lower()}", "STATEMENT" if event == "TRUNCATE" else "ROW"
        statements += [
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION jixiao_guard('{message}')",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def _sqlite(table: str, key: tuple[str, ...], message: str) -> list[str]:
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 -- names of this module
    return [
        f"CREATE TRIGGER guard_{table}_{name} BEFORE {name.upper()} ON {table} FOR EACH ROW{when}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
        for name, when in (("update", ""), ("delete", ""), ("insert", f" WHEN {exists}"))
    ]
