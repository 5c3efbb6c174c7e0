"""The data statement: what an ethics board asks before a run, told truly and without sending anything."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys

import pytest
from support.study import corpus, flow, judge, respect

import buttermilk_nb as bm
from buttermilk_nb.flows.data_statement.data_statement import data_statement
from buttermilk_nb.flows.data_statement.provider_terms import TERMS

FAR = "anthropic/claude-sonnet-4-5"


def section(statement, title):
    """The lines below one heading."""
    found = re.search(rf"^## {title}\n\n(.*?)(?=^## |\Z)", statement.text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def test_an_offline_study_says_that_no_text_leaves(make_project):
    make_project("offline/strict")
    found = data_statement(flow(), corpus(3))
    assert "**No text leaves**" in section(found, "Summary")
    assert "The corpus has 3 records. No record is marked `local_only`." in section(found, "Summary")
    assert (
        "| `offline/strict` | `offline` | in this program; not a language model | consent is not needed |" in found.text
    )
    assert "## What the providers do with the texts" not in found.text


def test_it_says_which_texts_leave_and_how_many_stay(make_project):
    make_project(FAR)
    mixed = bm.Corpus([*corpus(2).records, bm.Record(record_id="mine", content="Between us.", local_only=True)])
    found = data_statement(flow(replicates=3), mixed)
    characters = sum(len(record.content) for record in mixed if not record.local_only)
    assert f"{characters} characters of text, from 2 of 3 records, would be sent." in section(found, "Which texts")
    assert "sent to remote models 3 times" in section(found, "Which texts")
    assert "The corpus has 3 records. 1 record is marked `local_only` and never sent" in section(found, "Summary")


def test_it_says_what_each_prompt_shows_of_a_record(make_project):
    make_project(FAR)
    rich = bm.Corpus([bm.Record(record_id="a", content="x", title="t", author="someone")])
    title = judge(
        name="title", prompt="{{ criteria }}{{ record.content }}{{ record.metadata.title }}{{ answer_format }}"
    )
    whole = judge(name="whole", prompt="{{ criteria }}{{ record.content }}{{ record.metadata }}{{ answer_format }}")
    gist = bm.Step(bm.Agent("gist", prompt="In short: {{ inputs.title }}", models=FAR), needs="title")
    text = section(data_statement(bm.Flow("study", [title, whole, gist]), rich), "Which texts")
    assert "Step `title` shows from each record: the text and `metadata.title`." in text
    assert "Step `whole` shows from each record: the text and all its metadata (`author` and `title`)." in text
    assert "Step `gist` shows from each record: the answers of `title`, which may quote the text." in text


def test_a_program_of_the_researchers_own_is_not_vouched_for(make_project):
    @bm.agent(version="1")
    def phone_home(record):
        return None

    make_project("offline/strict")
    assert (
        "Step `phone_home` is not a prompt, but the researchers' own code"
        in data_statement(flow(phone_home), corpus()).text
    )


def test_images_count_where_they_are_shown(make_project, tmp_path):
    from PIL import Image as Picture

    Picture.new("RGB", (4, 4)).save(tmp_path / "x.png")
    make_project(FAR)
    pictured = bm.Corpus([bm.Record(record_id="a", content="x", images=[bm.Image.from_file(tmp_path / "x.png")])])
    assert "1 character of text and 1 image, from" in data_statement(flow(), pictured).text
    assert "1 image" not in data_statement(flow(), corpus()).text


def test_who_has_not_been_allowed_is_named_with_the_line_that_allows_it(make_project):
    project = make_project(FAR, "openai/gpt-4o")
    project.allow("openai")
    found = data_statement(flow(), corpus())
    assert "There is no consent for `anthropic` yet" in section(found, "Summary")
    assert '`bm.allow("anthropic")`' in section(found, "Summary")
    assert f"| `{FAR}` | `anthropic` | remote, at the provider's own address | not yet |" in found.text
    assert "| `openai/gpt-4o` | `openai` | remote, at the provider's own address | yes, allowed |" in found.text


def test_a_project_that_stays_local_says_so_although_it_names_remote_models(make_project):
    make_project(FAR, local_only=True)
    found = data_statement(flow(), corpus())
    assert "the project is `local_only`, so its remote models are refused" in section(found, "Summary")
    assert "characters of text" not in found.text
    assert "no: the project is `local_only`" in section(found, "Recipients")


def test_models_that_are_asked_where_others_fail_belong_to_it_too(make_project):
    make_project("offline/strict")
    found = data_statement(flow(fallback=["openai/gpt-4o"]), corpus())
    assert "**Texts leave this machine**, to `openai`." in found.text
    assert "only where another model fails" in found.text


def test_an_address_is_shown_without_the_password_in_it(make_project):
    make_project(
        "far",
        settings="models: {far: {model: hosted_vllm/toy, "
        "api_base: 'https://me:planted-pass@gpu.example:8443/v1?key=planted-too'}}",
    )
    found = data_statement()
    assert "remote, at `https://gpu.example:8443`" in found.text
    assert "`hosted_vllm` at `https://gpu.example:8443`: ask the operator of the server." in found.text
    assert "planted" not in found.text


def test_a_server_on_this_machine_and_one_of_ones_own_are_told_apart(make_project):
    make_project(
        "near",
        "own",
        settings="models: {near: {model: ollama_chat/toy}, "
        "own: {model: hosted_vllm/toy, api_base: 'http://gpu.example/v1', local: true}}",
    )
    found = section(data_statement(), "Recipients")
    assert "| `near` (`ollama_chat/toy`) | `ollama_chat` | on this machine, at `http://localhost:11434` |" in found
    assert "on the study's own server, at `http://gpu.example` | consent is not needed |" in found
    assert "`local: false`" in found, "a server that passes texts on is the researcher's to know"


def test_redaction_is_described_and_its_absence_too(make_project):
    make_project(FAR, settings="redact: {phone: '\\d+', name: 'Ann'}")
    assert "placeholders replace these parts: `phone` and `name`." in data_statement(flow(), corpus()).text
    bm.init("bare", path="bare", models=[FAR])
    assert "Texts are sent without redaction" in data_statement(flow(), corpus()).text


def test_the_terms_of_a_known_provider_are_linked_and_others_are_to_be_looked_for(make_project):
    make_project(FAR, "openrouter/some/model", "databricks/model")
    found = section(data_statement(), "What the providers do with the texts")
    assert f"- `anthropic`: <{TERMS['anthropic']}>\n" in found
    assert "- `databricks`: look for the terms of its API." in found
    assert "It passes texts on to other companies" in found
    for word in ("training", "retention", "region", "agreements"):
        assert f"**{word}**" in found
    assert not re.search(r"\d+ (days|months)", found), "no figure is claimed"


@pytest.mark.parametrize("address", sorted(set(TERMS.values())))
def test_every_address_in_the_table_is_one(address):
    assert re.fullmatch(r"https://[a-z0-9.-]+/[\w./-]*", address)


def test_without_a_flow_it_is_about_all_sets_those_with_vectors_too(make_project):
    make_project("offline/strict", settings="sets: {judges: [], cheap: [openai/gpt-4o], near: [offline/hashing]}")
    found = data_statement()
    assert "no flow is named" in found.text
    assert [line.split("`")[1] for line in section(found, "Recipients").splitlines() if line.startswith("| `")] == [
        "offline/strict", "openai/gpt-4o", "offline/hashing",
    ]  # fmt: skip


def test_the_same_study_gives_the_same_statement_and_a_date_is_written_where_it_is_given(make_project):
    make_project(FAR)
    assert repr(data_statement(flow(), corpus())) == repr(data_statement(flow(), corpus()))
    assert "Date:" not in data_statement().text
    assert "\nDate: 2026-11-20\n" in data_statement(date=dt.date(2026, 11, 20)).text


def test_it_names_no_folder_of_this_machine(make_project, tmp_path):
    make_project(FAR)
    assert str(tmp_path) not in data_statement(flow(), corpus()).text


HOSTILE = "x`](javascript:1) | <img src=y onerror=z> $a$ \n# top\u202e"


def test_hostile_names_stay_names(make_project):
    make_project("a|b`<c>", settings="models: {'a|b`<c>': {model: openai/gpt-4o}}\nredact: {'`**<b>': 'x'}")
    record = bm.Record(record_id="a", content="x", metadata={HOSTILE: 1})
    whole = judge(name=HOSTILE, prompt="{{ criteria }}{{ record.content }}{{ record.metadata }}{{ answer_format }}")
    text = data_statement(bm.Flow(HOSTILE, [whole]), bm.Corpus([record]), date="<script>").text
    outside = re.sub(r"`[^`\n]*`", "", text)
    assert not re.search(r"<(?!https://)", outside)
    assert "javascript" not in outside
    assert "$" not in outside
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# Data statement: `test`"]
    assert "\u202e" not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {5}


def test_a_notebook_shows_it_as_a_page_and_it_can_be_written_to_a_file(make_project, tmp_path):
    make_project(FAR)
    found = data_statement(flow(), corpus())
    assert found._repr_markdown_() == repr(found) == found.text
    assert found.to_markdown(tmp_path / "statement.md").read_text(encoding="utf-8") == found.text
    with pytest.raises(bm.SetupError, match="cannot be written"):
        found.to_markdown(tmp_path / "no" / "such" / "folder.md")


def test_it_is_no_longer_than_two_pages(make_project):
    make_project(FAR, "openai/gpt-4o", "offline/strict", "ollama_chat/toy")
    assert len(data_statement(flow(), corpus()).text.split()) < 1_000


def test_what_is_no_corpus_is_one_sentence(make_project):
    make_project(FAR)
    with pytest.raises(bm.SetupError, match="a data statement needs a Corpus, not list"):
        data_statement(flow(), [{"text": "x"}])
    with pytest.raises(bm.SetupError, match="there is no model `offline/strickt`"):
        data_statement(flow(models="offline/strickt"), corpus())


def test_nothing_is_sent_for_it_and_no_server_is_asked(tmp_path):
    code = f"""
import json, socket
asked = []
def refuse(*args, **kwargs):
    asked.append(args)
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
import buttermilk_nb as bm
from buttermilk_nb.flows.data_statement.data_statement import data_statement
bm.init("far", path="far", models=[{FAR!r}, "ollama_chat/toy"])
calm = bm.Criteria("calm", "Is it calm?", flag="no")
found = data_statement(bm.Flow("f", [bm.Judge("judge", criteria=calm)]), bm.load([{{"t": "x"}}], content="t"))
print(json.dumps([len(asked), "anthropic" in found.text]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, True]


def test_respect_is_asked_of_nobody(make_project):
    """The criteria of the flow are read, and no call is made."""
    project = make_project("double/answer")
    data_statement(flow(criteria=respect()), corpus())
    assert project.client.sent == 0
    assert bm.sql("select count(*) as n from runs").n.item() == 0
