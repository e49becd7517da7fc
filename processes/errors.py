"""What can go wrong with work that other processes do.

ClusterError
└── TaskLost
"""

from __future__ import annotations


class ClusterError(Exception):
    """The workers cannot do the work: says why and what to do. What was done is kept; run again to go on."""


class TaskLost(ClusterError):
    """Every worker that tried this one task died. The other tasks are not affected."""
