"""Decisions that could not be judged, found without looking through all"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ONLY = "status = 'undetermined'"


def upgrade() -> None:
    """Up from the version before."""
    op.create_index(
        "decision_undetermined_idx",
        "decision",
        ["region", "recorded_at"],
        unique=False,
        sqlite_where=sa.text(_ONLY),
        postgresql_where=sa.text(_ONLY),
    )


def downgrade() -> None:
    """Back to the version before."""
    op.drop_index(
        "decision_undetermined_idx",
        table_name="decision",
        sqlite_where=sa.text(_ONLY),
        postgresql_where=sa.text(_ONLY),
    )
