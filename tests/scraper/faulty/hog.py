"""Takes memory until there is none."""

import scrapy


class Hog(scrapy.Spider):
    name = "hog"

    async def start(self):
        held = []
        while True:
            held.append(bytearray(16 * 1024 * 1024))
        yield None
