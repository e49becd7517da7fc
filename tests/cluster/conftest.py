"""One cluster for all tests of a process: what a test killed is begun again for the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.engine import Cluster, cluster


@pytest.fixture(scope="session")
def begun_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def dask(begun_cluster: Cluster) -> Cluster:
    """A scheduler and two workers."""
    begun_cluster.mend()
    return begun_cluster
