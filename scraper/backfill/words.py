"""Looking for words in bytes, quickly: with StringZilla where it is installed (`pip install 'jobledger[bulk]'`)."""

from __future__ import annotations

try:
    from stringzilla import find as _find

    def found(data: bytes, word: bytes) -> bool:
        """Whether `word` stands in `data`."""
        return bool(_find(data, word) >= 0)

except ModuleNotFoundError:

    def found(data: bytes, word: bytes) -> bool:
        """Whether `word` stands in `data`."""
        return word in data
