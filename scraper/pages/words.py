"""Looking for words in bytes, quickly: with StringZilla where it is installed (`pip install 'jobledger[bulk]'`)."""

from __future__ import annotations

try:
    from stringzilla import find as _find

    def find(data: bytes, word: bytes, start: int = 0, stop: int | None = None) -> int:
        """Where `word` stands first in `data[start:stop]`, counted from 0; -1 where it does not."""
        end = len(data) if stop is None else stop
        return int(_find(data, word, start, end)) if start < end else -1

    def found(data: bytes, word: bytes) -> bool:
        """Whether `word` stands in `data`."""
        return bool(_find(data, word) >= 0)

except ModuleNotFoundError:

    def find(data: bytes, word: bytes, start: int = 0, stop: int | None = None) -> int:
        """Where `word` stands first in `data[start:stop]`, counted from 0; -1 where it does not."""
        return data.find(word, start, stop)

    def found(data: bytes, word: bytes) -> bool:
        """Whether `word` stands in `data`."""
        return word in data
