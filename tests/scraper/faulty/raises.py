"""Has an error in its parser."""

import scrapy


class Raises(scrapy.Spider):
    name = "raises"

    async def start(self):
        raise KeyError("salary")
        yield None
