"""A small study that is asked at the batch server, which the tests of batches share."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm

DIRECT_USD = 1000 * 3e-6 + 100 * 15e-6
"""What the server's answers cost when they are asked directly, at the prices in `SETTINGS`."""
SETTINGS = """
backoff_s: {backoff_s}
backoff_max_s: {backoff_max_s}
allow: {allow}
budget_usd: {budget_usd}
grace_s: {grace_s}
retries: 2
models:
  gpt: {{model: openai/toy, api_base: "{root}/v1", served_as: here, local: false, prices: {{input: 3, output: 15}}}}
  claude: {{model: anthropic/toy, api_base: "{root}", served_as: here, local: false, prices: {{input: 3, output: 15}}}}
"""
USUAL = {"backoff_s": 0.02, "backoff_max_s": 0.1, "allow": "[127.0.0.1]", "budget_usd": 100, "grace_s": 20}
CALM = bm.Criteria("calm", "Is the text calm?", flag="no")
BOTH = pytest.mark.parametrize("model", ["gpt", "claude"])


def texts(n=4):
    """Texts r000, r001, ...; they hold what some take for the end of a line."""
    rows = [{"id": f"r{i:03d}", "text": f"Text number {i}, «ä»\u2028判."} for i in range(n)]
    return bm.load(rows, content="text", record_id="id")


def judging(model="gpt", **fields):
    """A flow that puts one question to a model."""
    return bm.Flow("batched", [bm.Judge("judge", criteria=CALM, models=model, **fields)])
