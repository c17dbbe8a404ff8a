"""Alembic's entry: runs on the connection that `db.migrate` hands in, or on CONGDOAN_DATABASE_URL's engine."""

from alembic import context

from db.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Base.metadata, render_as_batch=True, transaction_per_migration=False
)
context.run_migrations()
