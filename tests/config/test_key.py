"""A key object gives its value to those who ask for `value`, and to nobody else."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import traceback
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

import buttermilk_nb as bm
from buttermilk_nb.config.api_keys import Keys, set_key
from buttermilk_nb.config.key_sources import Key

SECRET = "planted-canary-0123456789"


@pytest.fixture
def held():
    return Key(SECRET, "SOME_API_KEY", "the environment")


def test_its_value_is_what_was_found(held):
    assert held.value == SECRET


def test_no_way_of_writing_it_shows_it(held):
    for text in (
        repr(held),
        str(held),
        f"{held}",
        f"{held!s:>50}",
        ascii(held),
        repr([held]),
        str({1: held}),
    ):
        assert "canary" not in text
    assert repr(held) == "<key SOME_API_KEY from the environment>"


def test_it_has_no_dictionary_that_shows_it(held):
    with pytest.raises(TypeError):
        vars(held)
    assert json.loads(json.dumps({"key": held}, default=str)) == {"key": "<key SOME_API_KEY from the environment>"}


def test_it_is_not_written_to_a_file_or_sent_to_another_process(held):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never written"):
            pickle.dumps(held, protocol)
    with pytest.raises(TypeError, match="never written"):
        held.__getstate__()


def test_a_copy_of_it_is_the_same_object(held):
    assert copy.copy(held) is held
    assert copy.deepcopy([held])[0] is held

    @dataclasses.dataclass
    class Holder:
        key: Key

    assert "canary" not in repr(dataclasses.asdict(Holder(held)))


def test_it_does_not_change(held):
    with pytest.raises(AttributeError):
        held.name = "OTHER"
    with pytest.raises(AttributeError):
        held._value = "other"


def test_pydantic_does_not_dump_it(held):
    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        key: Key
        anything: Any

    holder = Holder(key=held, anything=held)
    assert "canary" not in repr(holder)
    assert "canary" not in repr(holder.model_dump())
    with pytest.raises(PydanticSerializationError) as caught:
        holder.model_dump_json()
    assert "canary" not in str(caught.value)
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(int).validate_python(held)
    assert "canary" not in str(refused.value)


def frames_with(error):
    """The frames of a traceback, this file's excepted, whose local variables show the key."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename != __file__]
    assert frames
    return [frame.f_code.co_name for frame in frames if "canary" in repr(frame.f_locals)]


@pytest.fixture
def curly(tmp_path, monkeypatch, memory_keyring):
    """The same unusable key in every place."""
    bad = f"“{SECRET}”"
    monkeypatch.setenv("SOME_API_KEY", bad)
    monkeypatch.setattr("getpass.getpass", lambda prompt: bad)
    memory_keyring.entries["buttermilk_nb", "SOME_API_KEY"] = bad
    (tmp_path / "keys.env").write_text(f"SOME_API_KEY={bad}\n", encoding="utf-8")
    return Keys(tmp_path, "keys.env")


@pytest.mark.parametrize("source", [None, "env:SOME_API_KEY", "dotenv:SOME_API_KEY", "keyring:SOME_API_KEY"])
def test_tracebacks_with_local_variables_do_not_show_a_key_that_is_refused(curly, source):
    with pytest.raises(bm.SetupError, match="quotation mark") as caught:
        curly.find([], "some", source)
    assert frames_with(caught.value) == []
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_nor_do_those_of_a_key_that_was_typed(curly):
    with pytest.raises(bm.SetupError, match="quotation mark") as caught:
        set_key("some")
    assert frames_with(caught.value) == []
