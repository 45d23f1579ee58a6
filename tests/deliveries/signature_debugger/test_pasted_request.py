"""Headers and bodies as people paste them."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.event_log.curl_command import curl_command
from deliveries.signature_debugger.pasted_request import PasteError, read_body, read_headers

HEADERS = (("Content-Type", "application/json"), ("X-Clawget-Signature", "ab=="))


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("Content-Type: application/json\r\nX-Clawget-Signature: ab==\r\n", "lines"),
        ("POST /in HTTP/1.1\nContent-Type: application/json\nX-Clawget-Signature:ab==", "lines"),
        ("* Connected\n> Content-Type: application/json\n> X-Clawget-Signature: ab==\n>", "curl"),
        ("Content-Type\tapplication/json\nX-Clawget-Signature\tab==", "lines"),
        ("Content-Type:\napplication/json\nX-Clawget-Signature:\nab==", "lines"),
        (json.dumps(dict(HEADERS)), "json"),
        (json.dumps(HEADERS), "json"),
        (json.dumps([{"key": n, "value": v} for n, v in HEADERS]), "json"),
        (json.dumps({name: [value] for name, value in HEADERS}), "json"),
        (json.dumps([part for pair in HEADERS for part in pair]), "node"),
        (json.dumps({"headers": dict(HEADERS), "isBase64Encoded": False}), "lambda"),
        ("map[Content-Type:[application/json] X-Clawget-Signature:[ab==]]", "go"),
        (
            "['CONTENT_TYPE' => 'application/json', 'HTTP_X_CLAWGET_SIGNATURE' => 'ab==']",
            "php",
        ),
        (
            "Array\n(\n    [CONTENT_TYPE] => application/json\n"
            "    [HTTP_X_CLAWGET_SIGNATURE] => ab==\n)",
            "php",
        ),
        (
            '$_SERVER["CONTENT_TYPE"] = "application/json";\n'
            '$_SERVER["HTTP_X_CLAWGET_SIGNATURE"] = "ab==";',
            "php",
        ),
        (repr({"CONTENT_TYPE": "application/json", "HTTP_X_CLAWGET_SIGNATURE": "ab=="}), "wsgi"),
        (
            "{'wsgi.errors': <_io.TextIOWrapper>, 'CONTENT_TYPE': 'application/json', "
            "'HTTP_X_CLAWGET_SIGNATURE': 'ab=='}",
            "wsgi",
        ),
        (
            '{"rack.url_scheme"=>"https", "CONTENT_TYPE"=>"application/json", '
            '"HTTP_X_CLAWGET_SIGNATURE"=>"ab=="}',
            "rack",
        ),
    ],
)
def test_headers_are_read_in_each_form(text: str, style: str) -> None:
    found = read_headers(text)
    wanted = {name.lower(): value for name, value in HEADERS}
    assert {n.lower(): v for n, v in found.headers if n.lower() in wanted} == wanted
    assert found.style == style


def test_a_whole_request_brings_its_body_along() -> None:
    text = 'POST /in HTTP/1.1\nX-A: b\n\n{"n": 1}'
    assert read_headers(text).body == b'{"n": 1}'
    command = curl_command(url="https://x.example/in", headers=HEADERS, body='{"n":"it\'s"}')
    found = read_headers(command)
    assert (found.headers, found.body) == (HEADERS, b'{"n":"it\'s"}')
    event = {"headers": dict(HEADERS), "body": base64.b64encode(b"{}").decode()}
    assert read_headers(json.dumps(event | {"isBase64Encoded": True})).body == b"{}"
    assert read_headers(json.dumps({"headers": {"A": "b"}, "body": "{}"})).body == b"{}"


def test_half_a_character_is_shown_as_a_question_mark() -> None:
    assert read_headers('{"A": "x\\ud800", "\\udc00": "y"}').headers == (("A", "x?"), ("?", "y"))


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    for start in ("", "{", "[", "curl ", "map[", "A: ", "'"):
        assert isinstance(read_headers(start + text).headers, tuple)


@given(st.binary())
def test_a_body_is_read_back_from_hex_and_base64(body: bytes) -> None:
    assert read_body(body.hex(" "), "hex") == body
    assert read_body(base64.encodebytes(body).decode(), "base64") == body


def test_the_line_ends_that_a_form_makes_are_taken_back() -> None:
    assert read_body("a\r\nb", "text") == b"a\nb"


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_what_is_no_such_encoding_is_refused_with_a_way_out(form: str) -> None:
    with pytest.raises(PasteError, match="Choose Text"):
        read_body("{}", form)
