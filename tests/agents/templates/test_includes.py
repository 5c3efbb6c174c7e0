"""Prompt files that include others of their folder, and nothing else."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm

PART = "Be fair."


def prompt(folder, text, **parts):
    for name, part in parts.items():
        (folder / f"{name}.md").write_text(part, encoding="utf-8")
    (folder / "main.md").write_text(text, encoding="utf-8")
    return bm.Prompt.from_file(folder / "main.md")


@pytest.mark.parametrize("line", ['{% include "part.md" %}', "{%- include 'part.md' -%}", '{%  include  "part.md"  %}'])
def test_a_file_of_the_folder_is_put_in(tmp_path, line):
    made = prompt(tmp_path, f"## system\n{line}\n## user\n{{{{ record.content }}}}", part=f"{PART}\n")
    assert made.system == PART
    assert made.prompt_hash == bm.Prompt(system=PART, user="{{ record.content }}").prompt_hash


def test_parts_can_include_parts_and_change_the_prompt_when_they_change(tmp_path):
    made = prompt(tmp_path, '{% include "a.md" %} {{ record.content }}', a='A {% include "b.md" %}', b="B")
    assert made.user == "A B {{ record.content }}"
    (tmp_path / "b.md").write_text("C")
    assert made.reload().user == "A C {{ record.content }}"
    assert made.reload().prompt_hash != made.prompt_hash


def test_a_run_stores_the_whole_text(offline_project, tmp_path):
    made = prompt(tmp_path, '{% include "part.md" %} {{ record.content }}', part=PART)
    bm.Flow("study", [bm.Agent("gist", prompt=made, models="offline/strict")]).run(["A text."])
    assert PART in bm.sql("select body from texts where kind = 'prompt'").body.item()


@pytest.mark.parametrize(
    "name",
    ["../part.md", "sub/part.md", "/etc/hosts", ".env", "keys.env", "part", "", "a\\part.md", "..", "part.md/.."],
)
def test_no_other_file_is_read(tmp_path, name):
    (tmp_path / ".env").write_text("KEY=1")
    (tmp_path / "keys.env").write_text("KEY=1")
    with pytest.raises(bm.SetupError, match="must be a file in the same folder"):
        prompt(tmp_path, f'{{% include "{name}" %}}', part=PART)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.md").write_text("KEY=1")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "part.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(bm.SetupError, match="must be a file in the same folder"):
        prompt(tmp_path / "prompts", '{% include "part.md" %}')


@pytest.mark.parametrize(
    ("text", "parts", "message"),
    [
        ('{% include "prat.md" %}', {"part": PART}, "does not exist; did you mean `part.md`"),
        ('{% include "main.md" %}', {}, "main.md -> main.md include each other"),
        ('{% include "a.md" %}', {"a": '{% include "b.md" %}', "b": '{% include "a.md" %}'}, "include each other"),
        ("{% include record.content %}", {}, "uses `include` in a form that prompts do not have"),
        ('{% include "part.md" ignore missing %}', {"part": PART}, "in a form that prompts do not have"),
        ('{% import "part.md" as p %}', {"part": PART}, "uses `import`"),
        ('{% extends "part.md" %}', {"part": PART}, "uses `extends`"),
        ('{% include "a.md" %}' * 1000, {"a": "x" * 5000}, "more than 1,000,000 characters"),
        ('{% include "a.md" %}' * 50, {"a": '{% include "b.md" %}' * 50, "b": "y" * 1000}, "1,000,000 characters"),
    ],
)
def test_what_cannot_be_included_is_one_sentence(tmp_path, text, parts, message):
    with pytest.raises(bm.SetupError, match=message):
        prompt(tmp_path, text, **parts)


def test_a_template_in_code_includes_nothing(offline_project):
    with pytest.raises(bm.SetupError, match=r"from the folder of a prompt file, and this prompt is no file"):
        bm.Agent("gist", prompt='{% include "part.md" %}{{ record.content }}', models="offline/strict")
