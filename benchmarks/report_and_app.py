"""Sizes and cold starts of reports and the app, in headless Chromium.

    python benchmarks/report_and_app.py RESULT ... --threads 1 [--repeats 3]

RESULT are result folders whose songs are where they were. Of each a report is written: its size, the seconds to write
it, to load it from disk in a fresh browser context, and from the press of the play key until the clock shows the first
second, which includes that second. Of the app: seconds from the command to its address and to its first page, and the
server's memory. Medians of the repeats.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from common import options_of, save, say, table

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required")


def main() -> None:
    options = options_of(__doc__, add_options)
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise SystemExit(f"needs a browser on the PATH: {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory(prefix="mixgraph-") as place, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        reports = [report(browser, folder, Path(place), options) for folder in options.results]
        app = measured_app(browser, Path(place), options.repeats)
        browser.close()
    table("Reports", list(reports[0]), [list(row.values()) for row in reports])
    table("App", list(app), [list(app.values())])
    save(options, reports=reports, app=app, load=os.getloadavg()[0])


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULT", help="result folders")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="how often each start is timed (default 3)")


def report(browser: Browser, result: Path, place: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A line of the table."""
    file, began = place / f"{result.name}.html", time.perf_counter()
    mixgraph("report", str(result), "-o", str(file), "--threads", str(options.threads)).check_returncode()
    built = time.perf_counter() - began
    say(f"{result.name}: written in {built:.0f} s")
    starts = [in_fresh_page(browser, partial(opened, url=file.as_uri())) for _ in range(options.repeats)]
    loads, plays = zip(*starts, strict=True)
    return {
        "report": result.name,
        "MB": f"{file.stat().st_size / 1e6:.1f}",
        "written in s": f"{built:.0f}",
        "loaded in s": f"{statistics.median(loads):.2f}",
        "first second played after s": f"{statistics.median(plays):.2f}",
    }


def mixgraph(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "mixgraph", *words], stdout=subprocess.DEVNULL)


def in_fresh_page(browser: Browser, work: Callable[[Page], Any]) -> Any:
    """Without anything in a cache."""
    context = browser.new_context()
    try:
        return work(context.new_page())
    finally:
        context.close()


def opened(page: Page, url: str) -> tuple[float, float]:
    """Seconds to load, and then to have played the first second."""
    began = time.perf_counter()
    page.goto(url)
    loaded = time.perf_counter()
    before = page.locator(".clock").inner_text()
    page.keyboard.press("Space")
    page.wait_for_function("before => document.querySelector('.clock').innerText !== before", arg=before)
    return loaded - began, time.perf_counter() - loaded


def measured_app(browser: Browser, place: Path, repeats: int) -> dict[str, str]:
    """The only line of its table."""
    starts = [started(browser, place / f"workspace-{number}") for number in range(repeats)]
    address, page, memory = (statistics.median(values) for values in zip(*starts, strict=True))
    return {"address after s": f"{address:.2f}", "page after s": f"{page:.2f}", "server MB": f"{memory / 1e6:.0f}"}


def started(browser: Browser, workspace: Path) -> tuple[float, float, float]:
    """Seconds to the address and to the page in it, and bytes."""
    command = [sys.executable, "-m", "mixgraph", "app", "--no-browser", "--port", "0", "--workspace", str(workspace)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            url = server.stdout.readline().split()[-1]
            address = time.perf_counter() - began
            in_fresh_page(browser, lambda page: page.goto(url))
            return address, time.perf_counter() - began, psutil.Process(server.pid).memory_info().rss
        finally:
            server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
