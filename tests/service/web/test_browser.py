"""The pages in a real browser: by mouse, by keyboard, dark, narrow, without JavaScript; axe finds nothing serious.

Needs Debian's Chromium, Playwright (the extra `browser`) and axe-core (`npm install --prefix .venv/axe axe-core`).
Where one is absent the tests skip, unless JOBLEDGER_REQUIRE_BROWSER is set. JOBLEDGER_SCREENSHOTS names a folder that
the pictures of docs/ are taken into.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.service.web.world import TOKEN

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

AXE = REPOSITORY / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def absent(what: str) -> None:
    if os.environ.get("JOBLEDGER_REQUIRE_BROWSER"):
        pytest.fail(f"{what} is required and absent")
    pytest.skip(f"no {what}: see the head of this file")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, token_hash: str) -> Iterator[str]:
    """`jobledger serve` as people run it, over the ledger of `jobledger demo`."""
    folder = tmp_path_factory.mktemp("served")
    program = str(Path(sys.executable).parent / "jobledger")
    subprocess.run([program, "demo", "--folder", str(folder)], check=True, capture_output=True, timeout=120)
    config = folder / "service.toml"
    config.write_text(f'[tokens]\neva = "{token_hash}"\n', encoding="utf-8")
    command = [program, "serve", "--port", "0", "--per-minute", "0", "--config", str(config)]
    command += ["--db", f"sqlite:///{folder / 'jobledger.db'}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = next((m for line in process.stderr if (m := re.search(r"http://\S+:\d+", line))), None)
        assert found is not None
        yield found[0]
        process.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium")
    if program is None:
        absent("Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        absent("Playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any, request: pytest.FixtureRequest, address: str) -> Iterator[Any]:
    """A page of its own; the parameter gives options of the browser. A complaint of its console fails the test."""
    options = {"viewport": WIDE, "base_url": address} | getattr(request, "param", {})
    context = chromium.new_context(**options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def picture(tab: Any, name: str, *, whole: bool = False) -> None:
    folder = os.environ.get("JOBLEDGER_SCREENSHOTS")
    if folder:
        tab.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=whole)


def log_in(tab: Any) -> None:
    tab.goto("/login?then=/review")
    tab.fill("#token", TOKEN)
    tab.click("main button")
    tab.wait_for_url("**/review")


def test_search_to_a_posting_to_its_role(tab: Any) -> None:
    tab.goto("/")
    picture(tab, "service-search")
    tab.fill("#text", "engineer")
    tab.select_option("#level", "senior")
    tab.click("button.main")
    assert tab.locator(".job").count() > 0
    tab.locator(".job h2 a").first.click()
    assert tab.locator("h1").inner_text()
    assert tab.get_by_text("What was said, what we read").count() == 1
    tab.locator(".headline .kind a").last.click()
    tab.wait_for_url("**/salaries/*")


def test_a_doubtful_posting_and_a_role(tab: Any) -> None:
    tab.goto("/?flagged=true")
    tab.locator(".job h2 a").first.click()
    assert tab.get_by_text("Why to doubt it").count() == 1
    picture(tab, "service-posting")
    tab.goto("/salaries/data-engineer?usd=true")
    assert tab.locator("svg.chart:visible").count() >= 1
    picture(tab, "service-role")
    tab.goto("/compare?a=Data+Engineer&b=Data+Scientist&usd=true")
    picture(tab, "service-compare")


def decided(tab: Any, state: str = "attached") -> None:
    """Waits until the page that follows a decision, or its taking back, is there as a whole."""
    tab.wait_for_selector(".told", state=state)
    tab.wait_for_load_state()


def test_the_review_queue_by_keyboard(tab: Any) -> None:
    log_in(tab)
    picture(tab, "service-review")
    before = tab.locator("[data-item]").count()
    assert before >= 2
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("k")
    first = tab.evaluate("document.activeElement.querySelector('h2').textContent")
    assert first == tab.locator("[data-item] h2").first.inner_text()
    tab.keyboard.press("d")
    tab.keyboard.type("the page says so")
    tab.keyboard.press("Enter")
    decided(tab)
    assert "dismissed" in tab.locator(".told").inner_text()
    assert tab.locator("[data-item]").count() == before - 1
    tab.keyboard.press("u")
    decided(tab, "detached")
    assert tab.locator("[data-item]").count() == before
    tab.keyboard.press("j")
    tab.keyboard.press("c")
    decided(tab)
    assert "confirmed" in tab.locator(".told").inner_text()
    tab.locator(".told button").click()
    decided(tab, "detached")


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], indirect=True, ids=["without JavaScript"])
def test_everything_works_without_javascript(tab: Any) -> None:
    log_in(tab)
    before = tab.locator("[data-item]").count()
    tab.locator("[data-why]").first.fill("it is right")
    tab.locator(".reason button").first.click()
    decided(tab)
    assert tab.locator("[data-item]").count() == before - 1
    tab.locator(".told button").click()
    decided(tab, "detached")
    assert tab.locator("[data-item]").count() == before
    tab.goto("/")
    tab.locator("#facets a").first.click()
    tab.wait_for_selector(".chosen li")
    tab.wait_for_load_state()
    assert tab.locator(".chosen li").count() >= 2


PAGES = (
    "/",
    "/?role=Data+Engineer",
    "/salaries",
    "/salaries/data-engineer?usd=true",
    "/compare?a=Data+Engineer&b=Data+Scientist&usd=true",
    "/articles",
    "/sources",
    "/review",
    "/review/merges",
    "/login",
)


@pytest.mark.parametrize("tab", [{"viewport": PHONE}], indirect=True, ids=["phone"])
def test_a_phone_never_scrolls_sideways(tab: Any) -> None:
    for path in PAGES:
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    tab.goto("/")
    picture(tab, "service-phone")


@pytest.mark.parametrize(
    "tab", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
def test_axe_finds_nothing_serious(tab: Any, request: pytest.FixtureRequest) -> None:
    if not AXE.exists():
        absent("axe-core")
    source = AXE.read_text(encoding="utf-8")
    log_in(tab)
    tab.goto("/?flagged=true")
    posting = tab.locator(".job h2 a").first.get_attribute("href")
    found = []
    for path in (*PAGES, posting):
        tab.goto(path)
        tab.evaluate(source)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        result = tab.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
        found += [
            (path, v["id"], v["impact"], [node["html"][:120] for node in v["nodes"][:3]])
            for v in result["violations"]
            if v["impact"] in {"serious", "critical", "moderate"}
        ]
    assert found == []
    if "dark" in request.node.name:
        tab.goto("/salaries/data-scientist?usd=true")
        picture(tab, "service-dark")


def test_nothing_shifts_and_the_first_page_is_light(tab: Any) -> None:
    tab.goto("/")
    shift = """new Promise(done => { let sum = 0;
        new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value })
            .observe({type: 'layout-shift', buffered: true});
        setTimeout(() => done(sum), 300) })"""
    assert tab.evaluate(shift) == 0
    sizes = "performance.getEntries().filter(e => e.transferSize).reduce((sum, e) => sum + e.transferSize, 0)"
    assert 0 < tab.evaluate(sizes) < 100_000
