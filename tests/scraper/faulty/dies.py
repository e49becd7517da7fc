"""Dies by a signal in the middle of its work."""

import os
import signal

import scrapy

from db.records import RawPostingRecord, utc_now


class Dies(scrapy.Spider):
    name = "dies"

    async def start(self):
        for number in range(1200):
            yield RawPostingRecord(
                source=self.source.name,
                title_text=f"Job {number}",
                page_url="x:",
                seen_at=utc_now(),
                source_id=str(number),
            )
        os.kill(os.getpid(), signal.SIGKILL)
