"""An id for every catalog, and a list of the originals that a run is about to store."""

import time
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables and give this catalog its id."""
    identity = op.create_table(
        "catalog_identity",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.get_bind().execute(sa.insert(identity).values(id=str(uuid.uuid4()), created=time.time()))
    op.create_table("arrivals", sa.Column("sha256", sa.String(64), primary_key=True))
