"""Where work is done: in this process, in processes of this machine, or by the workers of an engine that runs already.

    with pool(cluster, workers, ledger=engine) as executor:
        aggregate(engine, now=now, pool=executor)

Whoever has work takes a `concurrent.futures.Executor`, or None for "here", and knows nothing of engines. Tasks are
functions of a module, with arguments that can be pickled, and safe to repeat: a task whose process died is done again
elsewhere. The engine is Dask (`scheduler.cluster_dask`), a dependency of its own that only `--cluster` needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from sqlalchemy import Engine

from processes.errors import ClusterError, TaskLost

__all__ = ["DEATHS", "ClusterError", "TaskLost", "pool"]

DEATHS = 4
"""So many processes may die of one task before that is taken for a fault of the work, not of chance."""


@contextmanager
def pool(cluster: str | None, workers: int, *, ledger: Engine | None = None) -> Iterator[Executor | None]:
    """An executor of the engine at `cluster`, else of so many processes; None when this process is to do the work.

    `ledger`: what the workers have to reach; they are asked before any work is handed out.
    Raises `ClusterError` when the engine does not answer or its workers cannot do the work.
    """
    if cluster is not None:
        try:
            from scheduler.cluster_dask import joined
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in {"dask", "distributed"}:
                raise
            raise ClusterError("--cluster needs Dask: pip install 'jobledger[cluster]'") from error
        with joined(cluster, ledger) as executor:
            yield executor
    elif workers > 1:
        from processes.pool import Processes

        with Processes(workers, tries=DEATHS, ready="aggregator.parts") as executor:
            yield executor
    else:
        yield None
