"""Document numbers, the letters that have them, and the files that were made of documents; added and never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Table: what people call its rows, and its key; guarded as migration 0004 guards other records.
_FROZEN = {
    "number_word": ("发文字号设置", ("organization_id", "number")),
    "issued_document": ("发文登记", ("word", "year", "number")),
    "rendered_document": ("已生成文件的登记", ("facts", "format")),
}
# A number is made void once, and nothing else of its row ever changes.
_COLUMNS = (
    *("word", "year", "number", "organization_id", "text_id", "step", "document"),
    *("round", "version", "content_hash", "issued_on", "created_at"),
)
# Written with ON CONFLICT DO NOTHING, since two may make the same file at once: a second insert is passed over.
_PASSED_OVER = ("rendered_document",)
_ADVICE = "没有改动任何内容，请通过 jixiao 的命令办理。"


def _integer() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _moment() -> sa.types.TypeEngine[str]:
    return sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "number_word",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("number", _integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_number_word_author_id_account")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_number_word_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("pk_number_word")),
    )
    op.create_table(
        "issued_document",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("year", _integer(), autoincrement=False, nullable=False),
        sa.Column("number", _integer(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("step", _integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("round", _integer(), nullable=False),
        sa.Column("version", _integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Text(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("voided_step", _integer(), nullable=True),
        sa.Column("voided_at", _moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_issued_document_organization_id_organization")
        ),
        sa.ForeignKeyConstraint(["text_id"], ["budget_text.id"], name=op.f("fk_issued_document_text_id_budget_text")),
        sa.PrimaryKeyConstraint("word", "year", "number", name=op.f("pk_issued_document")),
        sa.UniqueConstraint("text_id", "step", "document", name=op.f("uq_issued_document_text_id_step_document")),
    )
    op.create_index(op.f("ix_issued_document_text_id"), "issued_document", ["text_id"])
    op.create_table(
        "rendered_document",
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", _integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("templates", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_rendered_document_sha256_blob")),
        sa.ForeignKeyConstraint(["text_id"], ["budget_text.id"], name=op.f("fk_rendered_document_text_id_budget_text")),
        sa.PrimaryKeyConstraint("facts", "format", name=op.f("pk_rendered_document")),
    )
    op.create_index(op.f("ix_rendered_document_text_id"), "rendered_document", ["text_id"])
    sqlite = op.get_context().dialect.name == "sqlite"
    for table, (title, key) in _FROZEN.items():
        message = f"{title}（{table}）只能新增，不能修改、删除或替换；{_ADVICE}"
        for statement in _sqlite(table, key, message) if sqlite else _postgresql(table, message):
            op.execute(statement)


def downgrade() -> None:
    # The triggers go with their tables; the function that they call is migration 0004's.
    op.drop_table("rendered_document")
    op.drop_table("issued_document")
    op.drop_table("number_word")


def _changed(table: str, operator: str) -> str:
    if table != "issued_document":
        return ""
    same = " OR ".join(f"OLD.{column} {operator} NEW.{column}" for column in _COLUMNS)
    return f" WHEN ({same} OR OLD.voided_step IS NOT NULL OR NEW.voided_step IS NULL)"


def _postgresql(table: str, message: str) -> list[str]:
    statements = []
    for event in ("UPDATE", "DELETE", "TRUNCATE"):
        name, each = f"guard_{table}_{event.lower()}", "STATEMENT" if event == "TRUNCATE" else "ROW"
        when = _changed(table, "IS DISTINCT FROM") if event == "UPDATE" else ""
        guard = f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each}{when}"
        statements += [
            f"{guard} EXECUTE FUNCTION jixiao_guard('{message}')",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def _sqlite(table: str, key: tuple[str, ...], message: str) -> list[str]:
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    if table == "issued_document":
        # REPLACE deletes the row of any unique key, not only of the primary one.
        same = f"({same}) OR (text_id = NEW.text_id AND step = NEW.step AND document = NEW.document)"
    exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 -- names of this module
    refuse = f"RAISE(ABORT, '{message}')"
    return [
        f"CREATE TRIGGER guard_{table}_{name} BEFORE {name.upper()} ON {table} FOR EACH ROW{when}"
        f" BEGIN SELECT {action}; END"
        for name, when, action in (
            ("update", _changed(table, "IS NOT"), refuse),
            ("delete", "", refuse),
            ("insert", f" WHEN {exists}", "RAISE(IGNORE)" if table in _PASSED_OVER else refuse),
        )
    ]
