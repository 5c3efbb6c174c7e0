"""The published values of 39 reference cases, in ../shared/data/reliability.

Where a published value follows another convention than the coefficient of that name here, the case is in
`OTHER_CONVENTIONS`, with what it follows.
"""

from __future__ import annotations

import csv
import json
from functools import cache

import pytest
from support.paths import SHARED

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, Coefficient, ReliabilityMatrix, WeightedAlpha

FOLDER = SHARED / "reliability"

OTHER_CONVENTIONS = {
    # irrCAC prints as Fleiss' kappa what Gwet generalised to missing codes; Fleiss' own is refused there.
    "irrCAC_raw4raters_fleiss_kappa": COEFFICIENTS["fleiss_kappa_generalised"],
}
NAMES = {
    "light_kappa (mean pairwise Cohen)": ["light_kappa"],
    "cohen_kappa_weighted": ["cohen_kappa_linear"],
    "fleiss_kappa + randolph_free_marginal": ["fleiss_kappa", "brennan_prediger"],
}
PUBLISHED_KEYS = {"fleiss_kappa": "fleiss", "brennan_prediger": "randolph"}


@cache
def cases() -> dict[str, dict]:
    if not FOLDER.is_dir():
        return {}
    lines = (FOLDER / "reference_cases.jsonl").read_text(encoding="utf-8").splitlines()
    return {case["id"]: case for case in map(json.loads, lines)}


def case_of(name: str) -> dict:
    if name not in cases():
        pytest.skip("../shared/data/reliability is not here; it holds the published values of 39 reference cases")
    return cases()[name]


def table(name: str) -> list[dict[str, str]]:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"../shared/data/reliability/{name} is not here, and {name.partition('.')[0]} cases read it")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ratings(case: dict) -> tuple[list[list], list | None]:
    """Units x coders, and the declared categories."""
    data, orientation = case["data"], case["orientation"]
    if data == "irrCAC_cac.raw4raters.csv":  # the data of Krippendorff (1980), which the folder also has in full
        data, orientation = case_of("kripp1980_C_nominal")["data"], "raters x units"
    if orientation == "raters x units":
        return [list(unit) for unit in zip(*data, strict=True)], list(range(1, 6))
    if orientation == "units x categories counts":
        return [[k for k, n in enumerate(unit) for _ in range(n)] for unit in data], list(range(len(data[0])))
    if orientation == "contingency 2 raters":
        if isinstance(data, str):
            lines = table(data)
            data = [[int(cell) for cell in list(line.values())[-len(lines) :]] for line in lines]
        rows = [[a + 1, b + 1] for a, line in enumerate(data) for b, n in enumerate(line) for _ in range(n)]
        return rows, list(range(1, len(data) + 1))
    coders = [key for key in table(data)[0] if key.lower().startswith("rater")]
    return [[line[coder] for coder in coders] for line in table(data)], None


def coefficients(case: dict) -> list[tuple[Coefficient, float]]:
    published = case["published"]
    if case["id"] in OTHER_CONVENTIONS:
        return [(OTHER_CONVENTIONS[case["id"]], published["value"])]
    name, _, scheme = case["coefficient"].partition(":")
    if scheme:
        return [(WeightedAlpha(scheme=scheme), published["value"])]
    found = []
    for one in NAMES.get(name, [name]):
        value = (
            published.get("value", published.get(PUBLISHED_KEYS.get(one))) if isinstance(published, dict) else published
        )
        found.append((COEFFICIENTS[one], value))
    return found


def level_of(case: dict) -> str:
    scheme = case["coefficient"].startswith(("krippendorff_alpha_weighted", "cohen_kappa_weighted"))
    return "ordinal" if scheme else case["level"]


@pytest.mark.parametrize("name", cases() or ["every_case"])
def test_a_published_value_is_reproduced(name):
    case = case_of(name)
    rows, categories = ratings(case)
    if name == "diagnoses_cohen_r2_r3":
        rows = [row[1:3] for row in rows]
    codes = ReliabilityMatrix.from_rows(rows, level_of(case), categories)
    for coefficient, published in coefficients(case):
        assert coefficient.undefined_reason(codes) is None
        assert coefficient.estimate(codes)[0] == pytest.approx(published, abs=case["tolerance"])


def test_there_are_39_cases():
    case_of("kripp_wiki_nominal")
    assert len(cases()) == 39


def test_units_with_one_code_are_dropped_and_counted():
    rows, categories = ratings(case_of("kripp_wiki_nominal"))
    assert COEFFICIENTS["krippendorff_alpha"].sample_counts(
        ReliabilityMatrix.from_rows(rows, "nominal", categories)
    ) == (12, 26, 3)


def test_fleiss_own_kappa_is_refused_where_irrcac_prints_a_generalised_one():
    rows, categories = ratings(case_of("irrCAC_raw4raters_fleiss_kappa"))
    sentence = COEFFICIENTS["fleiss_kappa"].undefined_reason(ReliabilityMatrix.from_rows(rows, "nominal", categories))
    assert "equally many codes in every unit, and there are 1 to 4" in sentence


def test_ordinal_is_not_one_thing():
    rows, categories = ratings(case_of("kripp1980_C_ordinal"))
    alpha = COEFFICIENTS["krippendorff_alpha"]
    assert alpha.estimate(ReliabilityMatrix.from_rows(rows, "ordinal", categories))[0] == pytest.approx(0.815, abs=5e-4)
    assert WeightedAlpha(scheme="ordinal").estimate(ReliabilityMatrix.from_rows(rows, "ordinal", categories))[
        0
    ] == pytest.approx(0.834, abs=6e-4)
    words = dict(enumerate(["one", "two", "three", "four", "five"], 1))
    named = [[words.get(code) for code in unit] for unit in rows]
    alphabetical = alpha.estimate(ReliabilityMatrix.from_rows(named, "ordinal", sorted(words.values())))[0]
    assert alphabetical != pytest.approx(0.815, abs=0.02)
    assert alpha.estimate(ReliabilityMatrix.from_rows(named, "ordinal", list(words.values())))[0] == pytest.approx(
        0.815, abs=5e-4
    )
