"""A stand-in for the Hugging Face Hub: repositories in memory behind the requests of its library.

It speaks what `huggingface_hub` asks for when it makes a repository, commits files (plain ones in
the commit, weights through Git LFS) and fetches one. Xet, the Hub's newer store, it does not speak.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "hf_stand_in"  # what a program has to send to write


class Hub(ThreadingHTTPServer):
    """What was pushed, by repository such as "spaces/made/up", and how to ask for it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.commits: dict[str, str] = {}
        self.stored: dict[str, bytes] = {}  # by checksum
        self.made: list[dict[str, Any]] = []
        self.unknown: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def environment(self, home: Path) -> dict[str, str]:
        """What a program needs to take this for the Hub; `home` is its cache."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(home),
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }


@contextmanager
def served() -> Iterator[Hub]:
    """The stand-in, on a port of its own."""
    with Hub() as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        try:
            yield hub
        finally:
            hub.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._json({"error": "Invalid credentials"}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif path.endswith("/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        elif found := re.fullmatch(r"/api/(\w+/[\w-]+/[\w-]+)/(preupload|commit)/main", path):
            known = found[1] in self.server.files
            act = self._preupload if found[2] == "preupload" else self._commit
            act(found[1], body) if known else self._missing("RepoNotFound")
        else:
            self._lost()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.stored[hashlib.sha256(content).hexdigest()] = content
        self._json({})

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if found := re.fullmatch(r"/([\w-]+/[\w-]+)/resolve/(\w+)/(.+)", path):
            self._resolve(f"models/{found[1]}", found[2], found[3])
        elif found := re.fullmatch(r"/api/(\w+/[\w-]+/[\w-]+)(?:/revision/\w+)?", path):
            name = found[1].partition("/")[2]
            sha = self.server.commits.get(found[1], "0" * 40)
            self._json({"id": name, "sha": sha, "siblings": [], "tags": []})
        else:
            self._lost()

    do_HEAD = do_GET  # noqa: N815

    def _create(self, asked: dict[str, Any]) -> None:
        self.server.made.append(asked)
        owner = asked.get("organization") or "made"
        kind = asked.get("type") or "model"
        self.server.files.setdefault(f"{kind}s/{owner}/{asked['name']}", {})
        self._json({"url": f"{self.server.url}/{owner}/{asked['name']}"})

    def _preupload(self, _: str, body: bytes) -> None:
        binary = (".safetensors", ".onnx", ".jpg")
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["path"].endswith(binary) else "regular",
                "shouldIgnore": False,
            }
            for one in json.loads(body)["files"]
        ]
        self._json({"files": files})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.server.url}/lfs/{one['oid']}"}}}
            for one in asked["objects"]
        ]
        self._json({"transfer": "basic", "objects": objects})

    def _commit(self, repository: str, body: bytes) -> None:
        files = self.server.files[repository]
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.server.stored[value["oid"]]
        oid = hashlib.sha1(body).hexdigest()
        self.server.commits[repository] = oid
        url = f"{self.server.url}/{repository.removeprefix('models/')}/commit/{oid}"
        self._json({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

    def _resolve(self, repository: str, revision: str, name: str) -> None:
        files = self.server.files.get(repository)
        if files is None:
            self._missing("RepoNotFound")
        elif revision != self.server.commits[repository]:
            self._missing("RevisionNotFound")
        elif name not in files:
            self._missing("EntryNotFound", {"X-Repo-Commit": revision})
        else:
            tag = f'"{hashlib.sha1(files[name]).hexdigest()}"'
            self._send(200, files[name], {"ETag": tag, "X-Repo-Commit": revision})

    def _missing(self, code: str, headers: dict[str, str] | None = None) -> None:
        self._send(404, b"{}", {"X-Error-Code": code, **(headers or {})})

    def _lost(self) -> None:
        self.server.unknown.append(f"{self.command} {self.path}")
        self._json({"error": "unknown to the stand-in"}, 400)

    def _json(self, answer: dict[str, Any], status: int = 200) -> None:
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
