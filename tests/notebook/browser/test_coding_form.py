"""A person codes three texts in a real notebook, by keys and clicks; what the Store then holds is what they said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.browser

TEXTS = [
    ("a1", "The mayor 🎭 called them <b>riff-raff</b>, and nobody\r\nin the hall laughed."),
    ("a2", "=SUM(1) is how the report begins; the rest of it is calm and dull."),
    ("a3", "<script>window.__hacked = true</script> They spoke for an hour, and both sides listened."),
]
CRITERIA = """criteria = bm.Criteria('tone', 'How a report speaks of people.', criteria={
    'respect': {'question': 'Does the report treat people with respect?', 'flag': 'no',
                'definition': 'Respect is owed to everybody the report names.',
                'include': ['names that people would not use of themselves'], 'non_answers': ['cannot tell']},
    'heat': {'question': 'How heated is it?',
             'scale': {'kind': 'likert', 'low': 1, 'high': 5, 'labels': {1: 'calm', 5: 'furious'}}},
})"""


def beginning(project: str) -> list[str]:
    """The first cells: a project, the texts, the criteria."""
    return [
        f"%load_ext buttermilk_nb\nimport buttermilk_nb as bm\nbm.init({project!r}, models=['offline/strict'])",
        f"texts = bm.load([{{'id': i, 'text': t}} for i, t in {TEXTS!r}], content='text', record_id='id')",
        CRITERIA,
    ]


def _select(page, words: str) -> None:
    """Select words in the text, as a mouse does."""
    page.evaluate(
        """words => {
          const root = document.querySelector('.bmnb-c .text');
          const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const at = node.data.indexOf(words);
            if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + words.length);
          }
          throw new Error('not in the text: ' + words);
        }""",
        words,
    )


def _pressed(page, text: str) -> None:
    page.wait_for_function(
        "text => [...document.querySelectorAll('.bmnb-c .answer[aria-pressed=true]')]"
        ".map(b => b.lastChild.textContent).join(', ') === text",
        arg=text,
    )


def _line(page, start: str) -> None:
    page.wait_for_function("start => document.querySelector('.bmnb-c .line')?.textContent.startsWith(start)", arg=start)


def _kept(page, store: Path, reason: str) -> None:
    """Wait until a reason is on disk; the kernel may have the file meanwhile."""
    for _ in range(600):
        try:
            with duckdb.connect(str(store), read_only=True) as con:
                if con.execute("select 1 from labels where list_contains(reasons, ?)", [reason]).fetchone():
                    return
        except duckdb.IOException:
            pass
        page.wait_for_timeout(50)
    pytest.fail(f"{reason!r} was not kept within 30 s")


def test_three_texts_are_coded_by_keys_and_clicks(lab):
    path = lab.write_notebook(
        "coding.ipynb",
        *beginning("coding"),
        "bm.coding_form(texts, criteria=criteria, coder='kf', order='corpus')",
    )
    lab.open(path)
    lab.run_all()
    assert lab.errors() == []
    page = lab.page
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    form = page.locator(".bmnb-c")
    form.scroll_into_view_if_needed()
    assert "riff-raff" in page.locator(".bmnb-c .text").inner_text()
    assert page.locator(".bmnb-c .text b").count() == 0, "a text is never HTML"
    lab.screenshot("c1-opened")

    # the first: respect by its key, a mark, a reason; heat wrongly, undone, and again
    form.focus()
    page.keyboard.press("2")
    _pressed(page, "no")
    page.locator(".bmnb-c .card").first.click(position={"x": 5, "y": 5})
    _select(page, "riff-raff")
    page.get_by_role("button", name="Mark selection").click()
    page.wait_for_selector(".bmnb-c mark")
    assert page.locator(".bmnb-c mark").inner_text() == "riff-raff"
    page.keyboard.press("r")
    page.keyboard.type("A name that nobody gives themselves, 2 of 2.")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("1")
    _pressed(page, "no, 1 calm")
    page.keyboard.press("u")
    _pressed(page, "no")
    page.keyboard.press("4")
    _pressed(page, "no, 4")
    lab.screenshot("c2-coded")

    # the second: skipped; the third: by clicks
    page.keyboard.press("ArrowRight")
    _line(page, "text 2 of 3 · 1 coded")
    page.keyboard.press("s")
    _line(page, "text 3 of 3 · 1 coded · 1 skipped · 1 left")
    page.get_by_role("button", name="yes", exact=False).first.click()
    _pressed(page, "yes")
    page.keyboard.press("r")
    page.keyboard.type("Both sides speak.")
    page.locator(".bmnb-c .answer").filter(has_text="5 furious").hover()
    page.mouse.down()  # what was typed is kept now, and nothing may move under the mouse
    store = lab.folder / "notebooks" / "coding" / "traces.duckdb"
    _kept(page, store, "Both sides speak.")
    assert "waiting" in form.get_attribute("class")
    page.mouse.up()
    _pressed(page, "yes, 5 furious")
    assert "All 3 texts are done" in page.locator(".bmnb-c .status").inner_text()
    page.keyboard.press("?")
    page.wait_for_selector(".bmnb-c .help:not([hidden])")
    lab.screenshot("c3-finished")
    assert page.evaluate("() => window.__hacked") is None
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells, "the notebook takes none of the keys"

    expected = {
        ("a1", "respect"): ("no", "coded"),
        ("a1", "heat"): ("4", "coded"),
        ("a2", "respect"): (None, "skipped"),
        ("a2", "heat"): (None, "skipped"),
        ("a3", "respect"): ("yes", "coded"),
        ("a3", "heat"): ("5", "coded"),
    }
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download my codes").click()
    assert caught.value.suggested_filename == "codes_tone_kf.csv"
    rows = list(csv.DictReader(io.StringIO(Path(caught.value.path()).read_text("utf-8-sig"), newline="")))
    found = {(row["record_id"], row["criterion"]): (row["category"] or None, row["status"]) for row in rows}
    assert found == expected

    with duckdb.connect(str(store), read_only=True) as con:
        kept = con.execute(
            "select record_id, criterion, category, status, reasons, quotes, blind, seconds > 0 from latest_labels"
        ).fetchall()
        withdrawn = con.execute("select criterion from labels where status = 'withdrawn'").fetchall()
    assert {row[:2]: row[2:4] for row in kept} == expected
    assert [row[4] for row in kept if row[:2] == ("a3", "respect")] == [["Both sides speak."]]
    (respect,) = [row for row in kept if row[:2] == ("a1", "respect")]
    assert respect[4] == ["A name that nobody gives themselves, 2 of 2."]
    start = TEXTS[0][1].index("riff-raff")
    assert respect[5] == f'[{{"end":{start + 9},"start":{start},"text":"riff-raff"}}]'
    assert respect[6:] == (True, True)
    assert withdrawn == [("heat",)]


SIDE_BY_SIDE = """import pandas as pd
from buttermilk_nb.analysis.frames.side_by_side import SideBySide
told = {'criteria_set': 'calm', 'step': 'd', 'reader': 'x', 'reader_replicate': 0}
topics = {'the door': ['slammed', 'closed'], 'the voice': ['loud', 'calm']}
held = [{**told, 'topic': topic, 'position': position, 'judge': 'judge', 'model': 'a/b', 'replicate': 0}
        for topic, positions in topics.items() for position in positions]
columns = ['judge', 'model', 'replicate', 'criteria_set', 'criterion', 'reasons']
SideBySide('r', 'A text.', pd.DataFrame(columns=columns), pd.DataFrame(held),
           pd.DataFrame([{**told, 'conclusion': 'They diverge.'}]))"""


def test_what_is_typed_when_the_tab_closes_is_kept(lab):
    path = lab.write_notebook(
        "closing.ipynb",
        *beginning("closing"),
        "bm.coding_form(texts, criteria=criteria, coder='kf', order='corpus')",
    )
    with lab.new_tab() as tab:
        tab.open(path)
        tab.run_all()
        tab.page.locator(".bmnb-c").focus()
        tab.page.keyboard.press("2")
        _pressed(tab.page, "no")
        tab.page.keyboard.press("r")
        tab.page.keyboard.insert_text("Half a sentence")
    _kept(lab.page, lab.folder / "notebooks" / "closing" / "traces.duckdb", "Half a sentence")


CONTRASTS = """root => {
  const size = {width: 1, height: 1};
  const canvas = Object.assign(document.createElement('canvas'), size).getContext('2d', {willReadFrequently: true});
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = c => {
    const [r, g, b] = c.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = {};
  for (const node of document.querySelectorAll(root + ' *')) {
    const text = [...node.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('');
    if (!text || !node.checkVisibility({visibilityProperty: true}) || node.closest(':disabled')) continue;
    const chain = []; for (let n = node; n; n = n.parentElement) chain.unshift(getComputedStyle(n));
    let back = [255, 255, 255]; for (const style of chain) back = over(rgba(style.backgroundColor), back);
    const front = over(rgba(getComputedStyle(node).color), back);
    const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = Math.round(100 * (light + 0.05) / (dark + 0.05)) / 100;
    const name = node.tagName + '.' + node.className + ' ' + text.slice(0, 20);
    found[name] = Math.min(found[name] ?? 99, ratio);
  }
  return found;
}"""


def _faint(page, root):
    """Texts whose contrast is below 4.5, which is the least for readers with weak sight (WCAG 2.2, AA)."""
    found = page.evaluate(CONTRASTS, root)
    assert len(found) > 8
    return {name: ratio for name, ratio in found.items() if ratio < 4.5}


def test_what_is_typed_or_pressed_early_is_kept_and_everything_can_be_read(lab):
    path = lab.write_notebook(
        "early.ipynb",
        *beginning("early"),
        "calm = bm.Criteria('calm', 'Read it aloud first.', criteria={'respect': {'question': 'Does it sound calm?'}})",
        "bm.coding_form(texts, criteria=[criteria, calm], coder='kf', order='corpus')",
        "cues = bm.Criteria('calm', 'Is it calm?', flag='no', cues={'no': ['riff*', 'report']})\n"
        "bm.Flow('f', [bm.Judge('judge', criteria=cues)]).run(texts).explore()",
        SIDE_BY_SIDE,
    )
    lab.open(path)
    lab.run_all()
    assert lab.errors() == []
    page = lab.page
    form, store = page.locator(".bmnb-c"), lab.folder / "notebooks" / "early" / "traces.duckdb"
    form.scroll_into_view_if_needed()
    assert page.locator(".bmnb-c .criteria").all_inner_texts() == [
        "How a report speaks of people.",
        "Read it aloud first.",
    ]
    assert page.locator(".bmnb-c .document").all_inner_texts() == ["tone", "calm", "tone", "calm"]
    groups = page.locator(".bmnb-c .answers")
    assert groups.evaluate_all("nodes => nodes.map(n => n.role + ': ' + n.ariaLabel)") == [
        "group: Answers: Does the report treat people with respect?",
        "group: Answers: How heated is it?",
        "group: Answers: Does it sound calm?",
    ]
    assert page.get_by_role("button", name="no", exact=True).first.get_attribute("aria-keyshortcuts") == "2"

    # what is typed belongs to the question that was answered last, and is kept while the field is still open
    form.focus()
    page.keyboard.press("2")
    _pressed(page, "no")
    assert "How heated" in page.locator(".bmnb-c .card.focused .question").inner_text()
    assert "“tone: respect”" in page.get_by_role("button", name="Mark selection").inner_text()
    page.keyboard.press("r")
    page.keyboard.type("Riff-raff is no name.")
    _kept(page, store, "Riff-raff is no name.")
    assert page.evaluate("() => document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.press("Escape")
    with duckdb.connect(str(store), read_only=True) as con:
        kept = con.execute("select criterion from labels where len(reasons) > 0").fetchall()
    assert kept[-1:] == [("respect",)]

    # keys that come while the kernel is busy are not lost: next, 1 (yes), 3, 1 (yes), next, 2 (no), 5, 2 (no)
    page.evaluate("() => 0")
    page.keyboard.press("ArrowRight")
    for key in ("1", "3", "1", "ArrowRight", "2", "5", "2"):
        page.keyboard.press(key)
    _pressed(page, "no, 5 furious, no")
    _line(page, "text 3 of 3")
    page.wait_for_function("() => document.querySelector('.bmnb-c .status').textContent.includes('1 other text is')")
    lab.screenshot("c4-open-texts")
    page.get_by_role("button", name="Text 1", exact=True).click()
    _line(page, "text 1 of 3")
    with duckdb.connect(str(store), read_only=True) as con:
        query = "select record_id, criteria_set, criterion, category from latest_labels order by 1, 2 desc, 3"
        codes = con.execute(query).fetchall()
    assert codes == [
        ("a1", "tone", "respect", "no"),
        ("a2", "tone", "heat", "3"), ("a2", "tone", "respect", "yes"), ("a2", "calm", "respect", "yes"),
        ("a3", "tone", "heat", "5"), ("a3", "tone", "respect", "no"), ("a3", "calm", "respect", "no"),
    ]  # fmt: skip

    # the explorer keeps its place, and the notebook none of its keys
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    page.locator(".bmnb-x .cell").first.click()
    row = page.locator(".bmnb-x tbody tr").filter(has_text="a2")
    row.click()
    page.wait_for_function("() => document.querySelector('.bmnb-x h4 + .both')")
    assert page.evaluate("() => document.activeElement.textContent").startswith("a2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.bmnb-x .both').previousSibling.textContent.startsWith('a3')")
    assert page.evaluate("() => document.activeElement.textContent").startswith("a3")
    for key in ("x", "d", "d", "m", "b"):
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells

    # each position stands below its own topic
    places = page.locator(".bmnb .topic").evaluate_all(
        "nodes => nodes.flatMap(n => [n, ...n.querySelectorAll('li')].map(n => [n.childNodes[0].data.trim(), "
        "n.getBoundingClientRect().top, n.getBoundingClientRect().left]))"
    )
    assert [name for name, _, _ in places] == ["the door", "slammed", "closed", "the voice", "loud", "calm"]
    assert [top for _, top, _ in places] == sorted({top for _, top, _ in places})
    assert len({left for name, _, left in places if not name.startswith("the ")}) == 1

    for theme in ("light", "dark"):
        if theme == "dark":
            page.get_by_role("menuitem", name="Settings").click()
            page.get_by_text("Theme", exact=True).hover()
            page.get_by_text("JupyterLab Dark", exact=True).click()
            page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
            page.wait_for_selector("#jupyterlab-splash", state="detached")
        lab.screenshot(f"c5-{theme}")
        assert _faint(page, ".bmnb-c") == {}, theme
        assert _faint(page, ".bmnb-x") == {}, theme
