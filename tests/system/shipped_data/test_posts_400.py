"""The generated corpus: what the generator makes is what lies there, and what its datasheet says of it holds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from statistics import fmean

import pytest
from support.paths import DATA

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix
from buttermilk_nb.codebook.check_codes import code_problems
from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.corpus.load import load
from buttermilk_nb.corpus.near_duplicates import near_duplicates
from buttermilk_nb.llm.registry import make_model

FOLDER = DATA / "posts_400"
CODERS = ("ana", "ben", "chi")
TRUTH = json.loads((FOLDER / "truth.json").read_text("utf-8"))
SHEET = (FOLDER / "datasheet.md").read_text("utf-8")


@pytest.fixture(scope="module")
def posts():
    assert 'bm.load("data/posts_400/posts.jsonl", cluster="author")' in SHEET
    return load(FOLDER / "posts.jsonl", cluster="author")


def rows(posts, criterion):
    return [[post.labels.get(coder, {}).get(criterion) for coder in CODERS] for post in posts]


def test_making_it_again_gives_the_same_bytes_from_any_folder(tmp_path):
    command = [sys.executable, "-B", str(FOLDER / "generate.py"), str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, check=True)
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert made == {name: (FOLDER / name).read_bytes() for name in ("posts.jsonl", "truth.json")}


def test_it_is_small():
    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()) < 250_000


def test_the_lines_of_the_datasheet_load_it_with_clusters_truth_and_codes(posts):
    assert (len(posts), len(posts.rejected)) == (400, 0)
    sizes = Counter(post.cluster for post in posts)
    assert (len(sizes), min(sizes.values()), max(sizes.values())) == (60, 2, 14)
    assert {frozenset(post.ground_truth) for post in posts} == {frozenset({"hostile", "heat"})}
    assert {coder for post in posts for coder in post.labels} == set(CODERS)


def test_no_prompt_can_see_an_answer(posts):
    assert {frozenset(post.metadata) for post in posts} == {frozenset({"author", "issue", "week"})}


def test_the_codes_fit_the_criteria_that_they_are_for(posts):
    documents = [Criteria.from_file(DATA / "criteria" / f"{name}.md") for name in ("hostility", "tone")]
    assert code_problems(posts, documents) == []


def test_no_two_posts_are_nearly_the_same(posts):
    assert near_duplicates([post.content for post in posts]) == []


def test_the_truth_beside_it_is_that_of_the_posts(posts):
    table = Counter((p.metadata["issue"] == "ferry", p.ground_truth["hostile"]) for p in posts)
    out = TRUTH["hostile"]["came_out"]
    assert out["ferry [yes, no]"] == [table[True, "yes"], table[True, "no"]]
    assert out["others [yes, no]"] == [table[False, "yes"], table[False, "no"]]
    assert TRUTH["heat"]["came_out"] == {str(h): sum(p.ground_truth["heat"] == h for p in posts) for h in range(1, 6)}
    for author, facts in TRUTH["authors"].items():
        own = [post for post in posts if post.cluster == author]
        assert (facts["posts"], facts["hostile"]) == (len(own), sum(p.ground_truth["hostile"] == "yes" for p in own))


@pytest.mark.parametrize("coder", CODERS)
def test_each_coder_errs_and_leaves_out_about_as_declared(posts, coder):
    declared, out = (TRUTH["coders"][coder][part] for part in ("declared", "came_out"))
    pairs = Counter((p.ground_truth["hostile"], p.labels[coder]["hostile"]) for p in posts if coder in p.labels)
    assert out["hostile"] == {f"{t} coded {c}": pairs[t, c] for t in ("yes", "no") for c in ("yes", "no")}
    wanted = declared.get("over all authors", declared)
    assert out["sensitivity"] == pytest.approx(wanted["sensitivity"], abs=0.1)
    assert out["specificity"] == pytest.approx(wanted["specificity"], abs=0.02)
    assert out["heat"]["mean_error"] == pytest.approx(declared["bias"], abs=0.1)
    assert 0.09 < out["missing"] < 0.15


def test_chi_finds_more_hostility_where_there_is_none_in_authors_whom_chi_distrusts(posts):
    found = {True: [], False: []}
    for post in posts:
        if "chi" in post.labels and post.ground_truth["hostile"] == "no":
            found[post.cluster in TRUTH["distrusted_by_chi"]].append(post.labels["chi"]["hostile"] == "yes")
    assert fmean(found[True]) > 5 * fmean(found[False])


def test_the_rare_code_makes_agreement_high_and_alpha_low(posts):
    codes = ReliabilityMatrix.from_rows(rows(posts, "hostile"), "nominal", ["yes", "no"])
    names = ("percent_agreement", "gwet_ac1", "krippendorff_alpha")
    percent, ac1, alpha = (COEFFICIENTS[name].estimate(codes).item() for name in names)
    assert f"percent agreement {percent:.2f}, Gwet's AC1 {ac1:.2f}, Krippendorff's alpha {alpha:.2f}" in SHEET
    assert min(percent, ac1) > 0.9
    assert alpha < 0.6


@pytest.mark.parametrize("judge", ["offline/strict", "offline/lenient"])
def test_the_dictionary_is_an_imperfect_judge(posts, judge):
    criterion = next(iter(Criteria.from_file(DATA / "criteria" / "hostility.md")))
    model = make_model(judge)
    cells = Counter((p.ground_truth["hostile"], model.answer(p, criterion, 0)["answer"]) for p in posts)
    right, flagged, true = cells["yes", "yes"], cells["yes", "yes"] + cells["no", "yes"], 25
    accuracy = (right + cells["no", "no"]) / 400
    precision, recall = (f"{right / of:.2f} ({right} of {of})" for of in (flagged, true))
    assert f"| `{judge}` | {accuracy:.2f} | {precision} | {recall} |" in SHEET
    assert 0.3 < right / flagged < 0.7
    assert 0.5 < right / true < 0.8


def test_the_datasheet_says_what_came_out():
    for coder in CODERS:
        out = TRUTH["coders"][coder]["came_out"]
        cells = out["hostile"]
        hits, clear = cells["yes coded yes"], cells["no coded no"]
        assert f"{out['sensitivity']:.2f} ({hits} of {hits + cells['yes coded no']})" in SHEET
        assert f"{out['specificity']:.2f} ({clear} of {clear + cells['no coded yes']})" in SHEET
        assert f"{out['heat']['mean_error']:.2f} | {out['heat']['sd_of_error']:.2f} |" in SHEET
    hostile = TRUTH["hostile"]
    true, found = hostile["log_odds_ratio_over_authors"], hostile["came_out"]["log_odds_ratio"]
    assert f"| log odds ratio of ferry, over all authors | {true:.2f} | {found:.2f} |" in SHEET


def test_the_seed_is_the_first_that_suits(posts_generator):
    assert next(seed for seed in range(1, 100) if posts_generator.suits(seed)) == posts_generator.SEED


def test_other_seeds_give_other_corpora_of_the_same_population(posts_generator):
    shares = []
    for seed in range(1, 121):
        made = posts_generator.true_posts(seed, posts_generator.authors(seed))
        shares.append(fmean(post["ground_truth"]["hostile"] == "yes" for post in made))
    assert fmean(shares) == pytest.approx(TRUTH["hostile"]["rates_over_authors"]["all"], abs=0.005)
    assert len({posts_generator.made(seed)[0][0]["content"] for seed in (2, 3)}) == 2


def test_another_sentence_changes_no_truth_and_no_code(posts_generator, monkeypatch):
    before = [{**post, "content": ""} for post in posts_generator.made()[0]]
    monkeypatch.setitem(
        posts_generator.PARTS["says"], "1", ["Tide at {place}, {n} gulls.", *posts_generator.PARTS["says"]["1"]]
    )
    assert [{**post, "content": ""} for post in posts_generator.made()[0]] == before
