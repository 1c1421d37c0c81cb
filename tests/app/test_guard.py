"""Only the browser with the token, on the server's own pages, gets in; and nobody gets out of the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.app.running import RunningApp
from tests.cli.tiny import write_song

PATHS = ["/", "/list", "/events", "/palette.css", "/songs/tiny", "/results/any", "/results/any/report", "/nowhere"]
SECRET = "nobody may read this"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("guarded")
    songs = folder / "workspace" / "songs"
    write_song(songs / "tiny")
    write_song(folder / "outside")
    (folder / "secret.txt").write_text(SECRET)
    (songs / "link").symlink_to(folder / "outside")
    for name, toml in {"climbs": 'mix = "../../../outside/mix.wav"', "roots": 'tracks = "/"'}.items():
        write_song(songs / name)
        (songs / name / "song.toml").write_text(toml)
    write_song(songs / "linked-track")
    (songs / "linked-track" / "tracks" / "extra.wav").symlink_to(folder / "outside" / "mix.wav")
    results = folder / "workspace" / "results"
    for name in ("spy", "spy/stolen"):
        (results / name).mkdir(parents=True)
    (results / "spy" / "mix.flac").symlink_to(folder / "secret.txt")
    with RunningApp(folder / "workspace") as running:
        yield running


def test_listens_on_loopback_only(app: RunningApp) -> None:
    addresses = {each.laddr for each in psutil.Process(app.process.pid).net_connections() if each.status == "LISTEN"}
    assert addresses == {("127.0.0.1", app.port)}


@pytest.mark.parametrize("cookie", ["", "mixgraph-{port}=", "mixgraph-{port}=wrong", "mixgraph-1={token}"])
@pytest.mark.parametrize("path", PATHS)
def test_without_the_token(app: RunningApp, path: str, cookie: str) -> None:
    answer = app.ask("GET", path, Cookie=cookie.format(port=app.port, token=app.token))
    assert answer.status == 403
    assert b"tiny" not in answer.body


def test_the_token_becomes_a_cookie_that_scripts_cannot_read(app: RunningApp) -> None:
    answer = app.ask("GET", f"/?token={app.token}", Cookie="")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert app.ask("GET", "/?token=wrong", Cookie="").status == 403
    assert app.ask("GET", "/").status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0:{port}", ""])
def test_other_hosts(app: RunningApp, host: str) -> None:
    assert app.ask("GET", "/", Host=host.format(port=app.port)).status in (400, 403)
    assert app.ask("GET", "/static/app.css", Host=host.format(port=app.port)).status in (400, 403)


def test_its_own_names(app: RunningApp) -> None:
    for name in ("127.0.0.1", "localhost"):
        assert app.ask("GET", "/", Host=f"{name}:{app.port}").status == 200


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1"])
def test_other_origins_change_nothing(app: RunningApp, origin: str) -> None:
    for method, path in [("DELETE", "/api/songs/tiny"), ("PUT", "/api/songs/tiny"), ("POST", "/api/uploads")]:
        assert app.ask(method, path, {}, Origin=origin).status == 403
    assert (app.workspace / "songs" / "tiny").is_dir()


def test_headers(app: RunningApp) -> None:
    for path in ("/", "/static/home.js", "/nowhere", "/api/nowhere"):
        headers = app.ask("GET", path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "name", ["..", ".", "../../secret.txt", "%2e%2e", "..%2f..%2f", "/etc", "tiny/..", "link", ".hidden", "tiny%00", ""]
)
def test_names_that_lead_elsewhere(app: RunningApp, name: str) -> None:
    for written in {name, quote(name, safe="%"), name.replace("/", "%2f")}:
        for path in (f"/songs/{written}", f"/results/{written}", f"/results/{written}/mix.flac", f"/static/{written}"):
            answer = app.ask("GET", path)
            assert answer.status in (307, 400, 404), path
            assert SECRET.encode() not in answer.body
        for path in (f"/api/songs/{written}", f"/api/results/{written}"):
            assert app.ask("DELETE", path).status in (400, 404, 405)
    assert (app.workspace / "songs" / "link").is_symlink() and (app.workspace.parent / "outside").is_dir()


def test_links_are_not_followed(app: RunningApp) -> None:
    home = app.ask("GET", "/").body.decode()
    assert "/songs/tiny" in home and "/songs/link<" not in home and 'href="/songs/link"' not in home
    assert app.ask("GET", "/results/spy/mix.flac").status == 404
    for name, said in {"climbs": "leads out", "roots": "leads out", "linked-track": "link that leads out"}.items():
        page = app.ask("GET", f"/songs/{name}")
        assert said in page.body.decode(), name
        refused = app.ask("POST", f"/api/songs/{name}/search", {})
        assert refused.status == 400 and said in refused.json["error"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("../evil.wav", "neither a mix nor a track"),
        ("tracks/../../evil.wav", "neither a mix nor a track"),
        ("tracks/../evil.wav", "dot"),
        ("tracks/a/b/evil.wav", "neither a mix nor a track"),
        ("mix/../evil.wav", "neither a mix nor a track"),
        ("/etc/evil.wav", "neither a mix nor a track"),
        ("tracks/.evil.wav", "dot"),
        ("tracks/evil.exe", "is not one of .wav"),
        ("tracks/evil.wav.html", "is not one of .wav"),
        ("tracks/ev\u0000il.wav", "sign"),
        ("tracks/evil\n.wav", "sign"),
        ("tracks/c:evil.wav", "sign"),
        ("tracks/" + "long" * 40 + ".wav", "longer than"),
        ("tracks/", "not empty"),
    ],
)
def test_odd_places_of_uploads(app: RunningApp, place: str, said: str) -> None:
    announced = app.ask("POST", "/api/uploads", {"files": [{"place": place, "bytes": 9}]})
    assert announced.status == 400 and said in announced.json["error"]
    upload = app.ask("POST", "/api/uploads", {"files": []}).json["upload"]
    sent = app.ask("PUT", f"/api/uploads/{upload}/files/{quote(place, safe='')}", b"RIFF12345")
    assert (sent.status == 400 and said in sent.json["error"]) or (sent.status == 404 and "\n" in place)
    assert not [path for path in app.workspace.parent.rglob("*evil*") if path.exists()]
    assert app.ask("PUT", "/api/uploads/..%2f..%2f/files/mix/mix.wav", b"RIFF12345").status == 404


def test_nonsense_is_answered_in_words(app: RunningApp) -> None:
    for path in ("/api/uploads", "/api/songs/tiny/search", "/api/songs/tiny/estimate"):
        for body in (b"", b"{", b"[]", b"\xff", b'{"files": 3, "effort": 3}', b'{"files": [1], "effort": [1]}'):
            answer = app.ask("POST", path, body)
            assert answer.status == 400 and answer.json["error"], (path, body)
    assert app.ask("PUT", "/api/songs/tiny", {"subgroups": {"a/b": ["bass"]}}).status == 400
    unknown = app.ask("PUT", "/api/songs/tiny", {"subgroups": {"band": ["tuba"]}})
    assert unknown.status == 400 and "tuba" in unknown.json["error"]
    more = app.ask("POST", "/api/songs/tiny/search", {"more": "[fit]\nconsole_stops = 3"})
    assert more.status == 400 and "console_stops" in more.json["error"]
    long = app.ask("POST", "/api/uploads", b" " * 2_000_001)
    assert long.status == 400 and "bytes" in long.json["error"]


def test_one_server_for_a_workspace(app: RunningApp) -> None:
    with pytest.raises(AssertionError, match="another `mixgraph app` works in this folder"):
        RunningApp(app.workspace)


def test_starts_fast_and_without_torch(app: RunningApp) -> None:
    assert app.seconds_to_start < 10  # about one second where nothing else runs
    maps = Path(f"/proc/{app.process.pid}/maps")
    if maps.exists():
        assert "libtorch" not in maps.read_text()
