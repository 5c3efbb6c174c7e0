"""Where keys are looked for, in which order, and what is said of a place that has none."""

from __future__ import annotations

import sys
import threading
import time
import types

import keyring
import pytest
from google.cloud import secretmanager
from keyring.errors import KeyringLocked
from support.keys import MemoryKeyring

import buttermilk_nb as bm
from buttermilk_nb._internal import secret_redaction
from buttermilk_nb.config import key_sources
from buttermilk_nb.config.api_keys import Keys, key_variables
from buttermilk_nb.config.key_sources import Key
from buttermilk_nb.config.model_settings import KEY_SOURCES
from buttermilk_nb.llm.providers.load_litellm import load_litellm

NAME = "ANTHROPIC_API_KEY"


def find(keys, source=None, names=(NAME,), provider="anthropic"):
    return keys.find(list(names), provider, source)


@pytest.fixture
def dotenv(tmp_path):
    """Write the .env file; gives the keys of a project that names it."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "keys.env"
        path.write_text(text, encoding=encoding)
        path.chmod(0o600)
        return Keys(tmp_path, "keys.env")

    return write


@pytest.fixture
def colab(monkeypatch):
    """The module that Colab has, with the secrets that a test puts into it."""

    class SecretNotFoundError(Exception):
        pass

    class NotebookAccessError(Exception):
        pass

    def get(name):
        if name not in module.secrets:
            raise SecretNotFoundError(f"Secret {name} does not exist.")
        if isinstance(module.secrets[name], Exception):
            raise module.secrets[name]
        return module.secrets[name]

    module = types.ModuleType("google.colab.userdata")
    module.get, module.secrets = get, {}
    module.SecretNotFoundError, module.NotebookAccessError = SecretNotFoundError, NotebookAccessError
    package = types.ModuleType("google.colab")
    package.userdata = module
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.userdata", module)
    return module


def test_the_nearest_place_wins(dotenv, monkeypatch, memory_keyring, colab):
    keys = dotenv(f"{NAME}=from-the-file")
    colab.secrets[NAME] = "from-colab"
    memory_keyring.entries["buttermilk_nb", NAME] = "from-the-keyring"
    monkeypatch.setenv(NAME, "from-the-environment")
    key_sources.store_in_memory(Key("from-memory", NAME, key_sources.MEMORY))
    assert find(keys).value == "from-memory"
    key_sources._keys_in_memory.clear()
    assert find(keys).value == "from-the-environment"
    monkeypatch.delenv(NAME)
    assert find(keys).value == "from-the-file"
    keys = Keys(keys._dotenv.parent, None)
    assert find(keys).value == "from-the-keyring"
    memory_keyring.entries.clear()
    assert find(keys).value == "from-colab"
    colab.secrets.clear()
    assert find(keys) is None


def test_a_place_that_is_named_is_the_only_one_asked(dotenv, monkeypatch):
    keys = dotenv(f"{NAME}=from-the-file")
    monkeypatch.setenv(NAME, "from-the-environment")
    assert find(keys, f"dotenv:{NAME}").value == "from-the-file"
    assert find(keys, f"env:{NAME}").value == "from-the-environment"
    monkeypatch.delenv(NAME)
    with pytest.raises(bm.SetupError, match=f"not in the environment: set {NAME}"):
        find(keys, f"env:{NAME}")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("env:OTHER_API_KEY", "not in the environment: set OTHER_API_KEY"),
        ("dotenv:OTHER_API_KEY", "add a line OTHER_API_KEY=..."),
        ("keyring:other", r'bm.set_key\("other", keep=True\)'),
        ("colab:OTHER_API_KEY", "add OTHER_API_KEY in the panel"),
    ],
)
def test_a_key_that_is_not_where_it_should_be_is_a_sentence_that_says_how_to_put_it_there(
    source, sentence, dotenv, memory_keyring, colab
):
    with pytest.raises(bm.SetupError, match=sentence):
        find(dotenv("NAME=value\n"), source)


def test_every_place_that_the_settings_allow_is_one_that_can_be_asked(dotenv, memory_keyring, colab, monkeypatch):
    monkeypatch.setattr(secretmanager, "SecretManagerServiceClient", secret_manager({}))
    for place in KEY_SOURCES:
        with pytest.raises(bm.SetupError) as caught:
            find(dotenv("NAME=value"), f"{place}:projects/p/secrets/s")
        assert "names no place" not in str(caught.value)


def test_a_place_that_there_is_not_names_the_nearest(tmp_path):
    with pytest.raises(bm.SetupError, match="did you mean `keyring`"):
        find(Keys(tmp_path, None), "keyrings:NAME")


def test_the_usual_variables_of_a_provider_are_looked_for_too(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "found-by-its-other-name")
    assert Keys(tmp_path, None).find([], "gemini").name == "GOOGLE_API_KEY"


def test_the_variables_are_those_that_litellm_asks_for():
    litellm = load_litellm()
    asked = {}
    for provider in map(str, (getattr(p, "value", p) for p in litellm.provider_list)):
        if provider.partition("_")[0] not in ("vertex", "sagemaker", "bedrock"):  # more than one key opens these
            missing = litellm.validate_environment(f"{provider}/some-model")["missing_keys"]
            asked[provider] = {name for name in missing if name.endswith(("_KEY", "_TOKEN"))}
    assert len([names for names in asked.values() if names]) > 30
    wrong = {p: names for p, names in asked.items() if names and key_variables(p)[0] not in names}
    assert wrong.keys() <= {"ai21_chat", "text-completion-codestral", "text-completion-inception"}, wrong


def test_one_half_of_a_pair_is_not_taken_for_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "one-half-of-a-pair")
    names, keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], Keys(tmp_path, None)
    assert keys.find(names, "bedrock") is None
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in keys.missing_key_message(
        names, "bedrock", "bedrock/some-model"
    )


@pytest.mark.parametrize(
    "written", ["  the-plain-key", "'the-plain-key'", '"the-plain-key"\n', "\t`the-plain-key` \r\n"]
)
def test_what_copying_leaves_around_a_key_is_taken_off(written, tmp_path, monkeypatch):
    monkeypatch.setenv(NAME, written)
    assert find(Keys(tmp_path, None)).value == "the-plain-key"


@pytest.mark.parametrize("written", ["", "  ", "''", "\n"])
def test_an_empty_variable_holds_no_key(written, tmp_path, monkeypatch):
    monkeypatch.setenv(NAME, written)
    assert find(Keys(tmp_path, None)) is None


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("“sk-curly”", "`left double quotation mark` as its character 1"),
        ("sk-two words", "`space` as its character 7"),
        ("sk-one\nsk-two", "line break` as its character 7"),
        ("sk-zero\u200bwidth", "zero width space"),
        ("sk-bell\x07", "control character"),
    ],
)
def test_a_character_that_no_key_has_is_said_without_the_key(written, sentence, tmp_path, monkeypatch):
    monkeypatch.setenv(NAME, written)
    with pytest.raises(bm.SetupError, match=sentence) as caught:
        find(Keys(tmp_path, None))
    assert "sk-" not in str(caught.value)


def test_the_env_file_is_read_as_it_stands(dotenv):
    keys = dotenv(f"# keys\nexport {NAME}='with$dollar-${{HOME}}'\nOTHER=$HOME\n", encoding="utf-8-sig")
    assert find(keys).value == "with$dollar-${HOME}"
    assert find(keys).source == "`keys.env`"


def test_an_env_file_that_is_changed_is_read_again(dotenv):
    keys = dotenv(f"{NAME}=before-the-change")
    assert find(keys).value == "before-the-change"
    dotenv(f"{NAME}=after-the-change")
    assert find(keys).value == "after-the-change"


def test_an_env_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(bm.SetupError, match=r"the file .*keys\.env does not exist.*create it"):
        find(Keys(tmp_path, "keys.env"))


def test_an_env_file_that_is_not_text_is_a_sentence(tmp_path):
    (tmp_path / "keys.env").write_text(f"{NAME}=key", encoding="utf-16")
    with pytest.raises(bm.SetupError, match="cannot be read: it is not text in UTF-8"):
        find(Keys(tmp_path, "keys.env"))
    with pytest.raises(bm.SetupError, match="cannot be read: Is a directory"):
        find(Keys(tmp_path.parent, tmp_path.name))


def test_an_env_file_that_others_can_read_is_remarked_on_until_it_is_closed_to_them(dotenv, tmp_path):
    keys = dotenv(f"{NAME}=the-plain-key")
    (tmp_path / "keys.env").chmod(0o644)
    find(keys)
    assert len(keys.warnings) == 1
    assert "chmod 600" in keys.warnings[0]
    (tmp_path / "keys.env").chmod(0o600)
    find(keys)
    assert keys.warnings == []


def test_all_secrets_of_an_env_file_are_taken_out_of_texts_once_it_was_read(dotenv):
    find(dotenv(f"{NAME}=the-one-we-use\nOTHER_TOKEN=the-other-secret\nCOLOUR=turquoise-blue\n"))
    said = secret_redaction.redact_known("the-one-we-use, the-other-secret, turquoise-blue")
    assert said == "[key], [key], turquoise-blue"


def test_without_a_usable_keyring_nothing_is_said(tmp_path):
    keys = Keys(tmp_path, None)
    assert find(keys) is None
    assert keys.warnings == []
    with pytest.raises(bm.SetupError, match="no keyring that can be used"):
        find(keys, "keyring:anthropic")


def test_without_the_keyring_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    keys = Keys(tmp_path, None)
    assert find(keys) is None
    with pytest.raises(bm.SetupError, match=r"pip install 'buttermilk-nb\[keyring\]'"):
        find(keys, "keyring:anthropic")


def test_a_keyring_entry_is_found_by_the_variables_name_or_the_providers(tmp_path, memory_keyring):
    memory_keyring.entries["buttermilk_nb", NAME] = "from-the-keyring"
    keys = Keys(tmp_path, None)
    assert find(keys).value == "from-the-keyring"
    assert find(keys, f"keyring:{NAME}").value == "from-the-keyring"
    assert find(keys, "keyring:anthropic").value == "from-the-keyring"
    assert find(keys, "keyring:anthropic").source == "the system's keyring"


def test_a_keyring_that_is_locked_is_a_remark_and_the_search_goes_on(tmp_path, memory_keyring, colab, monkeypatch):
    def locked(service, username):
        raise KeyringLocked("Failed to unlock the collection!")

    monkeypatch.setattr(memory_keyring, "get_password", locked)
    colab.secrets[NAME] = "from-colab"
    keys = Keys(tmp_path, None)
    assert find(keys).value == "from-colab"
    assert keys.warnings == ["the system's keyring failed (KeyringLocked: Failed to unlock the collection!)"]
    assert "Failed to unlock" in keys.missing_key_message([NAME], "anthropic", "anthropic/some-model")
    with pytest.raises(bm.SetupError, match="KeyringLocked"):
        find(keys, f"keyring:{NAME}")


def test_a_keyring_that_never_answers_is_given_up_and_asked_again_once_it_has(tmp_path, memory_keyring, monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(memory_keyring, "get_password", lambda service, username: answer.wait(30) and "late-but-there")
    keys = Keys(tmp_path, None, wait_s=0.1)
    started = time.monotonic()
    assert find(keys) is None
    assert find(keys) is None
    assert time.monotonic() - started < 5
    assert "has still not answered" in keys.warnings[0]
    answer.set()
    key_sources._hanging_thread.join(10)
    assert find(keys).value == "late-but-there"
    assert keys.warnings == []


def test_an_encrypted_file_that_would_ask_for_its_password_is_not_asked(tmp_path):
    class EncryptedFile(MemoryKeyring):
        """As keyrings.alt does it: `keyring_key` is asked for in the terminal when it is first read."""

        @property
        def keyring_key(self):
            raise AssertionError("the terminal was asked")

        def get_password(self, service, username):
            return self.keyring_key

    keyring.set_keyring(EncryptedFile())
    keys = Keys(tmp_path, None)
    assert find(keys) is None
    assert keys.warnings == ["the system's keyring was not read, because it would ask for its password in the terminal"]


def test_a_desktop_keyring_that_is_locked_is_not_asked(tmp_path, monkeypatch):
    """The backend's own module name decides; its collection is asked whether it is locked, which shows no window."""

    class Collection:
        locked = True

        def __init__(self, bus):
            pass

        def is_locked(self):
            return self.locked

    secretstorage = types.ModuleType("secretstorage")
    secretstorage.dbus_init = lambda: types.SimpleNamespace(close=lambda: None)
    secretstorage.Collection = Collection
    monkeypatch.setitem(sys.modules, "secretstorage", secretstorage)
    desktop = type("Keyring", (MemoryKeyring,), {"__module__": "keyring.backends.SecretService"})()
    desktop.entries["buttermilk_nb", NAME] = "from-the-desktop"
    keyring.set_keyring(desktop)
    keys = Keys(tmp_path, None)
    assert find(keys) is None
    assert "is locked: unlock it" in keys.warnings[0]
    assert desktop.asked == []
    Collection.locked = False
    assert find(keys).value == "from-the-desktop"


def test_a_wallet_that_may_show_a_window_is_asked_only_where_it_is_named(tmp_path):
    wallet = type("DBusKeyring", (MemoryKeyring,), {"__module__": "keyring.backends.kwallet"})()
    wallet.entries["buttermilk_nb", NAME] = "from-the-wallet"
    keyring.set_keyring(wallet)
    keys = Keys(tmp_path, None)
    assert find(keys) is None
    assert "name it in buttermilk.yaml" in keys.warnings[0]
    assert wallet.asked == []
    assert find(keys, f"keyring:{NAME}").value == "from-the-wallet"


def test_colab_that_refuses_is_a_remark_or_a_sentence(tmp_path, colab):
    colab.secrets[NAME] = colab.NotebookAccessError(f"Notebook does not have access to secret {NAME}")
    keys = Keys(tmp_path, None)
    assert find(keys) is None
    assert "allow this notebook to read it" in keys.warnings[0]
    with pytest.raises(bm.SetupError, match="does not have access"):
        find(keys, f"colab:{NAME}")


def test_elsewhere_than_in_colab_naming_it_is_a_sentence(tmp_path):
    with pytest.raises(bm.SetupError, match="not Google Colab"):
        find(Keys(tmp_path, None), f"colab:{NAME}")


def secret_manager(secrets):
    """A client of Google's Secret Manager that holds these secrets; the real one cannot be reached from a test."""

    asked = []

    class Client:
        def access_secret_version(self, *, name, timeout):
            asked.append(name)
            if name not in secrets:
                raise PermissionError(f"403 Permission denied on resource {name}")
            return types.SimpleNamespace(payload=types.SimpleNamespace(data=secrets[name]))

    Client.asked = asked
    return Client


def test_a_secret_of_google_cloud_is_fetched_once(tmp_path, monkeypatch):
    client = secret_manager({"projects/p/secrets/s/versions/3": b"from-the-cloud\n"})
    monkeypatch.setattr(secretmanager, "SecretManagerServiceClient", client)
    keys = Keys(tmp_path, None)
    for _ in range(2):
        assert find(keys, "gcp:projects/p/secrets/s/versions/3").value == "from-the-cloud"
    assert client.asked == ["projects/p/secrets/s/versions/3"]


def test_without_a_version_the_newest_is_fetched(tmp_path, monkeypatch):
    client = secret_manager({"projects/p/secrets/s/versions/latest": b"the-newest"})
    monkeypatch.setattr(secretmanager, "SecretManagerServiceClient", client)
    assert find(Keys(tmp_path, None), "gcp:projects/p/secrets/s").value == "the-newest"


def test_a_secret_of_google_cloud_that_cannot_be_had_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(secretmanager, "SecretManagerServiceClient", secret_manager({}))
    keys = Keys(tmp_path, None)
    with pytest.raises(bm.SetupError, match="Permission denied on resource"):
        find(keys, "gcp:projects/p/secrets/s/versions/1")
    with pytest.raises(bm.SetupError, match="does not have the form"):
        find(keys, "gcp:my-secret")
    monkeypatch.setitem(sys.modules, "google.cloud.secretmanager", None)
    monkeypatch.delattr("google.cloud.secretmanager")
    with pytest.raises(bm.SetupError, match=r"pip install 'buttermilk-nb\[secrets\]'"):
        find(keys, "gcp:projects/p/secrets/s/versions/1")


def test_what_is_missing_is_one_sentence_with_every_way_to_mend_it(tmp_path):
    said = Keys(tmp_path, "keys.env").missing_key_message([NAME], "anthropic", "anthropic/some-model")
    assert said == (
        'model `anthropic/some-model` needs a key: bm.set_key("anthropic") asks for it and keeps it in memory; or set '
        "ANTHROPIC_API_KEY in the environment or in `keys.env`."
    )
    assert "`dotenv:` in buttermilk.yaml" in Keys(tmp_path, None).missing_key_message(
        [NAME], "anthropic", "anthropic/some-model"
    )


@pytest.mark.parametrize("provider", ["", "two words", "-", "sk-ant-api03-abcdef123456"])
def test_what_cannot_be_a_provider_is_refused(provider):
    with pytest.raises(bm.SetupError):
        key_variables(provider)


def test_a_provider_that_nobody_knows_has_a_variable_all_the_same():
    assert key_variables("my-own.Lab") == ("MY_OWN_LAB_API_KEY",)
