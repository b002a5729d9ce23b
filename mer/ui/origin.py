"""Who is listened to: passwords, CORS, forwarded headers, and what browsers may do.

A browser sends the visitor's password along with requests of another site's page: they are refused
unless $MER_ORIGINS names it. Headers that say for whom a proxy asks count from those in $MER_PROXY.
"""

import base64
import ipaddress
import os
import secrets
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mer.errors import MerError

# Where nothing is named on a Space: what embeds it, and the networks that its proxy may lie in.
_SPACE_EMBEDDER: Final = "https://huggingface.co"
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
_SHARE_SCRIPTS: Final = "https://gradio.s3-us-west-2.amazonaws.com"  # Gradio's page behind --share

# Gradio's page has scripts inside its HTML, makes functions of text and modules of blobs.
_POLICY: Final = (
    "default-src 'self'{also}; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:{also}; "
    "style-src 'self' 'unsafe-inline'{also}; img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; font-src 'self' data:{also}; "
    "connect-src 'self' data: blob:{also}; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'{embedders}"
)
_NO_ORIGIN: Final = (
    "MER_ORIGINS holds {!r}, which is no origin. Write them like https://example.com, without a "
    "path, and with commas between them."
)
_FORWARDED: Final = (b"x-forwarded-", b"x-real-ip", b"forwarded")


class Origins:
    """Who may ask from where; as the operator says."""

    def __init__(
        self, allowed: Collection[str] = (), proxies: Iterable[str] = (), *, share: bool = False
    ) -> None:
        """Take origins whose pages may frame and call this one, and proxies that are believed."""
        for one in allowed:
            parts = urlsplit(one)
            if parts.scheme not in ("http", "https") or not parts.netloc or one.count("/") != 2:
                raise MerError(_NO_ORIGIN.format(one))
        self._allowed = frozenset(map(str.lower, allowed))
        self.proxies = [*proxies, *(["127.0.0.1"] if share else [])]
        self._trusted = ProxyHeadersMiddleware(None, self.proxies).trusted_hosts  # type: ignore[arg-type]
        also = f" {_SHARE_SCRIPTS}" if share else ""
        embedders = "".join(f" {origin}" for origin in sorted(self._allowed))
        self._headers = {
            "Content-Security-Policy": _POLICY.format(also=also, embedders=embedders),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }

    @classmethod
    def configured(cls, *, share: bool = False) -> "Origins":
        """As $MER_ORIGINS and $MER_PROXY say, each a list with commas; on a Space, as it needs."""
        told = [os.environ.get(name, "").replace(",", " ") for name in ("MER_ORIGINS", "MER_PROXY")]
        allowed, proxies = map(str.split, told)
        if space := os.environ.get("SPACE_HOST"):
            allowed += [_SPACE_EMBEDDER, f"https://{space}"]
        return cls(allowed, proxies or (_PRIVATE if space else ()), share=share)

    def believe(self, scope: Scope) -> None:
        """Take forwarded headers away unless a known proxy sent them."""
        known = (scope.get("client") or ("",))[0] in self._trusted
        scope["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"x-gradio-server" and (known or not name.startswith(_FORWARDED))
        ]

    def is_misnamed(self, scope: Scope) -> bool:
        """Whether a page for this machine alone is asked by another name, changed to lead here."""
        server, client = ((scope.get(name) or ("",))[0] for name in ("server", "client"))
        if not _is_loopback(server) or client in self._trusted:
            return False
        name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
        known = {urlsplit(origin).hostname for origin in self._allowed}
        return not (name in known or f".{name}".endswith(".localhost") or _is_loopback(name))

    def is_foreign(self, scope: Scope) -> bool:
        """Whether a page of another site asks, and may not."""
        headers = Headers(scope=scope)
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is None or origin in self._allowed or site == "same-origin":
            return False  # `site` is a browser's word, which pages cannot set
        host = headers.get("x-forwarded-host") or headers.get("host", "")
        return urlsplit(origin).netloc.lower() != host.partition(",")[0].strip().lower()

    def mark(self, message: Message, scope: Scope) -> None:
        """Say in an answer's headers what browsers may do with it."""
        headers = MutableHeaders(scope=message)
        for name in ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"):
            del headers[name]  # Gradio's, which allow every origin
        headers.update(self._headers)
        origin = Headers(scope=scope).get("origin")
        if origin in self._allowed:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
        headers.add_vary_header("Origin")


def password() -> tuple[str, str] | None:
    """What visitors have to give, from $MER_USER and $MER_PASSWORD; MerError for a name alone."""
    name, word = os.environ.get("MER_USER"), os.environ.get("MER_PASSWORD")
    if name and not word:
        raise MerError("MER_USER is set, and MER_PASSWORD is not. Set both, or none.")
    return (name or "mer", word) if word else None


def is_password(header: str, wanted: tuple[str, str]) -> bool:
    """Whether an Authorization header of HTTP gives this name and password."""
    scheme, _, given = header.partition(" ")
    right = base64.b64encode(":".join(wanted).encode())
    return scheme.lower() == "basic" and secrets.compare_digest(given.encode(), right)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
