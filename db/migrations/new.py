"""Writes the next migration from the difference between the models and the migrated schema.

python -m db.migrations.new "add the benefits of a posting"
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from db.schema import config, differences, upgrade
from db.session import SCHEMA_HEAD, make_engine, writing


def main(message: str) -> str:
    """Writes the migration after `SCHEMA_HEAD` and returns its file. Exits with 1 when the models need none."""
    revision = f"{int(SCHEMA_HEAD) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'schema.db'}")
        upgrade(engine)
        if not differences(engine):
            sys.exit(f"no migration written: db/models.py agrees with migration {SCHEMA_HEAD}; change a model first")
        made = config(engine)
        with writing(engine) as connection:
            made.attributes["connection"] = connection
            command.revision(made, message=message, autogenerate=True, rev_id=revision)
        engine.dispose()
    script = ScriptDirectory.from_config(made).get_revision(revision)
    assert script is not None
    return str(script.path)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('usage: python -m db.migrations.new "what the migration does"')
    sys.stdout.write(f"{main(sys.argv[1])}: read it, test it on both stores, commit it\n")
