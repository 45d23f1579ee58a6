"""Ways of getting a signature wrong, each made by real code, and each named by the debugger."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliveries.payload.canonical_json import canonical
from deliveries.signature_debugger.case import STANDARD, SentEvent, SignatureInspection
from deliveries.signature_debugger.debugger import debug
from deliveries.signature_debugger.findings import FINDING_TEXTS
from deliveries.signature_debugger.search import CandidateToken
from deliveries.signature_debugger.transformations import find_difference, transformations
from tests.deliveries.signature_debugger.signature_cases import (
    BODY,
    CLAWGET,
    EVENT,
    OLD,
    RULES,
    TEXT_TOKEN,
    WHSEC,
    case,
    changed,
    computed,
    headers_of,
    python_hmac,
)
from tests.deliveries.signature_debugger.wrong_signatures import (
    ENDED,
    LIVE,
    NODE_SCRIPT,
    OTHER,
    SECOND,
    TWIN,
    WAYS,
)
from tests.node import Node


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node(NODE_SCRIPT) as process:
        yield process


@pytest.mark.node
def test_each_way_of_getting_a_signature_wrong_is_named(node: Node) -> None:
    """With -s it prints the table."""

    def ask(way: str) -> str:
        return str(node.ask({"way": way, "body": BODY.decode(), "secret": TEXT_TOKEN}))

    wrong = []
    print(f"\n{'way':34} {'made by':18} {'verdict':26} in words")
    for way in WAYS:
        found = debug(way.make(ask))
        print(f"{way.name:34} {way.by:18} {found.code:26} {FINDING_TEXTS[found.code].title}")
        if found.codes[0] != way.code or len(found.codes) != 1:
            wrong.append((way.name, found.codes, way.code))
        assert not FINDING_TEXTS[found.code].title.endswith(".")
    assert wrong == []
    assert len({way.code for way in WAYS}) > 60


# A right signature is never called wrong, and nothing else is called right

SCHEMES = [
    ("clawget", None),
    ("clawget", "standard"),
    ("cryptlex", None),
    ("standard", None),
    ("cleeng", "standard"),
    ("cleverpush", "standard"),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(
    scheme=st.sampled_from(SCHEMES),
    data=st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    token=st.binary(min_size=24, max_size=64),
    has_previous=st.booleans(),
    age_seconds=st.integers(-300, 300),
    shout=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_a_right_signature_is_never_called_wrong(
    scheme: tuple[str, str | None],
    data: dict[str, Any],
    token: bytes,
    has_previous: bool,
    age_seconds: int,
    shout: bool,
) -> None:
    platform, choice = scheme
    body = canonical(data).encode()
    current = "whsec_" + base64.b64encode(token).decode()
    previous = OLD if has_previous else None
    headers = headers_of(
        platform,
        token=current,
        choice=choice,
        previous=previous,
        body=body,
        age=timedelta(seconds=age_seconds),
    )
    known = [CandidateToken("the token", current)]
    known += [CandidateToken("the previous token", OLD, "previous")] if previous else []
    given_headers = {name.upper() if shout else name: value for name, value in headers.items()}
    found = debug(
        case(platform, headers=given_headers, body=body, tokens=(OTHER, *known), choice=choice)
    )
    assert (found.code, found.ok) == ("right", True)


def one_bit_off(value: bytes) -> Iterator[bytes]:
    for at in range(len(value) * 8):
        spoiled = bytearray(value)
        spoiled[at // 8] ^= 1 << at % 8
        yield bytes(spoiled)


@pytest.mark.parametrize(("platform", "choice"), SCHEMES)
def test_no_single_bit_can_change_and_be_called_right(platform: str, choice: str | None) -> None:
    """Nothing is right but what the first step, the signer, takes: it is asked for every bit."""
    headers = headers_of(platform, choice=choice)
    whole = case(platform, headers=headers, choice=choice)
    assert debug(whole).code == "right"
    for rules in [RULES[platform]] if choice is None else [STANDARD]:
        inspection = SignatureInspection(whole, rules)
        assert inspection.signer(inspection.given, BODY) is not None
        for body in one_bit_off(BODY):
            assert inspection.signer(inspection.given, body) is None
        for name in (name for name in headers if "-" in name and name != "Content-Type"):
            if rules is STANDARD and name == CLAWGET:
                continue
            for spoiled in one_bit_off(headers[name].encode()):
                value = spoiled.decode("latin-1").strip()
                given_headers = inspection.given | {name.lower(): value}
                assert inspection.signer(given_headers, BODY) is None, (name, spoiled)


@given(scheme=st.sampled_from(SCHEMES), bit=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_changed_bit_gets_some_verdict_and_never_right(
    scheme: tuple[str, str | None], bit: int
) -> None:
    platform, choice = scheme
    body = bytearray(BODY)
    body[bit // 8 % len(body)] ^= 1 << bit % 8
    headers = headers_of(platform, choice=choice)
    found = debug(case(platform, headers=headers, body=bytes(body), choice=choice))
    assert found.ok is False
    known = debug(
        case(
            platform,
            headers=headers,
            body=bytes(body),
            choice=choice,
            sent=SentEvent("evt_abc123", BODY, (tuple(headers.items()),)),
        )
    )
    assert known.difference is not None
    assert known.difference.offset == bit // 8 % len(BODY)


def test_each_change_that_is_made_of_a_body_is_named_as_itself() -> None:
    for change in transformations(BODY):
        found = debug(changed("clawget", change.body, sent=SentEvent("evt_abc123", BODY)))
        assert FINDING_TEXTS[found.code]
        same = {each.code for each in transformations(BODY) if each.body == change.body}
        assert found.code in same


@pytest.mark.parametrize("platform", ["cleeng", "cleverpush"])
def test_a_platform_without_a_signature_is_neither_right_nor_wrong(platform: str) -> None:
    found = debug(case(platform, headers={"Content-Type": "application/json"}))
    assert (found.code, found.ok) == ("unsigned", None)


def test_a_webhook_with_its_signature_switched_off_has_none_to_miss() -> None:
    assert debug(case("clawget", headers={}, choice="none")).code == "unsigned"


def test_during_an_overlap_one_signature_that_is_spoiled_is_told() -> None:
    tokens = (CandidateToken("new", WHSEC), CandidateToken("old", OLD, "previous"))
    headers = headers_of("standard", previous=OLD)
    assert debug(case("standard", headers=headers, tokens=tokens)).code == "right"
    found = debug(case("standard", headers=headers, tokens=tokens[:1]))
    assert (found.code, found.ok) == ("right-one-of-several", True)


def test_two_mistakes_are_both_named() -> None:
    text = python_hmac(f"{TEXT_TOKEN}\n".encode(), json.dumps(EVENT).encode()).hex().upper()
    found = debug(computed("clawget", text))
    assert found.codes == ("python-json", "secret-whitespace", "form-upper")
    found = debug(
        case(
            "clawget",
            headers=headers_of("clawget", token=ENDED.token),
            body=BODY + b"\n",
            tokens=(LIVE, ENDED),
        )
    )
    assert found.codes == ("trailing-newline", "token-ended")


def test_the_difference_is_shown_at_its_first_byte_with_what_is_around_it() -> None:
    found = find_difference(b'{"a": 1,"b":2}', b'{"a":1,"b":2}')
    assert found is not None
    assert (found.offset, found.before) == (5, '{"a":')
    assert (found.received, found.original) == (' 1,"b":2}', '1,"b":2}')
    end = find_difference(b"{}", b"{}\n")
    assert end is not None
    assert (end.offset, end.received, end.original) == (2, "(end)", "␊")
    assert find_difference(b"{}", b"{}") is None


def test_no_finding_repeats_a_token_or_the_secret() -> None:
    for way in WAYS:
        for given_case in (way.make(lambda _: "x" * 64),):
            said = repr(debug(given_case)) + repr(given_case)
            for secret in (TEXT_TOKEN, WHSEC, OTHER.token, ENDED.token, TWIN.token):
                assert secret not in said.replace(given_case.computed or "\0", "")


@pytest.mark.parametrize("length", range(1, 17))
def test_a_short_beginning_of_a_signature_is_not_confirmed(length: int) -> None:
    """Told of each character that it is right, one could forge a signature step by step."""
    spoiled = headers_of("clawget") | {CLAWGET: SECOND[:length]}
    assert debug(case("clawget", headers=spoiled)).code == "not-a-signature"


def test_a_short_part_of_a_token_is_not_confirmed() -> None:
    for length in range(1, 20):
        found = debug(case("clawget", secret=TEXT_TOKEN[:length]))
        assert found.code == "secret-unknown"


def test_the_largest_body_is_judged_in_a_moment() -> None:
    body = canonical({"list": [{"n": n, "text": "Größe"} for n in range(3_000)]}).encode()
    assert len(body) > 75_000
    started = time.process_time()
    found = debug(case("clawget", headers=headers_of("clawget", token="gone"), body=body))
    assert found.code == "unexplained"
    assert time.process_time() - started < 5


VALUES = st.text(max_size=80) | st.sampled_from(
    ["v1," + "A" * 43 + "=", SECOND, "t=1,v1=" + SECOND, "%2B" * 20, "9" * 11, "9" * 12]
)


@given(
    platform=st.sampled_from(sorted(RULES)),
    choice=st.sampled_from([None, "standard"]),
    body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
    values=st.tuples(VALUES, VALUES, VALUES, VALUES),
    secret=VALUES,
    computed=VALUES,
    is_known=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_pasted_gets_a_verdict(
    platform: str,
    choice: str | None,
    body: bytes,
    values: tuple[str, str, str, str],
    secret: str,
    computed: str,
    is_known: bool,
) -> None:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature", CLAWGET)
    found = debug(
        case(
            platform,
            headers=dict(zip(names, values, strict=True)),
            body=body,
            choice=choice,
            secret=secret,
            computed=computed,
            sent=SentEvent("evt_abc123", BODY) if is_known else None,
        )
    )
    assert found.code in FINDING_TEXTS
    assert found.ok is not True


@pytest.mark.parametrize("body", [b"[" * 5_000, b"[" * 900 + b"]" * 900, b"9" * 5_000, b"1e999"])
def test_json_at_the_limits_gets_a_verdict(body: bytes) -> None:
    for sent in (None, SentEvent("evt_abc123", BODY), SentEvent("evt_abc123", body + b" ")):
        headers = headers_of("clawget", token="gone")
        assert debug(case("clawget", headers=headers, body=body, sent=sent)).ok is False
        headers = headers_of("clawget", body=body)
        assert debug(case("clawget", headers=headers, body=body, computed="0" * 64)).ok is True
