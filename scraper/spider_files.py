"""Where a spider is found: among ours, among installed packages, or in the folder that the user's configuration names.

A package offers spiders in the entry point group `jobledger.spiders`; the name of the entry point is the spider's. In
the user's folder a spider has the name of its file. Nothing else is looked at: the current folder never is, and only
the one spider that a crawl needs is imported, so a broken one stops its own sources and no other.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import TYPE_CHECKING, Final

from db.user_files import UserFileError, read_user_bytes
from scraper.sources import Source, SourceError, spider_names

if TYPE_CHECKING:
    from scrapy import Spider

GROUP: Final = "jobledger.spiders"
OWN: Final = "jobledger_own_spiders"
"""The package under which files of the user's folder are imported: `from .shared import …` works among them."""
LARGEST: Final = 1 << 20
"""Bytes of a spider's file."""


def spider_fault(source: Source) -> str | None:
    """Why the entry's spider cannot be used, as far as can be told without running it; None when nothing is wrong.

    >>> spider_fault(Source(name="a", spider="greenhouse")) is None
    True
    """
    places = _places(source.spider, source.own_spiders)
    if not places:
        return _unknown(source.spider, source.own_spiders)
    if len(places) > 1:
        return f"spider = {source.spider!r}: two have this name, {places[0]} and {places[1]}; rename the file"
    return _file_fault(places[0]) if isinstance(places[0], Path) else None


def load_spider(name: str, modules: Sequence[str], folder: str | None = None) -> type[Spider]:
    """The spider of this name, from one of the packages `modules`, an entry point, or a file of `folder`.

    Raises `SourceError` when there is none, when two have the name, or when a file of `folder` cannot be imported.
    """
    places = _places(name, folder)
    for package in modules if len(places) < 2 else ():
        try:
            module = import_module(f"{package}.{name}")
        except ModuleNotFoundError as error:
            if error.name not in {package, f"{package}.{name}"}:
                raise
            continue
        if (found := _spider_in(module, name)) is not None:
            return found
    if (fault := spider_fault(Source(name=name, spider=name, own_spiders=folder))) is not None:
        raise SourceError(name, reason=fault)
    (place,) = places
    loaded = _imported(name, place)
    found = loaded if isinstance(loaded, type) else _spider_in(loaded, name)
    if found is None:
        raise SourceError(str(place), reason=f"holds no spider class with name = {name!r}")
    return found


def _places(name: str, folder: str | None) -> list[str | EntryPoint | Path]:
    """Where spiders of this name are: words for ours, entry points, a file."""
    found: list[str | EntryPoint | Path] = ["a spider of jobledger itself"] if name in spider_names() else []
    if not name.isidentifier():
        return found
    found += entry_points(group=GROUP, name=name)
    if folder is not None and (file := Path(folder) / f"{name}.py").is_file():
        found.append(file)
    return found


def _unknown(name: str, folder: str | None) -> str:
    where = f"and {folder} has no {name}.py" if folder else 'and --config names no folder of yours: spiders = "FOLDER"'
    return f"spider = {name!r}: there is no spider of this name among ours or in installed packages, {where}"


def _file_fault(file: Path) -> str | None:
    """What is wrong with a spider's file, without running it: its syntax, or a module that is not installed."""
    try:
        tree = ast.parse(read_user_bytes(file, largest=LARGEST), str(file))
    except UserFileError as error:
        return str(error)
    except SyntaxError as error:
        return f"{file}, line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes; brackets without end
        return f"{file}: cannot be read as Python: {str(error) or type(error).__name__}"
    for node in ast.walk(tree):
        for module in _imported_modules(node):
            if not _exists(module):
                return f"{file}, line {getattr(node, 'lineno', '?')}: no module named {module!r} is installed"
    return None


def _imported_modules(node: ast.AST) -> Iterator[str]:
    """The packages that an import at the top of a file asks for."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def _exists(module: str) -> bool:
    try:
        return module in sys.modules or find_spec(module) is not None
    except ValueError:  # a module that was made by hand
        return True


def _imported(name: str, place: str | EntryPoint | Path) -> ModuleType | type[Spider]:
    """Runs the user's file or the package's module; whatever it raises is named with its line."""
    try:
        # Not by the class of an entry point: there may be two, of the library and of its copy for older Pythons.
        if not isinstance(place, str | Path):
            loaded: ModuleType | type[Spider] = place.load()
            return loaded
        for module in [known for known in sys.modules if known.partition(".")[0] == OWN]:
            del sys.modules[module]  # of another folder
        package = ModuleType(OWN)
        package.__path__ = [str(Path(str(place)).parent)]
        sys.modules[OWN] = package
        return import_module(f"{OWN}.{name}")
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == str(place)]
        where = f"{place}, line {lines[-1]}" if lines else str(place)
        said = " ".join(str(error).split())[:300]
        raise SourceError(where, reason=f"{type(error).__name__}: {said}") from error


def _spider_in(module: ModuleType, name: str) -> type[Spider] | None:
    import scrapy  # slow to import, and listing sources needs none of it

    for candidate in vars(module).values():
        if isinstance(candidate, type) and issubclass(candidate, scrapy.Spider) and candidate.name == name:
            return candidate
    return None
