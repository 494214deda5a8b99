"""The tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A column of text that both databases compare byte by byte."""
    return sa.Column(name, sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql"), nullable=nullable)


def upgrade() -> None:
    """Up from the version before."""
    op.create_table(
        "account",
        _text("region"),
        _text("user"),
        _text("organisation"),
        _text("organisation_kind"),
        _text("team", nullable=True),
        _text("roles"),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        _text("seen_at"),
        sa.PrimaryKeyConstraint("region", "user", name=op.f("account_pkey")),
    )
    op.create_table(
        "case_record",
        _text("region"),
        _text("id"),
        _text("chain"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("header", nullable=True),
        _text("team", nullable=True),
        _text("organisation"),
        _text("created_at"),
        _text("closed_on", nullable=True),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        _text("disposed_at", nullable=True),
        sa.CheckConstraint("version >= 1", name=op.f("case_record_version_check")),
        sa.PrimaryKeyConstraint("region", "id", name=op.f("case_record_pkey")),
        sa.UniqueConstraint("region", "chain", name=op.f("case_record_region_chain_key")),
    )
    op.create_index(op.f("case_record_region_closed_on_idx"), "case_record", ["region", "closed_on"], unique=False)
    op.create_index(op.f("case_record_region_team_idx"), "case_record", ["region", "team"], unique=False)
    op.create_table(
        "check_run",
        _text("region"),
        _text("id"),
        _text("user"),
        _text("role"),
        _text("as_of"),
        _text("state"),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        _text("started_at"),
        _text("finished_at", nullable=True),
        _text("error", nullable=True),
        sa.PrimaryKeyConstraint("region", "id", name=op.f("check_run_pkey")),
    )
    op.create_table(
        "link",
        _text("region"),
        _text("chain"),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("at"),
        _text("kind"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("digest"),
        _text("prev"),
        _text("hash"),
        sa.CheckConstraint("seq >= 1", name=op.f("link_seq_check")),
        sa.PrimaryKeyConstraint("region", "chain", "seq", name=op.f("link_pkey")),
    )
    op.create_index(
        "link_disposed_idx",
        "link",
        ["region", "chain"],
        unique=True,
        sqlite_where=sa.text("kind = 'disposed'"),
        postgresql_where=sa.text("kind = 'disposed'"),
    )
    op.create_index(
        "link_pruned_idx",
        "link",
        ["region", "chain"],
        unique=False,
        sqlite_where=sa.text("kind = 'pruned'"),
        postgresql_where=sa.text("kind = 'pruned'"),
    )
    op.create_table(
        "pack",
        _text("sha256"),
        _text("id"),
        _text("version"),
        _text("content"),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pack_pkey")),
    )
    op.create_table("region", _text("name"), sa.PrimaryKeyConstraint("name", name=op.f("region_pkey")))
    op.create_table(
        "session",
        _text("region"),
        _text("id_digest"),
        _text("user"),
        _text("data"),
        _text("created_at"),
        _text("expires_at"),
        _text("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("region", "id_digest", name=op.f("session_pkey")),
    )
    op.create_index(op.f("session_region_expires_at_idx"), "session", ["region", "expires_at"], unique=False)
    op.create_index(op.f("session_region_user_idx"), "session", ["region", "user"], unique=False)
    op.create_table(
        "case_facts",
        _text("region"),
        _text("case_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("fold"),
        _text("pack_sha256"),
        _text("as_of"),
        _text("holds_until", nullable=True),
        _text("facts"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("case_facts_case_record_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", "version", name=op.f("case_facts_pkey")),
    )
    op.create_index(op.f("case_facts_region_holds_until_idx"), "case_facts", ["region", "holds_until"], unique=False)
    op.create_table(
        "case_party",
        _text("region"),
        _text("case_id"),
        sa.Column("n", sa.Integer(), nullable=False),
        _text("party"),
        _text("from_day"),
        _text("until_day", nullable=True),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("case_party_case_record_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", "n", name=op.f("case_party_pkey")),
    )
    op.create_index(op.f("case_party_region_party_idx"), "case_party", ["region", "party"], unique=False)
    op.create_table(
        "case_worker",
        _text("region"),
        _text("case_id"),
        sa.Column("n", sa.Integer(), nullable=False),
        _text("worker"),
        _text("role"),
        _text("organisation", nullable=True),
        _text("team", nullable=True),
        _text("from_day"),
        _text("until_day", nullable=True),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("case_worker_case_record_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", "n", name=op.f("case_worker_pkey")),
    )
    op.create_index(op.f("case_worker_region_team_idx"), "case_worker", ["region", "team"], unique=False)
    op.create_index(op.f("case_worker_region_worker_idx"), "case_worker", ["region", "worker"], unique=False)
    op.create_table(
        "check_finding",
        _text("region"),
        _text("check_id"),
        sa.Column("n", sa.Integer(), nullable=False),
        _text("case_id"),
        _text("payload"),
        sa.ForeignKeyConstraint(
            ["region", "check_id"], ["check_run.region", "check_run.id"], name=op.f("check_finding_check_run_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "check_id", "n", name=op.f("check_finding_pkey")),
    )
    op.create_index(op.f("check_finding_region_case_id_idx"), "check_finding", ["region", "case_id"], unique=False)
    op.create_table(
        "decision",
        _text("region"),
        _text("id"),
        _text("case_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("chain"),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("recorded_at"),
        _text("recorded_by"),
        _text("status"),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        _text("salt"),
        _text("payload"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("decision_case_record_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["region", "chain", "seq"], ["link.region", "link.chain", "link.seq"], name=op.f("decision_link_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "id", name=op.f("decision_pkey")),
        sa.UniqueConstraint("region", "case_id", "version", name=op.f("decision_region_case_id_version_key")),
        sa.UniqueConstraint("region", "chain", "seq", name=op.f("decision_region_chain_seq_key")),
    )
    op.create_index(
        op.f("decision_region_acknowledged_recorded_at_idx"),
        "decision",
        ["region", "acknowledged", "recorded_at"],
        unique=False,
    )
    op.create_table(
        "emergency",
        _text("region"),
        _text("case_id"),
        _text("user"),
        _text("at"),
        _text("role"),
        _text("until"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("emergency_case_record_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", "user", "at", name=op.f("emergency_pkey")),
    )
    op.create_index(op.f("emergency_region_user_idx"), "emergency", ["region", "user"], unique=False)
    op.create_table(
        "entry",
        _text("region"),
        _text("case_id"),
        _text("entry_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("chain"),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("salt"),
        _text("payload"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("entry_case_record_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["region", "chain", "seq"], ["link.region", "link.chain", "link.seq"], name=op.f("entry_link_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", "entry_id", name=op.f("entry_pkey")),
        sa.UniqueConstraint("region", "case_id", "position", name=op.f("entry_region_case_id_position_key")),
        sa.UniqueConstraint("region", "chain", "seq", name=op.f("entry_region_chain_seq_key")),
    )
    op.create_table(
        "event",
        _text("region"),
        _text("chain"),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("case_id", nullable=True),
        _text("kind"),
        _text("at"),
        _text("salt"),
        _text("payload"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("event_case_record_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["region", "chain", "seq"], ["link.region", "link.chain", "link.seq"], name=op.f("event_link_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "chain", "seq", name=op.f("event_pkey")),
    )
    op.create_index(op.f("event_region_case_id_idx"), "event", ["region", "case_id"], unique=False)
    op.create_index(op.f("event_region_kind_at_idx"), "event", ["region", "kind", "at"], unique=False)
    op.create_table(
        "identity",
        _text("region"),
        _text("case_id"),
        _text("data"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("identity_case_record_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", name=op.f("identity_pkey")),
    )
    op.create_table(
        "read_log",
        _text("region"),
        _text("chain"),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("at"),
        _text("user"),
        _text("salt"),
        _text("payload"),
        sa.ForeignKeyConstraint(
            ["region", "chain", "seq"], ["link.region", "link.chain", "link.seq"], name=op.f("read_log_link_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "chain", "seq", name=op.f("read_log_pkey")),
    )
    op.create_index(op.f("read_log_region_user_at_idx"), "read_log", ["region", "user", "at"], unique=False)
    op.create_table(
        "read_of",
        _text("region"),
        _text("case_id"),
        _text("chain"),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region", "chain", "seq"], ["link.region", "link.chain", "link.seq"], name=op.f("read_of_link_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "case_id", "chain", "seq", name=op.f("read_of_pkey")),
    )
    op.create_index(
        op.f("read_of_region_chain_seq_case_id_idx"), "read_of", ["region", "chain", "seq", "case_id"], unique=False
    )
    op.create_table(
        "request_key",
        _text("region"),
        _text("user"),
        _text("key"),
        _text("request_digest"),
        _text("case_id"),
        _text("decision_id"),
        _text("at"),
        sa.ForeignKeyConstraint(
            ["region", "case_id"], ["case_record.region", "case_record.id"], name=op.f("request_key_case_record_fkey")
        ),
        sa.PrimaryKeyConstraint("region", "user", "key", name=op.f("request_key_pkey")),
    )
    op.create_index(op.f("request_key_region_at_idx"), "request_key", ["region", "at"], unique=False)
    op.create_index(op.f("request_key_region_case_id_idx"), "request_key", ["region", "case_id"], unique=False)


def downgrade() -> None:
    """Back to the version before."""
    op.drop_index(op.f("request_key_region_case_id_idx"), table_name="request_key")
    op.drop_index(op.f("request_key_region_at_idx"), table_name="request_key")
    op.drop_table("request_key")
    op.drop_index(op.f("read_of_region_chain_seq_case_id_idx"), table_name="read_of")
    op.drop_table("read_of")
    op.drop_index(op.f("read_log_region_user_at_idx"), table_name="read_log")
    op.drop_table("read_log")
    op.drop_table("identity")
    op.drop_index(op.f("event_region_kind_at_idx"), table_name="event")
    op.drop_index(op.f("event_region_case_id_idx"), table_name="event")
    op.drop_table("event")
    op.drop_table("entry")
    op.drop_index(op.f("emergency_region_user_idx"), table_name="emergency")
    op.drop_table("emergency")
    op.drop_index(op.f("decision_region_acknowledged_recorded_at_idx"), table_name="decision")
    op.drop_table("decision")
    op.drop_index(op.f("check_finding_region_case_id_idx"), table_name="check_finding")
    op.drop_table("check_finding")
    op.drop_index(op.f("case_worker_region_worker_idx"), table_name="case_worker")
    op.drop_index(op.f("case_worker_region_team_idx"), table_name="case_worker")
    op.drop_table("case_worker")
    op.drop_index(op.f("case_party_region_party_idx"), table_name="case_party")
    op.drop_table("case_party")
    op.drop_index(op.f("case_facts_region_holds_until_idx"), table_name="case_facts")
    op.drop_table("case_facts")
    op.drop_index(op.f("session_region_user_idx"), table_name="session")
    op.drop_index(op.f("session_region_expires_at_idx"), table_name="session")
    op.drop_table("session")
    op.drop_table("region")
    op.drop_table("pack")
    op.drop_index(
        "link_pruned_idx",
        table_name="link",
        sqlite_where=sa.text("kind = 'pruned'"),
        postgresql_where=sa.text("kind = 'pruned'"),
    )
    op.drop_index(
        "link_disposed_idx",
        table_name="link",
        sqlite_where=sa.text("kind = 'disposed'"),
        postgresql_where=sa.text("kind = 'disposed'"),
    )
    op.drop_table("link")
    op.drop_table("check_run")
    op.drop_index(op.f("case_record_region_team_idx"), table_name="case_record")
    op.drop_index(op.f("case_record_region_closed_on_idx"), table_name="case_record")
    op.drop_table("case_record")
    op.drop_table("account")
