"""How much memory a crawl uses: that of its own process, whoever started it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from scrapy.extensions.memusage import MemoryUsage

STATUS: Final = Path("/proc/self/status")
_PEAK: Final = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


class CrawlMemory(MemoryUsage):
    """Scrapy's bound on memory, measured so that the process that started the crawl does not count.

    Scrapy asks `getrusage`, whose peak a new process takes over from its parent on Linux: a crawl that a large process
    starts would be ended at once. The peak in `/proc/self/status` begins anew with each program.
    """

    def get_virtual_size(self) -> int:
        """The peak of resident memory in bytes; where the system does not say, what Scrapy measures."""
        try:
            found = _PEAK.search(STATUS.read_text("ascii"))
        except OSError:
            found = None
        return int(found[1]) * 1024 if found is not None else super().get_virtual_size()
