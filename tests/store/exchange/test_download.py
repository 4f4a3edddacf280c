"""Addresses: https, or this machine itself; within limits; redirects do not lead elsewhere."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from nntest.errors import DataError, UsageError
from nntest.store.exchange.download import check_url, downloaded
from nntest.store.exchange.limits import Limits

CONTENT = b"PK" + bytes(5000)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path == "/short.zip":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(CONTENT)
        elif self.path == "/points.zip":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONTENT)
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def fetch(url: str, **limits: int) -> bytes:
    with downloaded(url, Limits(**limits)) as file:
        return file.read()


def test_this_machine_may_serve_without_tls(server: str) -> None:
    assert fetch(f"{server}/points.zip") == CONTENT
    assert fetch(f"{server}/to//points.zip") == CONTENT


@pytest.mark.parametrize(
    "url", ["http://example.org/x.zip", "ftp://example.org/x.zip", "file:///etc/passwd", "https:///x", "http://127.0.0.1.example.org/x"]
)  # fmt: skip
def test_other_addresses(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_url(url)
    assert str(refused.value) == (f"{url}: expected an https address; download the file by other means and import that")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://example.org/x.zip", "ftp://example.org/x"])
def test_redirects_to_such(server: str, target: str) -> None:
    with pytest.raises((UsageError, DataError)):
        fetch(f"{server}/to/{target}")


def test_failures_are_named(server: str) -> None:
    with pytest.raises(DataError) as failed:
        fetch(f"{server}/nothing.zip")
    assert str(failed.value) == f"{server}/nothing.zip: the server answered 404 Not Found; check the address"
    with pytest.raises(DataError, match=r"short\.zip: could not be fetched"):
        fetch(f"{server}/short.zip")
    with pytest.raises(DataError, match=r"could not be fetched .*; check the address and the network"):
        fetch("http://127.0.0.1:9/x.zip")


def test_size_and_time_are_limited(server: str) -> None:
    with pytest.raises(DataError, match="larger than 1000 bytes, the limit for an archive"):
        fetch(f"{server}/points.zip", archive_bytes=1000)
    ticks = iter(range(0, 10_000, 1000))
    late = downloaded(f"{server}/points.zip", Limits(), clock=lambda: next(ticks), duration_s=10)
    with pytest.raises(DataError, match="took longer than the limit; download the file by other means"), late:
        pass
