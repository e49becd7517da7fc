"""Never comes back."""

import time

import scrapy


class Hangs(scrapy.Spider):
    name = "hangs"

    async def start(self):
        time.sleep(600)
        yield None
