"""A platform file is read whole; each class of mistake is refused at its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from subscriptions.platforms.files import PlatformFileError, parse_platform, read_platform_file

GOOD = (Path(__file__).parent / "demo.toml").read_text(encoding="utf-8")


def line_in(text: str, piece: str) -> int:
    """The line where `piece` begins in the file's text."""
    return text[: text.index(piece)].count("\n") + 1


def fault_of(text: str, file_name: str = "demo.toml") -> str:
    with pytest.raises(PlatformFileError) as caught:
        parse_platform(text, file_name)
    return str(caught.value)


def test_a_good_file_is_read_whole() -> None:
    file = parse_platform(GOOD, "demo.toml")

    made, gone = file.topics
    assert file.rules.name == "demo"
    assert file.rules.body == (("type", "topic"), ("*", "data"))
    assert (made.name, made.group, made.group_title) == ("thing.made", "things", "Things")
    assert made.aliases == ("newThing", "thing.new")
    assert made.sample == '{\n  "id": "a",\n  "size": 3\n}'
    assert made.schema["required"] == ["id"]
    assert not made.deprecated
    assert gone.deprecated
    assert gone.source == "prop"
    assert file.use_cases[0].topics == ("thing.made", "thing.gone")


def test_use_cases_may_be_absent() -> None:
    file = parse_platform(GOOD[: GOOD.index("[[use_cases]]")], "demo.toml")

    assert file.use_cases == ()


# Each: the text to replace, its replacement, a piece of the changed text where the fault lies, and
# words of the fault.
MISTAKES = {
    "bad TOML": ('title = "Demo"', "title = Demo", "title = Demo", "is not TOML"),
    "a key set twice": ('title = "Demo"', 'title = "D"\ntitle = "E"', 'title = "E"', "not TOML"),
    "an unknown key at the top": (
        'title = "Demo"',
        'titel = "Demo"',
        "titel",
        "titel: unknown key: did you mean title?",
    ),
    "an unknown table": ("[endpoints]", "[limits]\na = 1\n[endpoints]", "[limits]", "limits: unk"),
    "an unknown key in a table": (
        "timeout_seconds = 15",
        "timeout = 15",
        "timeout = 15",
        "delivery.timeout: unknown key: did you mean timeout_seconds?",
    ),
    "an unknown key in a topic": (
        'source = "prop"',
        'source = "prop"\nlabel = "x"',
        "label",
        "topics.label: unknown key",
    ),
    "an unknown key in a group": ('title = "Things"', 'titel = "T"', "titel", "groups.titel: unk"),
    "an unknown key in a use case": (
        "topics = [",
        "topic = [",
        "topic = [",
        "use_cases.topic: unk",
    ),
    "a missing key of a table": (
        "max_requests = 3\n",
        "",
        "[delivery]",
        "delivery.max_requests: is missing",
    ),
    "a missing key of a topic": (
        'description = "A thing is gone."\n',
        "",
        '[[topics]]\nname = "thing.gone"',
        "topics.description: is missing",
    ),
    "a missing key at the top": (
        'summary = "Events of a demonstration."\n',
        "",
        "name",
        "summary: ",
    ),
    "a missing table": ("[endpoints]\nhttps_required = false\n", "", "name", "endpoints: is miss"),
    "a wrong type": (
        "https_required = false",
        'https_required = "no"',
        "https_required",
        "endpoints.https_required: 'no' is not true or false",
    ),
    "a wrong type within an array": ("  300,", '  "5m",', '"5m"', "'5m' is not a number"),
    "a group without a title": ('title = "Things"\n', "", "[[groups]]", "groups.title: is missing"),
    "a group twice": (
        "[[topics]]",
        '[[groups]]\nname = "things"\ntitle = "More"\n\n[[topics]]',
        'name = "things"\ntitle = "More"',
        "'things' is a group already",
    ),
    "a topic of an unknown group": (
        'group = "things"\nsource = "prop"',
        'group = "stuff"\nsource = "prop"',
        'group = "stuff"',
        "topics.group: 'stuff' is not one of things",
    ),
    "a topic twice": (
        'name = "thing.gone"',
        'name = "thing.made"',
        'name = "thing.made"\ngroup = "things"\nsource = "prop"',
        "topics.name: 'thing.made' is a topic or an alias already",
    ),
    "a topic with another's alias": (
        'name = "thing.gone"',
        'name = "newThing"',
        'name = "newThing"',
        "topics.name: 'newThing' is a topic or an alias already",
    ),
    "an alias that is the topic itself": (
        '  "thing.new",',
        '  "thing.made",',
        '  "thing.made",\n]\nsample',
        "topics.aliases: 'thing.made' is a topic or an alias already",
    ),
    "an alias that is no name": ('"thing.new"', '"thing new"', '"thing new"', "'thing new' is not"),
    "a topic with a bad name": (
        '"thing.gone"\ngroup',
        '"*"\ngroup',
        '"*"\ngroup',
        "topics.name: '*'",
    ),
    "an unknown source": (
        'source = "prop"',
        'source = "web"',
        'source = "web"',
        "topics.source: 'web'",
    ),
    "no topics": (
        "[[topics]]",
        "[[topic]]",
        "[[topic]]",
        "topic: unknown key: did you mean topics?",
    ),
    "a sample that is not JSON": ('  "size": 3', '  "size": three', '"size": three', "is not JSON"),
    "a one-line sample that is not JSON": (
        'sample = \'{"id": "a"}\'',
        "sample = '{id: 1}'",
        "sample = '{id: 1}'",
        "topics.sample: is not JSON",
    ),
    "a sample with NaN": (
        '  "size": 3',
        '  "size": NaN',
        '"size": NaN',
        "NaN is not a JSON number",
    ),
    "a sample with a field twice": (
        '  "size": 3',
        '  "size": 3,\n  "size": 4',
        '"size": 3',
        "the field 'size' is there twice",
    ),
    "a sample nested too deeply": (
        '  "size": 3',
        f'  "size": {"[" * 64}{"]" * 64}',
        "sample = ",
        "topics.sample: is nested over 64 levels deep",
    ),
    "a sample with half of a surrogate pair": (
        '  "size": 3',
        r'  "size": "\ud83c"',
        "sample = ",
        "topics.sample: has half of a surrogate pair in a string",
    ),
    "a sample with an integer that no float holds": (
        '  "size": 3',
        f'  "size": 1{"0" * 309}',
        '"size": 1',
        "topics.sample: has an integer of 310 digits",
    ),
    "a sample that is no object": (
        'sample = \'{"id": "a"}\'',
        "sample = '[1]'",
        "sample = '[1]'",
        "topics.sample: is not a JSON object",
    ),
    "a sample not valid under its schema": (
        '  "size": 3',
        '  "size": "big"',
        "sample = '''",
        "is not valid under its schema: $.size: 'big' is not of type 'integer'",
    ),
    "a spread sample with a field of the body": (
        '  "size": 3',
        '  "size": 3,\n  "type": "x"',
        '"type": "x"',
        "'type' is a field of the body already",
    ),
    "a schema that is not JSON": (
        'schema = \'{"type": "object"}\'',
        "schema = '{type}'",
        "schema = '{type}'",
        "topics.schema: is not JSON",
    ),
    "a bad schema": (
        'schema = \'{"type": "object"}\'',
        'schema = \'{"type": "thing"}\'',
        'schema = \'{"type": "thing"}\'',
        "topics.schema: is a bad schema at $.type",
    ),
    "a bad shared schema": (
        '"required": ["id"]',
        '"required": "id"',
        "thing = '''",
        "schemas.thing: is a bad schema at $.required",
    ),
    "a schema of another dialect": (
        'schema = \'{"type": "object"}\'',
        'schema = \'{"$schema": "http://json-schema.org/draft-07/schema#"}\'',
        'schema = \'{"$schema"',
        "is not JSON Schema 2020-12",
    ),
    "a schema that leads elsewhere": (
        '"#/$defs/size"',
        '"https://example.com/size.json"',
        '"https://example.com/size.json"',
        "leads outside the schema",
    ),
    "a schema with a dangling reference": (
        '"#/$defs/size"',
        '"#/$defs/width"',
        "sample = '''",
        "the schema has no '/$defs/width'",
    ),
    "a shared schema that is not there": (
        'schema = "thing"',
        'schema = "thin"',
        'schema = "thin"',
        "'thin' is neither a JSON object nor in [schemas]",
    ),
    "a use case of an unknown topic": (
        '  "thing.gone",\n]',
        '  "thing.lost",\n]',
        '"thing.lost"',
        "use_cases.topics: 'thing.lost' is not a topic",
    ),
    "a use case without topics": (
        'topics = [\n  "thing.made",\n  "thing.gone",\n]',
        "topics = []",
        "topics = []",
        "use_cases.topics: at least one is needed",
    ),
    "a use case with a topic twice": (
        '  "thing.gone",\n]',
        '  "thing.made",\n]',
        '  "thing.made",\n  "thing.made"',
        "use_cases.topics: 'thing.made' is there twice",
    ),
    "a use case twice": (
        "[[use_cases]]",
        '[[use_cases]]\nname = "Both"\ndescription = "x"\ntopics = ["thing.made"]\n\n[[use_cases]]',
        'name = "Both"\ndescription = "All',
        "'Both' is a use case already",
    ),
    "more requests than delays allow": (
        "max_requests = 3",
        "max_requests = 4",
        "max_requests = 4",
        "delivery.max_requests: 4 requests need 3 retry_delays, and there are 2",
    ),
    "a body field of no known source": (
        'type = "topic"',
        'type = "topics"',
        'type = "topics"',
        "wire.body.type: 'topics' is not one of",
    ),
    "a name that is not the file's": (
        'name = "demo"',
        'name = "other"',
        'name = "other"',
        "name: 'other' must be the file's name without .toml",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_at_its_line(mistake: str) -> None:
    old, new, where, words = MISTAKES[mistake]
    assert old in GOOD
    # What stands in both topics is changed in the last one.
    count = GOOD.count(old)
    text = GOOD.replace(old, new) if count == 1 else _replace_last(GOOD, old, new)

    fault = fault_of(text)

    assert fault.startswith(f"demo.toml, line {line_in(text, where)}: ")
    assert words in fault


def _replace_last(text: str, old: str, new: str) -> str:
    head, tail = text.rsplit(old, 1)
    return head + new + tail


def test_lines_count_alike_in_a_file_from_windows() -> None:
    text = GOOD.replace('  "size": 3', '  "size": three').replace("\n", "\r\n")

    assert fault_of(text).startswith(f"demo.toml, line {line_in(text, 'three')}: ")


def test_other_line_breaks_inside_a_string_do_not_count() -> None:
    text = GOOD.replace("A thing was made.", "A thing\u2028was\u0085made.").replace("= 3", "= 9")

    assert fault_of(text).startswith(f"demo.toml, line {line_in(text, 'max_requests')}: ")


def test_a_file_that_breaks_off_is_refused_at_its_end() -> None:
    text = GOOD + "title = '''\nno end\n"

    assert fault_of(text).startswith(f"demo.toml, line {text.count(chr(10))}: is not TOML")


def test_a_file_that_is_not_utf_8_is_refused_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "demo.toml"
    path.write_bytes(GOOD.replace("A thing is gone.", "caf\u00e9").encode("latin-1"))

    with pytest.raises(PlatformFileError) as caught:
        read_platform_file(path)

    line = line_in(GOOD, "A thing is gone.")
    assert str(caught.value) == f"demo.toml, line {line}: is not UTF-8"
