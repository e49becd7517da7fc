"""A spider that does what no spider should: `options.how` says which."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import scrapy

from scraper.sources import Source


class MisbehavingSpider(scrapy.Spider):
    name = "misbehaving"

    def __init__(self, source: Source, **given: Any) -> None:
        super().__init__(**given)
        self.how = str(source.options["how"])

    async def start(self) -> AsyncIterator[Any]:
        if self.how == "hangs":
            time.sleep(120)
        elif self.how == "segfaults":
            ctypes.string_at(0)
        elif self.how == "exits":
            os._exit(0)
        elif self.how == "eats":
            kept = []
            while True:
                kept.append(bytearray(10 << 20))
        elif self.how == "floods":
            for _ in range(3000):
                sys.stderr.write("x" * 1000 + "\n")
            sys.stderr.flush()
            os._exit(3)
        return
        yield
