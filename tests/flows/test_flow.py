"""Flows as definitions: YAML, order, and what is refused before anything runs."""

import pytest
from support.study import corpus, desk, flow, judge, respect

import buttermilk_nb as bm
from buttermilk_nb import Flow, Step

YAML = """
name: study
steps:
- agent: judge
  name: judge
  models: [double/answer]
  criteria: words/respect.md
"""


@bm.agent(version="1")
def length(record):
    return len(record.content)


@bm.agent(version="1")
def doubled(record, inputs):
    return 2 * inputs["length"]


def files(folder):
    (folder / "words").mkdir()
    (folder / "words" / "respect.md").write_text(
        "---\nflag: no\ncues: {no: [vermin]}\n---\nIs the text respectful?", encoding="utf-8"
    )
    (folder / "words" / "read.md").write_text(
        "{{ criteria }} {{ record.content }} {{ answer_format }}", encoding="utf-8"
    )
    (folder / "flow.yaml").write_text(YAML, encoding="utf-8")
    return folder / "flow.yaml"


# --- round trips -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        lambda: flow(),
        lambda: flow(judge(desk(), ask="separately", replicates=3, params={"temperature": 0.5})),
        lambda: flow(judge(models=["offline/strict", "offline/lenient"], prompt="{{ record.content }} {{ criteria }}")),
        lambda: flow(length, Step(doubled, needs="length"), Step(judge(), needs=["length", "doubled"])),
        lambda: flow(judge([respect(), desk()])),
    ],
    ids=["plain", "settings", "prompt", "needs", "two documents"],
)
def test_a_flow_written_and_read_again_is_the_same(made):
    one = made()
    again = Flow.from_yaml(one.to_yaml())
    assert again.flow_hash == one.flow_hash
    assert again.to_yaml() == one.to_yaml()
    assert [step.needs for step in again.steps] == [step.needs for step in one.steps]


def test_a_flow_file_names_its_criteria_and_prompts_relative_to_itself(tmp_path, monkeypatch):
    study = tmp_path / "study"
    study.mkdir()
    read = Flow.from_yaml(files(study))
    assert [criterion.flag for criterion in read.steps[0].agent.criteria[0]] == ["no"]
    made = flow(judge(study / "words" / "respect.md", prompt=study / "words" / "read.md"))
    text = made.to_yaml(study / "written.yaml")
    assert "words/respect.md" in text
    assert "words/read.md" in text
    assert str(tmp_path) not in text
    monkeypatch.chdir(tmp_path / "study" / "words")
    assert Flow.from_yaml(study / "written.yaml").flow_hash == made.flow_hash


def test_criteria_that_lie_elsewhere_are_written_out(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    files(tmp_path)
    text = flow(judge(tmp_path / "words" / "respect.md")).to_yaml(study / "flow.yaml")
    assert "Is the text respectful?" in text
    assert str(tmp_path) not in text


def test_a_flow_without_a_name_is_called_after_its_file(tmp_path):
    files(tmp_path)
    (tmp_path / "tone.yaml").write_text(YAML.replace("name: study\n", ""), encoding="utf-8")
    assert Flow.from_yaml(tmp_path / "tone.yaml").name == "tone"


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps:", "stages:", "unknown key `stages`; did you mean `steps`"),
        ("agent: judge", "agent: juge", "there is no agent `juge`; did you mean `judge`"),
        ("models: [", "model: [", "step `judge`: unknown key `model`; did you mean `models`"),
        ("respect.md", "respct.md", "there is no file `.*respct.md`"),
        ("models: [double/answer]", "replicates: 0", "greater than or equal to 1"),
        ("models: [double/answer]", "replicates: many", "judge `judge`, replicates"),
        ("models: [double/answer]", "ask: both", "'together' or 'separately'"),
        ("- agent", "  agent", "has no `steps`"),
        ("name: study\n", "name: study\nname: other\n", "the key `name` occurs twice"),
        (
            "criteria: words/respect.md",
            "needs: nobody\n  criteria: words/respect.md",
            "needs `nobody`, which is not in",
        ),
    ],
)
def test_a_mistake_in_a_flow_file_is_one_setup_error(tmp_path, old, new, message):
    path = files(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(bm.SetupError, match=message):
        Flow.from_yaml(path)


def test_a_step_that_is_a_bare_word_is_answered_with_its_form():
    with pytest.raises(bm.SetupError, match="a step is a mapping with `agent` and `name`, not 'judge'"):
        Flow.from_yaml("name: f\nsteps:\n- judge\n")


@pytest.mark.parametrize("needs", ["3", "null", "true"])
def test_needs_that_are_no_names_are_a_setup_error(tmp_path, needs):
    path = files(tmp_path)
    path.write_text(YAML.replace("criteria:", f"needs: {needs}\n  criteria:"), encoding="utf-8")
    with pytest.raises(bm.SetupError, match="needs"):
        Flow.from_yaml(path)


def test_a_missing_flow_file_is_named(tmp_path):
    with pytest.raises(bm.SetupError, match="there is no file `nowhere.yaml`"):
        Flow.from_yaml("nowhere.yaml")


def test_a_function_that_is_not_defined_here_is_refused_and_never_looked_for():
    text = "name: f\nsteps:\n- agent: function\n  name: os.getcwd\n  function: os.getcwd\n"
    with pytest.raises(bm.SetupError, match="a file never runs code: define it with @bm.agent first"):
        Flow.from_yaml(text)


def test_a_function_written_for_another_version_is_refused():
    with pytest.raises(bm.SetupError, match="was written for version 0 of that function; here it is version 1"):
        Flow.from_yaml("name: f\nsteps:\n- agent: function\n  name: length\n  code_version: '0'\n")


def test_steps_stand_in_the_order_in_which_they_need_each_other():
    made = flow(Step(judge(), needs="doubled"), Step(doubled, needs="length"), length)
    assert [step.name for step in made.steps] == ["length", "doubled", "judge"]


def test_steps_that_need_each_other_in_a_circle_are_refused():
    with pytest.raises(bm.SetupError, match="`length`, `doubled` need each other in a circle"):
        flow(Step(length, needs="doubled"), Step(doubled, needs="length"))


def test_a_step_that_needs_itself_is_refused():
    with pytest.raises(bm.SetupError, match="circle"):
        flow(Step(length, needs="length"))


def test_two_steps_of_one_name_are_refused():
    with pytest.raises(bm.SetupError, match="two steps are called `judge`"):
        flow(judge(), judge(desk()))


def test_a_needed_step_that_is_misspelt_is_answered_with_the_nearest():
    with pytest.raises(bm.SetupError, match="needs `lenght`, which is not in the flow; did you mean `length`"):
        flow(length, Step(judge(), needs="lenght"))


@pytest.mark.parametrize("step", [len, "judge", None])
def test_a_step_that_is_no_agent_is_refused(step):
    with pytest.raises(bm.SetupError, match="a step needs an agent"):
        flow(step, step)


def test_a_flow_needs_a_name():
    with pytest.raises(bm.SetupError, match="a flow needs a name"):
        Flow(" ", [judge()])


@pytest.mark.parametrize("records", [[], None, 3, [object()]])
def test_a_flow_runs_over_texts_only(project, records):
    with pytest.raises(bm.SetupError, match="a flow (needs|got)"):
        flow().run(records)


# --- check -------------------------------------------------------------------------------------------


def test_a_check_reports_every_problem_at_once_and_sends_nothing(project):
    steps = flow(
        judge(name="blind", prompt="{{ criteria }} {{ answer_format }}"),
        judge(name="typo", prompt="{{ recrd.content }} {{ criteria }}"),
        judge(name="nowhere", models="offline/strct"),
        judge(name="elsewhere", models="antropic/claude-sonnet-4-5"),
        judge(name="good"),
    )
    with pytest.raises(bm.SetupError) as caught:
        steps.check(corpus(2, ground_truth={"respect": "hateful"}))
    said = str(caught.value)
    assert "never shows `record.content`" in said
    assert "undefined name `recrd`; did you mean `record`" in said
    assert "there is no model `offline/strct`; did you mean `offline/strict`" in said
    assert "there is no model family `antropic`" in said
    assert "the data has `hateful` (2)" in said
    assert said.startswith(f"{len(caught.value.problems)} problems, found before anything was sent:")
    assert project.client.sent == 0


def test_truth_outside_the_scale_is_listed_with_counts_and_a_line_to_paste(project):
    records = bm.load(
        [{"t": f"text {i}", "gold": "hateful" if i < 3 else "fine"} for i in range(5)],
        content="t", truth={"respect": "gold"},
    )  # fmt: skip
    with pytest.raises(bm.SetupError) as caught:
        flow().check(records)
    said = str(caught.value)
    assert "allows yes | no, but the data has `hateful` (3), `fine` (2)" in said
    line = said.partition("when loading: ")[2]
    assert line == "truth_values={'hateful': '...', 'fine': '...'}", "what a word means is for the researcher to say"
    mended = {}
    exec(line.replace("'...'", "'yes'", 1).replace("'...'", "'no'"), mended)
    again = bm.load(
        [{"t": f"text {i}", "gold": "hateful" if i < 3 else "fine"} for i in range(5)],
        content="t", truth={"respect": "gold"}, truth_values=mended["truth_values"],
    )  # fmt: skip
    assert flow().check(again).cells == 5


def test_a_template_that_one_record_cannot_fill_names_that_record(project):
    mixed = bm.Corpus(
        [bm.Record(record_id="a", content="x", title="T"), bm.Record(record_id="b", content="y", titel="T")]
    )
    prompt = "{{ record.metadata.title }} {{ record.content }} {{ criteria }} {{ answer_format }}"
    with pytest.raises(bm.SetupError, match=r"record `b`.*did you mean `titel`"):
        flow(judge(prompt=prompt)).check(mixed)


def test_a_check_counts_the_cells(project):
    grid = flow(judge(desk(), replicates=2), length).check(corpus(3))
    assert (grid.records, grid.cells, grid.slots) == (3, 9, {"judge": 2, "length": 1})
    assert repr(grid).startswith(
        "9 answers (3 records; judge: 2 per record, length: 1 per record). No problem was found."
    )


def test_replicates_of_a_deterministic_model_are_remarked_on(make_project):
    make_project("offline/strict")
    run = flow(judge(replicates=3)).run(corpus(1))
    assert "its 3 replicates measure nothing" in run.remarks[0]
    assert f"Note: {run.remarks[0]}" in repr(run)


def test_parameters_that_a_model_ignores_are_remarked_on(make_project):
    make_project("offline/strict")
    assert flow(judge(params={"temperature": 1})).check(corpus(1)).remarks == (
        "`offline/strict` ignores `temperature`.",
    )


# --- estimate ----------------------------------------------------------------------------------------


def test_an_estimate_counts_calls_and_what_is_cached_and_sends_nothing(project):
    made = flow(judge(desk(), replicates=2, ask="separately"))
    before = made.estimate(corpus(3))
    assert (before.calls, before.cached, before.new, before.cells) == (12, 0, 12, 6)
    assert (project.client.sent, len(project.cache)) == (0, 0)
    made.run(corpus(2))
    after = made.estimate(corpus(3))
    assert (after.calls, after.cached, after.new) == (12, 8, 4)
    assert made.estimate(corpus(3), limit=2).new == 0


def test_an_estimate_agrees_with_what_a_run_sends(make_project):
    project = make_project("double/answer", "double/refuse")
    expected = flow(judge([respect(), desk()])).estimate(corpus(4)).new
    flow(judge([respect(), desk()])).run(corpus(4))
    assert project.client.sent == expected == 16


def test_cells_that_read_other_steps_are_counted_apart(project):
    prompt = "{{ inputs.length }} {{ record.content }} {{ criteria }} {{ answer_format }}"
    found = flow(length, Step(judge(prompt=prompt), needs="length")).estimate(corpus(3))
    assert (found.calls, found.later) == (0, 3)
    assert "3 more answers depend on the outputs of other steps" in str(found)


# --- options of a run --------------------------------------------------------------------------------


def test_limit_takes_the_first_records(project):
    run = flow().run(corpus(5), limit=2)
    assert run.scores().record_id.tolist() == ["r0", "r1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "limit=0"),
        ({"concurrency": 0}, "concurrency=0"),
        ({"on_error": "ignore"}, "on_error='ignore': write `keep`"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_setup_error(project, options, message):
    with pytest.raises(bm.SetupError, match=message):
        flow().run(corpus(), **options)


def test_criteria_edited_between_runs_are_announced_and_make_new_cells(project, tmp_path):
    path = files(tmp_path)
    made = Flow.from_yaml(path)
    first = made.run(corpus(2))
    assert first.remarks == ()
    words = tmp_path / "words" / "respect.md"
    words.write_text(words.read_text(encoding="utf-8").replace("respectful", "courteous"), encoding="utf-8")
    second = made.run(corpus(2))
    assert "the criteria `respect` have changed since they were read" in second.remarks[0]
    assert "+Is the text courteous?" in second.remarks[0]
    assert project.client.sent == 4
    assert bm.sql("select count(distinct criteria_hash) as n from scores").n.item() == 2


def test_the_manifest_of_a_run_holds_the_criteria_that_were_asked(project, tmp_path):
    made = Flow.from_yaml(files(tmp_path))
    made.run(corpus(1))
    words = tmp_path / "words" / "respect.md"
    words.write_text(words.read_text(encoding="utf-8").replace("respectful", "courteous"), encoding="utf-8")
    made.run(corpus(1))
    runs = bm.sql("select flow_hash, manifest from runs order by started_at")
    assert "courteous" in runs.manifest.iloc[1]
    assert runs.flow_hash.nunique() == 2


def test_a_prompt_file_edited_between_runs_is_announced(project, tmp_path):
    files(tmp_path)
    prompt = tmp_path / "words" / "read.md"
    made = flow(judge(prompt=prompt))
    made.run(corpus(1))
    prompt.write_text("Read: " + prompt.read_text(encoding="utf-8"), encoding="utf-8")
    assert "the prompt `read` has changed" in made.run(corpus(1)).remarks[0]
    assert project.client.sent == 2


# --- a flow from elsewhere ---------------------------------------------------------------------------------------


SECRET = "password: hunter2hunter2"


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with a flow file of somebody else, beside a file of this user's own."""
    (tmp_path / "own.md").write_text(SECRET, encoding="utf-8")
    (tmp_path / "respect.md").write_text("---\nname: respect\n---\nIs it respectful?\n", encoding="utf-8")
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "link.md").symlink_to(tmp_path / "own.md")

    def write(field):
        (folder / "flow.yaml").write_text(
            f"name: f\nsteps:\n- agent: judge\n  name: j\n  models: [offline/strict]\n  {field}\n"
        )
        return folder / "flow.yaml"

    return write


@pytest.mark.parametrize(
    "field",
    [
        "criteria: ../own.md",
        "criteria: [../own.md]",
        "criteria: link.md",
        "criteria: {folder}/own.md",
        "criteria: {{name: a, text: b, path: ../own.md}}",
        "criteria: {{name: a, text: b, path: {folder}/own.md}}",
        "{{criteria: ../respect.md, prompt: ../own.md}}",
        "{{criteria: ../respect.md, prompt: link.md}}",
        "{{criteria: ../respect.md, prompt: {folder}/own.md}}",
        "{{criteria: ../respect.md, prompt: {{name: p, user: x, path: {folder}/own.md}}}}",
    ],
)
def test_a_flow_from_elsewhere_reads_no_file_of_the_user(elsewhere, offline_project, tmp_path, field):
    field = field.format(folder=tmp_path)
    lines = field.strip("{}").replace(", prompt:", "\n  prompt:") if field.startswith("{") else field
    path = elsewhere(lines + "}" * (lines.count("{") - lines.count("}")))
    with pytest.raises(bm.SetupError) as caught:
        Flow.from_yaml(path).run(bm.Corpus([bm.Record(record_id="a", content="A text.")]))
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(bm.sql("select body from texts").body.tolist())


def test_criteria_beside_the_folder_of_a_flow_are_read_if_they_begin_as_criteria_do(elsewhere):
    flow = Flow.from_yaml(elsewhere("criteria: ../respect.md"))
    assert flow.steps[0].agent.criteria[0].name == "respect"
