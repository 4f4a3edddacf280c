"""Archives by https, within the same limits as those on disk."""

import http.client
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO
from urllib.parse import urlsplit

from nntest.errors import DataError, UsageError
from nntest.store.exchange.limits import Limits

#: Seconds without a byte, and seconds in all.
SILENCE_S = 30.0
DURATION_S = 900.0

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CHUNK = 2**16


def is_url(source: str) -> bool:
    """Tell whether a source is an address rather than a path."""
    return "://" in source


@contextmanager
def downloaded(
    url: str,
    limits: Limits,
    *,
    silence_s: float = SILENCE_S,
    duration_s: float = DURATION_S,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[BinaryIO]:
    """Fetch an archive into a temporary file, which is gone afterwards.

    Parameters
    ----------
    url
        An https address; http only on this machine itself, where nobody stands in between.
    silence_s, duration_s
        Longest wait for a byte and for the whole, in seconds.

    Raises
    ------
    UsageError
        The address is of another kind.
    DataError
        It could not be fetched, took too long, or is larger than the limit.
    """
    check_url(url)
    with tempfile.TemporaryFile(prefix="nntest-") as file:
        try:
            end_s = clock() + duration_s
            _fetch(url, file, limits, silence_s=silence_s, late=lambda: clock() > end_s)
        except urllib.error.HTTPError as error:
            with error:
                raise DataError(f"{url}: the server answered {error.code} {error.reason}; check the address") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise DataError(f"{url}: could not be fetched ({reason}); check the address and the network") from None
        file.seek(0)
        yield file


def check_url(url: str) -> None:
    """Refuse addresses that somebody else could answer for.

    Raises
    ------
    UsageError
        Neither https, nor http on this machine itself.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise UsageError(f"{url}: not an address; expected https://HOST/PATH.zip") from None
    if (parts.scheme == "https" and host) or (parts.scheme == "http" and host in _LOOPBACK):
        return
    raise UsageError(f"{url}: expected an https address; download the file by other means and import that")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects (at most as many as urllib does by itself) only to addresses that may be asked directly."""

    def redirect_request(  # noqa: PLR0917 - urllib's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        check_url(newurl)
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise UsageError(f"{newurl}: redirected from https to http; download the file by other means")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, file: IO[bytes], limits: Limits, *, silence_s: float, late: Callable[[], bool]) -> None:
    opener = urllib.request.build_opener(_Redirects)
    request = urllib.request.Request(url, headers={"Accept": "application/zip, */*;q=0.5", "User-Agent": "nntest"})
    size = 0
    with opener.open(request, timeout=silence_s) as answer:
        while chunk := answer.read1(_CHUNK):
            size += len(chunk)
            if size > limits.archive_bytes:
                raise DataError(f"{url}: larger than {limits.archive_bytes} bytes, the limit for an archive")
            if late():
                raise DataError(f"{url}: took longer than the limit; download the file by other means")
            file.write(chunk)
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
