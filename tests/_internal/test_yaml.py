"""YAML of other people: what it may mean is counted before it is made, and mistakes are one sentence with a line."""

from __future__ import annotations

import random

import pytest

from buttermilk_nb._internal import yaml
from buttermilk_nb.errors import SetupError

NINE = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 11)]
BOMB = "\n".join(["a0: &a0 [x, x]", *NINE])
HOSTILE = {
    "aliases as values": BOMB,
    "aliases as keys": f"{BOMB}\n? *a9\n: 1",
    "a list that contains itself": "a: &a [*a]",
    "a mapping that contains itself": "a: &a {b: *a}",
    "deep lists": "a: " + "[" * 300 + "]" * 300,
    "lists without an end": "[" * 10_000,
    "deep indents": "- " * 10_000,
    "many aliases": "a: &a [1, 2, 3]\nb: [" + "*a, " * 60_000 + "]",
    "a long number": "a: " + "9" * 5_000,
    "a list as a key": "? [a, b]\n: 1",
    "a damaged date": "a: !!timestamp x",
    "an object of Python": "a: !!python/object/apply:os.system [ls]",
    "a set": "a: !!set {x, y}",
    "bytes": "a: !!binary aGk=",
    "an unknown tag": "a: !mine x",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml_is_one_sentence(text):
    with pytest.raises(SetupError) as raised:
        yaml.loads(text, "`x.yaml`")
    message = str(raised.value)
    assert message.startswith("`x.yaml`")
    assert message.endswith(".")
    assert len(message) < 300


def test_aliases_that_a_person_would_write_work():
    assert yaml.loads("a: &usual {temperature: 0}\nb: *usual\nc: [*usual, *usual]", "x") == {
        "a": {"temperature": 0},
        "b": {"temperature": 0},
        "c": [{"temperature": 0}, {"temperature": 0}],
    }


def test_a_thousand_mutations_raise_nothing_raw():
    draw = random.Random(19)
    marks = [
        *("*a9", "&a1 ", "!!timestamp ", "!!int ", "? ", ": ", "- ", "[", "]", "{", "}", "'", '"', "\n", " ", "|", ">"),
        *("\t", "~", "\x00", "\ufeff", "<<: *a0", "9" * 5_000, "---\n", "...\n", "%YAML 9\n", "#"),
    ]
    sources = [*HOSTILE.values(), "name: study\nallow: [openai]\nmodels: {m: {model: a/b, key: 'env:X'}}\n"]
    sources = [source[:2_000] for source in sources]
    outcomes = {"read": 0, "a sentence": 0}
    for _ in range(1_000):
        text = draw.choice(sources)
        for _ in range(draw.randint(1, 6)):
            place = draw.randrange(len(text) + 1)
            text = text[:place] + draw.choice(marks) + text[place + draw.choice((0, 0, 1, 20)) :]
        try:
            yaml.loads(text, "x")
            outcomes["read"] += 1
        except SetupError:
            outcomes["a sentence"] += 1
    assert sum(outcomes.values()) == 1_000
    assert min(outcomes.values()) > 10


def test_a_file_larger_than_two_megabytes_is_not_read(tmp_path):
    file = tmp_path / "prompt.md"
    file.write_text("x" * (yaml.MAX_BYTES + 1))
    with pytest.raises(SetupError, match="`prompt.md` is larger than 2 MB"):
        yaml.read_text(file)
