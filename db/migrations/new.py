"""Writes the next migration from the difference between the models and the migrated schema.

python -m db.migrations.new 0002 "what it does"
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from db.schema import config, upgrade
from db.session import make_engine, writing


def main(revision: str, message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'schema.db'}")
        upgrade(engine)
        made = config(engine)
        with writing(engine) as connection:
            made.attributes["connection"] = connection
            command.revision(made, message=message, autogenerate=True, rev_id=revision)
        engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:3])
