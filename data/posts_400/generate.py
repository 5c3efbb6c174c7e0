"""Make this corpus: `python data/posts_400/generate.py [folder]` writes `posts.jsonl` and `truth.json`.

The truth comes first, then each coder's codes, then the words, each from a stream of random numbers of its own.
`made(seed)` gives other corpora of the same population, for simulations of coverage and power.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from pathlib import Path
from statistics import NormalDist, fmean, pstdev
from typing import Any

from writing import PARTS, Draws, Words

Post = dict[str, Any]

FERRY, OTHERS = "ferry", ("moorings", "orchards", "towers", "flats")
N, WEEKS, FEWEST, MOST = 400, 12, 2, 14

HOSTILE = {"intercept": -3.8, "ferry": 1.1, "week": 0.0, "author_sd": 1.0}
FERRY_SHARE = {"ferry authors": 0.75, "other authors": 0.3, "share of ferry authors": 1 / 3}
HEAT: dict[str, Any] = {"hostile": 1.3, "ferry": 0.3, "author_sd": 0.5, "noise_sd": 1.0, "cuts": [-0.5, 0.4, 1.1, 1.9]}
CODERS: dict[str, dict[str, Any]] = {
    "ana": {
        "sensitivity": 0.88,
        "specificity": 0.985,
        "bias": 0.0,
        "spread": 0.45,
        "missing": {"heat 1-3": 0.12, "heat 4-5": 0.12},
    },
    "ben": {
        "sensitivity": 0.76,
        "specificity": 0.965,
        "bias": 0.4,
        "spread": 0.6,
        "missing": {"heat 1-3": 0.14, "heat 4-5": 0.14},
    },
    "chi": {
        "sensitivity": 0.60,
        "specificity": 0.98,
        "bias": -0.2,
        "spread": 0.8,
        "missing": {"heat 1-3": 0.11, "heat 4-5": 0.22},
    },
}
DISTRUST: dict[str, Any] = {"coder": "chi", "authors": 12, "sensitivity": 0.90, "specificity": 0.80}
SEED = 1
RULE = "the first seed, from 1, with 22 to 26 hostile posts and a crude log odds ratio of ferry within 0.3 of the true"


def logistic(x: float) -> float:
    """The probability at log odds of `x`."""
    return 1 / (1 + math.exp(-x))


def risk(ferry: bool, effect: float) -> float:
    """The probability that a post is hostile, of an author with that effect."""
    return logistic(HOSTILE["intercept"] + HOSTILE["ferry"] * ferry + effect)


def marginal(ferry: bool) -> float:
    """The same over all authors."""
    steps = 2000
    return fmean(risk(ferry, NormalDist(0, HOSTILE["author_sd"]).inv_cdf((i + 0.5) / steps)) for i in range(steps))


def log_odds_ratio(a: float, b: float) -> float:
    """Of two shares."""
    return math.log(a / (1 - a)) - math.log(b / (1 - b))


def authors(seed: int) -> dict[str, dict[str, Any]]:
    """The authors: how many posts, how hostile, how heated, how fond of the ferry."""
    draw = Draws(seed, "authors")
    handles = PARTS["handles"]
    sizes = [FEWEST + int(draw.random() ** 1.6 * (MOST - FEWEST + 1)) for _ in handles]
    while sum(sizes) != N:
        i, step = int(draw.random() * len(sizes)), 1 if sum(sizes) < N else -1
        sizes[i] = min(MOST, max(FEWEST, sizes[i] + step))
    distrusted = set(draw.shuffled(handles)[: DISTRUST["authors"]])
    kinds = ("ferry authors", "other authors")
    return {
        handle: {
            "posts": size,
            "effect": round(draw.normal(HOSTILE["author_sd"]), 4),
            "temper": round(draw.normal(HEAT["author_sd"]), 4),
            "kind": kinds[not draw.chance(FERRY_SHARE["share of ferry authors"])],
            "distrusted": handle in distrusted,
            "lower_case": draw.chance(0.15),
            "emoji": draw.pick([0.0, 0.1, 0.5]),
        }
        for handle, size in zip(handles, sizes, strict=True)
    }


def true_posts(seed: int, people: dict[str, dict[str, Any]]) -> list[Post]:
    """Who posted what in which week, and what is true of it; in order of weeks."""
    draw = Draws(seed, "truth")
    posts: list[Post] = []
    for handle, person in people.items():
        for _ in range(person["posts"]):
            ferry = draw.chance(FERRY_SHARE[person["kind"]])
            issue, week = FERRY if ferry else draw.pick(OTHERS), 1 + int(draw.random() * WEEKS)
            hostile = draw.chance(risk(ferry, person["effect"]))
            felt = HEAT["hostile"] * hostile + HEAT["ferry"] * ferry + person["temper"] + draw.normal(HEAT["noise_sd"])
            heat = max(1 + hostile, 1 + sum(felt > cut for cut in HEAT["cuts"]))
            truth = {"hostile": "yes" if hostile else "no", "heat": heat}
            posts.append({"author": handle, "issue": issue, "week": week, "ground_truth": truth})
    posts = sorted(draw.shuffled(posts), key=lambda post: post["week"])
    return [{"record_id": f"s{i:03}", "content": "", **post} for i, post in enumerate(posts, 1)]


def codes(seed: int, coder: str, posts: list[Post], people: dict[str, dict[str, Any]]) -> list[Post | None]:
    """One coder's codes; None where the post was not coded. Errors do not look at the words."""
    draw, own = Draws(seed, coder), CODERS[coder]
    given: list[Post | None] = []
    for post in posts:
        truth = post["ground_truth"]
        other = coder == DISTRUST["coder"] and people[post["author"]]["distrusted"]
        error = DISTRUST if other else own
        hostile = draw.chance(error["sensitivity"] if truth["hostile"] == "yes" else 1 - error["specificity"])
        heat = min(5, max(1, math.floor(truth["heat"] + own["bias"] + draw.normal(own["spread"]) + 0.5)))
        coded = not draw.chance(own["missing"]["heat 4-5" if truth["heat"] >= 4 else "heat 1-3"])
        given.append({"hostile": "yes" if hostile else "no", "heat": heat} if coded else None)
    return given


def crude(posts: list[Post]) -> dict[str, Any]:
    """Hostile and other posts, on the ferry and not, and what a two-by-two table makes of them."""
    table = Counter((post["issue"] == FERRY, post["ground_truth"]["hostile"]) for post in posts)
    ferry, others = ([table[f, "yes"], table[f, "no"]] for f in (True, False))
    ratio = math.log(ferry[0] * others[1] / (ferry[1] * others[0])) if ferry[0] * others[0] else None
    return {"ferry [yes, no]": ferry, "others [yes, no]": others, "log_odds_ratio": ratio}


def suits(seed: int) -> bool:
    """Whether the truth from this seed lies as near to what was declared as `RULE` says."""
    found = crude(true_posts(seed, authors(seed)))
    hostile = found["ferry [yes, no]"][0] + found["others [yes, no]"][0]
    true = log_odds_ratio(marginal(True), marginal(False))
    return bool(22 <= hostile <= 26 and abs(found["log_odds_ratio"] - true) <= 0.3)


def coder_facts(coder: str, posts: list[Post], given: list[Post | None]) -> dict[str, Any]:
    """What was declared of a coder, and what came out."""
    pairs = [(post["ground_truth"], code) for post, code in zip(posts, given, strict=True) if code]
    cells = Counter((truth["hostile"], code["hostile"]) for truth, code in pairs)
    away = [code["heat"] - truth["heat"] for truth, code in pairs]
    declared = dict(CODERS[coder])
    if coder == DISTRUST["coder"]:
        share, more = (
            DISTRUST["authors"] / len(PARTS["handles"]),
            {k: DISTRUST[k] for k in ("sensitivity", "specificity")},
        )
        over_authors = {key: (1 - share) * declared[key] + share * more[key] for key in more}
        declared |= {"of posts by distrusted authors": more, "over all authors": over_authors}
    return {
        "declared": declared,
        "came_out": {
            "coded": len(pairs),
            "missing": 1 - len(pairs) / len(posts),
            "hostile": {f"{t} coded {c}": cells[t, c] for t in ("yes", "no") for c in ("yes", "no")},
            "sensitivity": cells["yes", "yes"] / (cells["yes", "yes"] + cells["yes", "no"]),
            "specificity": cells["no", "no"] / (cells["no", "no"] + cells["no", "yes"]),
            "heat": {"mean_error": fmean(away), "sd_of_error": pstdev(away), "exact": away.count(0) / len(away)},
        },
    }


def author_facts(person: dict[str, Any], posts: list[Post]) -> dict[str, Any]:
    """An author's true rates, and the posts that there are."""
    return {
        "posts": person["posts"],
        "hostile": sum(post["ground_truth"]["hostile"] == "yes" for post in posts),
        "effect": person["effect"],
        "rate_ferry": risk(True, person["effect"]),
        "rate_others": risk(False, person["effect"]),
        "temper": person["temper"],
        "kind": person["kind"],
    }


def made(seed: int = SEED) -> tuple[list[Post], dict[str, Any]]:
    """The posts, and the truth about them."""
    people = authors(seed)
    posts = true_posts(seed, people)
    given = {coder: codes(seed, coder, posts, people) for coder in CODERS}
    words, kinds = Words(seed), {}
    for i, post in enumerate(posts):
        post["content"], kinds[post["record_id"]] = words.write(post, people[post["author"]])
        post["labels"] = {coder: own[i] for coder, own in given.items() if own[i]}
    ferry_authors = FERRY_SHARE["share of ferry authors"]
    share = ferry_authors * FERRY_SHARE["ferry authors"] + (1 - ferry_authors) * FERRY_SHARE["other authors"]
    rates = {"ferry": marginal(True), "others": marginal(False)}
    truth = {
        "seed": seed,
        "seed_rule": RULE,
        "hostile": {
            "model": "log odds of yes = intercept + ferry * (issue is ferry) + week * week + author",
            "declared": HOSTILE,
            "rates_over_authors": rates | {"all": share * rates["ferry"] + (1 - share) * rates["others"]},
            "log_odds_ratio_over_authors": log_odds_ratio(*rates.values()),
            "came_out": {"share": sum(p["ground_truth"]["hostile"] == "yes" for p in posts) / N, **crude(posts)},
        },
        "heat": {
            "model": "1 + the number of cuts below hostile + ferry + author + noise; a hostile post has at least 2",
            "declared": HEAT,
            "came_out": {str(h): sum(post["ground_truth"]["heat"] == h for post in posts) for h in range(1, 6)},
        },
        "ferry_share": {"declared": FERRY_SHARE, "over_authors": share},
        "coders": {coder: coder_facts(coder, posts, own) for coder, own in given.items()},
        "distrusted_by_chi": [handle for handle, person in people.items() if person["distrusted"]],
        "kinds": {kind: [i for i in kinds if kinds[i] == kind] for kind in sorted({*kinds.values()} - {"ordinary"})},
        "authors": {h: author_facts(p, [post for post in posts if post["author"] == h]) for h, p in people.items()},
    }
    return posts, truth


def rounded(value: Any) -> Any:
    """The same with every number to four decimals, so that no last bit differs between machines."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def files(seed: int = SEED) -> dict[str, str]:
    """The text of each file."""
    posts, truth = made(seed)
    lines = [json.dumps(post, ensure_ascii=False) + "\n" for post in posts]
    return {
        "posts.jsonl": "".join(lines),
        "truth.json": json.dumps(rounded(truth), ensure_ascii=False, indent=1) + "\n",
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, text in files().items():
        (folder / name).write_bytes(text.encode("utf-8"))
