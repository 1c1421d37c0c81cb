"""What is heard in a real browser: switching without gaps, aligned sources, and the live graph against ours."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mixgraph.audio.song import Song
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.report.sample import make_page, make_result, make_song

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Renders some seconds of tracks through the page's console, offline: base64 in, base64 out.
RENDER = """async ([tracks, samples, edits]) => {
  const { player, Console } = mixgraph;
  const context = new OfflineAudioContext(2, samples, player.data.rate);
  const made = await Console.make(context, player.data.graph, player.impulses, player.worklet);
  const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  for (const [track, channels] of Object.entries(tracks)) {
    const buffer = new AudioBuffer({ numberOfChannels: 2, length: samples, sampleRate: player.data.rate });
    channels.forEach((text, channel) => buffer.copyToChannel(floats(text), channel));
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(made.inputs.get(track));
    source.start();
  }
  made.output.connect(context.destination);
  for (const id of edits.bypassed ?? []) made.bypass(id, true);
  for (const id of edits.muted ?? []) made.mute(id, true);
  const rendered = await context.startRendering();
  const text = (channel) => {
    const bytes = new Uint8Array(rendered.getChannelData(channel).buffer);
    let out = "";
    for (const byte of bytes) out += String.fromCharCode(byte);
    return btoa(out);
  };
  return [text(0), text(1)];
}"""
# Keeps what leaves the player from now on.
RECORD = """async () => {
  const { player } = mixgraph;
  player.open();
  const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
    process([input]) { if (input[0]) this.port.postMessage(input[0].slice()); return true; } })`;
  await player.context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(code)}`);
  const tap = new AudioWorkletNode(player.context, "tap", { numberOfOutputs: 0 });
  globalThis.taped = [];
  tap.port.onmessage = (message) => globalThis.taped.push(message.data);
  player.output.connect(tap);
}"""
TAPED = """() => {
  const all = new Float32Array(taped.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of taped) { all.set(piece, at); at += piece.length; }
  let out = "";
  for (const byte of new Uint8Array(all.buffer)) out += String.fromCharCode(byte);
  return btoa(out);
}"""
# Plays a buffer as a piece of sound, offline: what was heard, and how many sources it took.
PLAY = """async (text) => {
  const { player, Stream, stretches } = mixgraph;
  const { rate, chunkSeconds, leadSeconds } = player.data;
  const samples = new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
  buffer.copyToChannel(samples, 0);
  const context = new OfflineAudioContext(1, chunkSeconds * rate, rate);
  const piece = { buffer, sounding: stretches(buffer) };
  const sources = new Stream(context, "", player.data).start(piece, context.destination, 0, 0);
  const rendered = await context.startRendering();
  let out = "";
  for (const byte of new Uint8Array(rendered.getChannelData(0).buffer)) out += String.fromCharCode(byte);
  return [btoa(out), sources.length, leadSeconds];
}"""
SECONDS = 3


@pytest.fixture(scope="module")
def page(browser: Browser, report: Path) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(report.as_uri())
    yield page
    page.close()


@pytest.fixture
def listener(browser: Browser, report: Path) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(report.as_uri())
    page.evaluate(RECORD)
    yield page
    page.close()


def test_the_live_graph_is_ours(page: Page, song: Song, result: Result) -> None:
    assert difference_db(live(page, song), result.render(cut(song))) < -60


def test_the_live_graph_is_ours_after_a_pause(page: Page, song: Song, result: Result) -> None:
    tracks = {name: song.track(name).copy() for name in song.tracks}
    for track in tracks.values():
        track[:, RATE // 2 : 2 * RATE] = 0
    paused = Song.from_arrays("paused", tracks, None, RATE, song.subgroups)
    assert difference_db(live(page, paused), result.render(cut(paused))) < -60


def test_only_what_sounds_of_a_piece_is_played_and_in_its_place(page: Page) -> None:
    lead = page.evaluate("mixgraph.player.data.leadSeconds")
    time = np.arange(round((10 + lead + 0.05) * RATE)) / RATE - lead
    sounding = ((time > 2) & (time < 3)) | ((time > 3.2) & (time < 4)) | (time > 7.5)
    piece = np.where(sounding, np.sin(2 * np.pi * 440 * time), 0).astype(np.float32)
    text, sources, _ = page.evaluate(PLAY, encoded(piece))
    begin = round(lead * RATE)
    assert sources == 2  # the shorter pause is played
    np.testing.assert_allclose(decoded(text), piece[begin:][: 10 * RATE], atol=1e-3)
    assert page.evaluate(PLAY, encoded(np.zeros_like(piece)))[1] == 0


@pytest.mark.parametrize(
    "node",
    [
        "track:bass/equalizer",
        "track:bass/compressor",
        "track:drums/stereo_imager",
        "track:drums/noise_gate",
        "track:drums/multitap_delay",
        "subgroup:band/reverb",
    ],
)
def test_a_bypass_is_a_removal(page: Page, song: Song, result: Result, node: str) -> None:
    bypassed = live(page, song, bypassed=[node])
    assert difference_db(bypassed, without(result, node).render(cut(song))) < -50
    assert difference_db(bypassed, result.render(cut(song))) > -45


def test_a_muted_track_is_silence_that_the_bus_reacts_to(page: Page, song: Song, result: Result) -> None:
    tracks = {name: song.track(name) * (name != "drums") for name in song.tracks}
    quieter = Song.from_arrays("quieter", tracks, None, RATE, song.subgroups)
    assert difference_db(live(page, song, muted=["track:drums"]), result.render(cut(quieter))) < -50


def test_switching_leaves_no_gap_and_stays_aligned(listener: Page, song: Song, result: Result) -> None:
    listener.click("#play")
    taped_until(listener, 1.5)
    listener.keyboard.press("2")
    taped_until(listener, 3.0)
    signal = heard(listener)
    begin = int(np.flatnonzero(np.abs(signal) > 1e-3)[0])
    signal = signal[begin : begin + int(2.6 * RATE)]
    levels = np.sqrt(np.square(signal[: len(signal) // 40 * 40].reshape(-1, 40)).mean(1))
    assert levels.min() > 0.2 * np.median(levels)  # 5 ms each
    before, after = signal[: RATE // 2], signal[2 * RATE :][: RATE // 2]
    gains = {sound: 10 ** (db / 20) for sound, db in listener.evaluate(GAINS).items()}
    original, estimate = song.mix()[0] * gains["original"], result.render(song)[0] * gains["estimate"]
    place = position(before, original)
    assert difference_db(before, original[place:][: len(before)]) < -15
    # The same samples of the song, counted on from where it started: not one is lost or doubled.
    moved = position(after, estimate)
    assert moved - place == 2 * RATE
    assert difference_db(after, estimate[moved:][: len(after)]) < -15


GAINS = "() => Object.fromEntries(mixgraph.player.data.sounds.map(({ key, gain_db }) => [key, gain_db]))"


def test_bypassing_while_it_plays_changes_what_is_heard(listener: Page, song: Song, result: Result) -> None:
    node = "track:bass/gain_panning"
    listener.click(f'.recipe [data-bypass="{node}"]')
    listener.click("#play")
    taped_until(listener, 1.5)
    assert listener.evaluate("mixgraph.player.source") == "yours"
    signal = heard(listener)
    begin = int(np.flatnonzero(np.abs(signal) > 1e-3)[0])
    signal = signal[begin + RATE // 5 :][:RATE]
    gain = 10 ** (listener.evaluate(GAINS)["estimate"] / 20)
    bypassed, kept = (gain * some.render(song)[0] for some in (without(result, node), result))
    place = position(signal, bypassed)
    assert difference_db(signal, bypassed[place:][: len(signal)]) < -12
    assert (
        difference_db(signal, bypassed[place:][: len(signal)]) < difference_db(signal, kept[place:][: len(signal)]) - 6
    )


def test_pieces_of_sound_join_without_a_seam(listener: Page, song: Song) -> None:
    listener.evaluate("mixgraph.player.seek(9.5)")
    listener.click("#play")
    taped_until(listener, 1.5)
    signal = heard(listener)
    begin = int(np.flatnonzero(np.abs(signal) > 1e-3)[0])
    signal = signal[begin : begin + RATE]
    gain = 10 ** (listener.evaluate(GAINS)["original"] / 20)
    original = song.mix()[0] * gain
    place = position(signal[: RATE // 4], original)
    assert abs(place - 9.5 * RATE) < RATE // 20
    left = signal - original[place:][: len(signal)]
    seam = 10 * RATE - place
    around = np.sqrt(np.square(left[seam - 80 : seam + 80]).mean())
    assert around < 2 * np.sqrt(np.square(left[: RATE // 4]).mean())


def test_solo_lets_a_subgroup_through_alone(listener: Page, song: Song, result: Result) -> None:
    listener.click('.recipe [data-solo="subgroup:band"]')
    listener.click("#play")
    taped_until(listener, 1.5)
    signal = heard(listener)
    begin = int(np.flatnonzero(np.abs(signal) > 1e-3)[0])
    signal = signal[begin + RATE // 5 :][:RATE]
    gain = 10 ** (listener.evaluate(GAINS)["estimate"] / 20)
    alone = gain * result.stems(song)["band"][0]
    place = position(signal, alone)
    assert difference_db(signal, alone[place:][: len(signal)]) < -12


def test_a_single_mono_track_plays(browser: Browser, tmp_path: Path) -> None:
    song = make_song(["only"], seconds=2)
    tracks = {"only": song.track("only")[0]}
    song = Song.from_arrays("mono", tracks, song.mix(), RATE)
    page = browser.new_page()
    page.goto(make_page(tmp_path, song, result=make_result(song)).as_uri())
    page.evaluate(RECORD)
    page.evaluate("mixgraph.player.select('yours')")
    page.click("#play")
    taped_until(page, 0.8)
    assert np.abs(heard(page)).max() > 1e-2
    page.close()


def cut(song: Song) -> Song:
    """The first seconds."""
    tracks = {name: song.track(name)[:, : SECONDS * RATE] for name in song.tracks}
    return Song.from_arrays("cut", tracks, None, RATE, song.subgroups)


def without(result: Result, node: str) -> Result:
    graph = result.graph.without([node])
    ids = {kind: tuple(name for name in names if name != node) for kind, names in result.bank.ids.items()}
    bank = result.bank.keep({kind: names for kind, names in ids.items() if names})
    return Result(graph, bank, result.config, result.metrics, result.provenance)


def live(page: Page, song: Song, **edits: list[str]) -> np.ndarray:
    """The page's rendering of the first seconds, what it waits taken off."""
    short, extra = cut(song), 512
    tracks = {name: [encoded(np.pad(channel, (0, extra))) for channel in short.track(name)] for name in short.tracks}
    found = page.evaluate(RENDER, [tracks, short.samples + extra, edits])
    signal = np.stack([decoded(text) for text in found])
    delay = 2 * 7  # two equalisers of 15 taps in a row
    return signal[:, delay:][:, : short.samples]


def difference_db(one: Any, other: Any) -> float:
    """The level of a difference against the second, once what is switched at the start has settled."""
    one, other = np.atleast_2d(one)[:, 400:], np.atleast_2d(other)[:, 400:]
    return float(10 * np.log10(np.square(one - other).sum() / np.square(other).sum()))


def position(piece: np.ndarray, whole: np.ndarray) -> int:
    """Where a piece is found in a signal."""
    size = 1 << (len(whole) + len(piece)).bit_length()
    product = np.fft.irfft(np.fft.rfft(whole, size) * np.fft.rfft(piece, size).conj(), size)
    return int(product[: len(whole)].argmax())


def taped_until(page: Page, seconds: float) -> None:
    sounding = "taped.filter((piece) => piece.some((x) => Math.abs(x) > 1e-3)).length * 128"
    page.wait_for_function(f"(samples) => {sounding} > samples", arg=seconds * RATE, timeout=20_000)


def heard(page: Page) -> np.ndarray:
    return decoded(page.evaluate(TAPED)).astype(np.float64)


def encoded(samples: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(samples, np.float32).tobytes()).decode()


def decoded(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float32)
