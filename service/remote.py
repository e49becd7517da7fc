"""A report made by a worker next to the ledger: the whole of it is one task, and its model comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from db.workers import address_of


def report_by(cluster: str, engine: Engine, given: Mapping[str, Any]) -> Any:
    """`insights.report.build_report` with these arguments, on the cluster. Raises `ClusterError` too."""
    from scheduler.cluster import pool

    with pool(cluster, 1, ledger=engine) as executor:
        assert executor is not None
        return executor.submit(report_task, address_of(engine), given).result()


def report_task(ledger: URL, given: Mapping[str, Any]) -> Any:
    """The task. The ledger may be open in the same process, for tasks before this one."""
    from insights.report import build_report

    return build_report(ledger.render_as_string(hide_password=False), **given, alone=False)
