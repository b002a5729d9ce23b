"""Who is listened to: passwords, CORS, forwarded headers, and what browsers may do.

A browser sends the visitor's password along with requests that another site's page makes, so those
are refused unless the operator has named that site in $MER_ORIGINS. Proxies say in headers for
whom they ask; anybody can send such headers, so they count only from those in $MER_PROXY.
"""

import base64
import binascii
import ipaddress
import os
import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mer.errors import MerError

# Where nothing is named on a Space: what embeds it, and the networks that its proxy may lie in.
_SPACE_EMBEDDERS: Final = ("https://huggingface.co",)
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
_FORWARDED: Final = (b"x-forwarded-", b"x-real-ip", b"forwarded")


class Origins:
    """Who may ask from where; as the operator says."""

    def __init__(
        self, allowed: Iterable[str] = (), proxies: Iterable[str] = (), *, share: bool = False
    ) -> None:
        """Take origins whose pages may frame and call this one, and proxies that are believed.

        With `share` Gradio's servers show the page, too.

        Raises:
            MerError: something in `allowed` is no origin.
        """
        self._allowed = frozenset(map(_checked, allowed))
        self.proxies = [*proxies, *(["127.0.0.1"] if share else [])]
        self._trusted = ProxyHeadersMiddleware(_nothing, self.proxies).trusted_hosts
        also = f" {_SHARE_SCRIPTS}" if share else ""
        embedders = "".join(f" {origin}" for origin in sorted(self._allowed))
        self._headers = {
            "Content-Security-Policy": _POLICY.format(also=also, embedders=embedders),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }

    @classmethod
    def configured(cls, *, share: bool = False) -> "Origins":
        """As $MER_ORIGINS and $MER_PROXY say, each a list with commas; on a Space, as it needs.

        Raises:
            MerError: $MER_ORIGINS holds something that is no origin.
        """
        space = os.environ.get("SPACE_HOST")
        own = (*_SPACE_EMBEDDERS, f"https://{space}") if space else ()
        allowed, proxies = _listed("MER_ORIGINS"), _listed("MER_PROXY")
        return cls((*own, *allowed), proxies or (_PRIVATE if space else ()), share=share)

    def believe(self, scope: Scope) -> None:
        """Take forwarded headers away unless a known proxy sent them."""
        known = (scope.get("client") or ("",))[0] in self._trusted
        scope["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"x-gradio-server" and (known or not name.startswith(_FORWARDED))
        ]

    def is_misnamed(self, scope: Scope) -> bool:
        """Whether a page for this machine alone is asked under another name.

        So another site's page asks whose name's address was changed to this machine's.
        """
        server, client = ((scope.get(name) or ("",))[0] for name in ("server", "client"))
        if not _is_loopback(server) or client in self._trusted:
            return False
        name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
        known = {urlsplit(origin).hostname for origin in self._allowed}
        ours = f".{name}".endswith(".localhost") or _is_loopback(name)
        return not (ours or name in known)

    def is_foreign(self, scope: Scope) -> bool:
        """Whether a page of another site asks, and may not."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or origin in self._allowed:
            return False
        if headers.get("sec-fetch-site") == "same-origin":  # a browser's word; pages cannot say so
            return False
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
    """Name and password that visitors have to give, from $MER_USER and $MER_PASSWORD.

    Raises:
        MerError: there is a name without a password.
    """
    name, word = os.environ.get("MER_USER"), os.environ.get("MER_PASSWORD")
    if name and not word:
        raise MerError("MER_USER is set, and MER_PASSWORD is not. Set both, or none.")
    return (name or "mer", word) if word else None


def is_password(header: str, wanted: tuple[str, str]) -> bool:
    """Whether an Authorization header of HTTP gives this name and password."""
    try:
        scheme, _, value = header.partition(" ")
        found = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and secrets.compare_digest(found, ":".join(wanted).encode())


async def _nothing(*_: object) -> None:
    """Stand in for an application."""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _listed(variable: str) -> tuple[str, ...]:
    return tuple(os.environ.get(variable, "").replace(",", " ").split())


def _checked(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.netloc or origin.count("/") != 2:
        raise MerError(
            f"MER_ORIGINS holds {origin!r}, which is no origin. Write them like "
            "https://example.com, without a path, and with commas between them."
        )
    return origin.lower()
