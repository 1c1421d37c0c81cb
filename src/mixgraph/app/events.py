"""Server-sent events: what changes while a page is open, a few times a second, until it is closed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

from starlette.responses import StreamingResponse

from mixgraph.app.desk import Desk
from mixgraph.app.history import HistoryReader
from mixgraph.app.searches import Searches

Event = tuple[str, Any]
LOOK_SECONDS: Final = 0.25
PULSE_SECONDS: Final = 10.0
"""So often something is sent even where nothing changes, so that a closed page is noticed."""


def events(desk: Desk, look: Callable[[], Iterator[Event]]) -> StreamingResponse:
    """Sends what `look` yields, now and whenever it is asked again."""

    async def lines() -> AsyncIterator[str]:
        pulse = 0.0
        while not desk.closing():
            for name, data in look():
                yield f"event: {name}\ndata: {json.dumps(data)}\n\n"
            if time.monotonic() - pulse > PULSE_SECONDS:
                pulse = time.monotonic()
                yield ": here\n\n"
            await asyncio.sleep(LOOK_SECONDS)

    return StreamingResponse(lines(), media_type="text/event-stream")


def all_searches(searches: Searches) -> Callable[[], Iterator[Event]]:
    """For the list: `list` when it must be drawn anew, `progress` for those that run."""
    seen: tuple[Any, ...] = ()
    version = -1

    def look() -> Iterator[Event]:
        nonlocal seen, version
        if version == searches.version:
            return
        version = searches.version
        now = tuple((record.name, record.status) for record in searches.records.values())
        if now != seen:
            seen = now
            yield "list", {}
        for name in searches.sittings:
            yield "progress", {"name": name, **progress_of(searches, name)}

    return look


def one_search(searches: Searches, name: str) -> Callable[[], Iterator[Event]]:
    """For the page of one: `status`, `console` (its strips), `course` (points of its history) and `progress`."""
    reader, seen = HistoryReader(), dict[str, Any]()

    def changed(event: str, data: Any) -> Iterator[Event]:
        if data != seen.get(event):
            seen[event] = data
            yield event, data

    def look() -> Iterator[Event]:
        record, sitting = searches.records.get(name), searches.sittings.get(name)
        folder = searches.workspace.partial(name) or searches.workspace.result(name)
        if record:
            ahead = searches.queue.index(name) + len(searches.sittings) if name in searches.queue else 0
            yield from changed("status", {"status": record.status, "ahead": ahead})
            yield from changed("console", [strip.model_dump() for strip in record.console])
        elif folder is None:
            yield from changed("status", {"status": "gone", "ahead": 0})
        # A run that is resumed first drops the history that came after its checkpoint.
        if sitting is None or sitting.progress:
            news = reader.news(folder)
            if news.anew or news.points:
                yield "course", {"anew": news.anew, "points": news.points}
        if sitting and sitting.progress:
            yield from changed("progress", progress_of(searches, name))

    return look


def progress_of(searches: Searches, name: str) -> dict[str, Any]:
    """What a running search told last, the seconds that it has taken and has left; empty before its first step."""
    sitting = searches.sittings[name]
    if not sitting.progress:
        return {}
    left = sitting.progress["seconds_left"]
    if left is not None:  # between two stages a search may say nothing for a while
        left = max(0.0, left - sitting.silence)
    return sitting.progress | {"seconds_left": left, "spent": searches.records[name].spent + sitting.elapsed}
