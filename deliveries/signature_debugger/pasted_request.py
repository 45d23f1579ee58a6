"""Headers and bodies as people paste them: raw lines, curl, JSON, PHP, WSGI, Rack, Go, Lambda."""

from __future__ import annotations

import ast
import base64
import binascii
import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, str], ...]
BODY_FORMS = (("text", "Text"), ("base64", "Base64"), ("hex", "Hexadecimal"))

_CGI = re.compile(r"(?:REDIRECT_)?HTTP_([A-Za-z0-9_]+)")
_CGI_PLAIN = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}
_START_LINE = re.compile(r"(?:[A-Z]{3,7} \S+(?: HTTP/[\d.]+)?|HTTP/[\d.]+ \d{3}.*)")
_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_LINE = re.compile(rf"({_NAME})\s*[:=\t]\s*(.*)")
_GO_PAIR = re.compile(rf"({_NAME}):\[([^\]]*)\]")
_QUOTED_PAIR = re.compile(
    r"""['"]([\w.-]+)['"]\]?\s*(?:=>|:|=)\s*(?:string\(\d+\)\s*)?(?:'([^'\n]*)'|"([^"\n]*)")"""
)
_PRINT_R = re.compile(r"^\s*\[([\w.-]+)\] => ?(.*?)\r?$", re.MULTILINE)


class PasteError(ValueError):
    """Text that is not what it was said to be."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """`style` tells where the headers were printed: lines, curl, json, node, php, wsgi, rack, go
    or lambda. `body` is there where it was pasted along with them."""

    headers: Headers
    style: str
    body: bytes | None = None


def read_headers(text: str) -> Pasted:
    """The headers in any of the forms above, their names as HTTP has them."""
    text = text.strip("\ufeff\r\n\t ").replace("\r\n", "\n")
    for read in (_from_json, _from_curl, _from_go, _from_pairs):
        if found := read(text):
            return found
    return _from_lines(text)


def read_body(text: str, form: str) -> bytes:
    """The bytes that the text stands for: "text" (UTF-8), "base64" or "hex". Raises PasteError.

    A browser turns the line ends of a form into CR LF, so those of a text are taken back.
    """
    if form == "text":
        return text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")
    compact = re.sub(r"\s", "", text)
    try:
        if form == "hex":
            return bytes.fromhex(compact.removeprefix("0x").replace(":", "").replace("\\x", ""))
        return base64.b64decode(compact.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PasteError(f"The body is not {form}: {error}. Choose Text, or upload it.") from None


def plain_name(name: str) -> str:
    """HTTP_X_FOO, as CGI and its heirs have it, is X-FOO."""
    if name in _CGI_PLAIN:
        return _CGI_PLAIN[name]
    found = _CGI.fullmatch(name)
    return found[1].replace("_", "-") if found else name


def _headers(pairs: Iterable[tuple[str, Any]]) -> Headers:
    return tuple(
        (plain_name(_whole(name)), _whole(item))
        for name, value in pairs
        for item in (value if isinstance(value, list | tuple) else [value])
        if isinstance(item, str | int | float)
    )


def _whole(value: object) -> str:
    """As text that can be shown: JSON may hold halves of characters."""
    return str(value).encode("utf-8", "replace").decode()


def _from_json(text: str) -> Pasted | None:
    if text[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        return _from_event(value) or Pasted(_headers(value.items()), _json_style(value))
    return _from_list(value) if isinstance(value, list) else None


def _json_style(value: dict[str, Any]) -> str:
    return "json" if any(map(_CGI.fullmatch, value)) or not all(map(str.islower, value)) else "node"


def _from_event(value: dict[str, Any]) -> Pasted | None:
    """An event of AWS Lambda, or anything with `headers` and perhaps `body` in it."""
    headers = value.get("headers")
    if not isinstance(headers, dict):
        return None
    body = value.get("body")
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else None
    is_lambda = "isBase64Encoded" in value or "requestContext" in value
    if data is not None and value.get("isBase64Encoded") is True:
        try:
            data = base64.b64decode(data, validate=True)
        except binascii.Error:
            data = None
    return Pasted(_headers(headers.items()), "lambda" if is_lambda else "json", data)


def _from_list(items: list[Any]) -> Pasted | None:
    """Pairs, objects of name and value, or Node's flat rawHeaders."""
    if items and all(isinstance(item, str) for item in items) and len(items) % 2 == 0:
        return Pasted(_headers(zip(items[::2], items[1::2], strict=True)), "node")
    if all(isinstance(item, list) and len(item) == 2 for item in items):
        return Pasted(_headers((name, value) for name, value in items), "json")
    if all(isinstance(item, dict) and "value" in item for item in items):
        pairs = [(item.get("name") or item.get("key", ""), item["value"]) for item in items]
        return Pasted(_headers(pairs), "json")
    return None


def _from_curl(text: str) -> Pasted | None:
    """A curl command, the portal's own copy of a request included."""
    if not text.startswith("curl "):
        return None
    try:
        words = shlex.split(text.replace("\\\n", " "))
    except ValueError:
        return None
    headers: list[tuple[str, Any]] = []
    body: bytes | None = None
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in ("-H", "--header"):
            name, _, value = following.partition(":")
            headers.append((name.strip(), value.strip()))
        elif word in ("-d", "--data", "--data-raw", "--data-binary"):
            body = following.encode("utf-8", "surrogatepass")
    return Pasted(_headers(headers), "curl", body)


def _from_go(text: str) -> Pasted | None:
    start = text.find("map[")
    if start < 0:
        return None
    pairs = _GO_PAIR.findall(text[start + len("map[") :])
    return Pasted(_headers(pairs), "go") if pairs else None


def _from_pairs(text: str) -> Pasted | None:
    """PHP's $_SERVER, a Python or WSGI dictionary, a Rack environment."""
    looks_like_pairs = "=>" in text or text[:1] == "{" or re.match(r"[\w.]+\(\{|\$_SERVER", text)
    if not looks_like_pairs:
        return None
    pairs: list[tuple[str, Any]] = _PRINT_R.findall(text)
    if not pairs:
        pairs = _literal_pairs(text) or [
            (name, single or double) for name, single, double in _QUOTED_PAIR.findall(text)
        ]
    if not pairs:
        return None
    if "rack." in text:
        return Pasted(_headers(pairs), "rack")
    return Pasted(_headers(pairs), "php" if "=>" in text or "$_SERVER" in text else "wsgi")


def _literal_pairs(text: str) -> list[tuple[str, Any]]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return list(value.items()) if isinstance(value, dict) else []


def _from_lines(text: str) -> Pasted:
    """`Name: value` lines, with curl -v's marks or without; after an empty line the body."""
    pairs: list[tuple[str, Any]] = []
    is_curl = False
    waiting = ""  # a name whose value stands on the line below, as browsers' tools copy it
    lines = text.split("\n")
    for number, line in enumerate(lines):
        plain = line.rstrip("\r")
        if plain[:2] in ("> ", "< ", "* ") or plain in (">", "<"):
            is_curl = True
            if plain[0] == "*" or plain in (">", "<"):
                continue
            plain = plain[2:]
        if not plain.strip():
            rest = "\n".join(lines[number + 1 :])
            if pairs and rest.lstrip()[:1] in ("{", "["):
                return Pasted(_headers(pairs), "lines", rest.encode("utf-8", "surrogatepass"))
            continue
        if waiting:
            pairs.append((waiting, plain.strip()))
            waiting = ""
        elif found := _LINE.fullmatch(plain.strip()):
            if found[2] or number + 1 == len(lines) or ":" in lines[number + 1]:
                pairs.append((found[1], found[2].strip()))
            else:
                waiting = found[1]
        elif not _START_LINE.fullmatch(plain.strip()):
            continue
    is_cgi = any(_CGI.fullmatch(name) for name, _ in pairs)
    return Pasted(_headers(pairs), "php" if is_cgi else "curl" if is_curl else "lines")
