"""Find out whether a server read the whole prompt.

Some local servers and gateways cut a prompt to their window, and answer as if nothing had happened. They report how
many tokens they read, and no tokenizer makes fewer tokens than the words of a text, but for a few frequent pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..._internal.event_loop import process_text
from ...errors import PromptCutError
from ..message import Message

_LEAST_WORDS = 1_000  # the smallest usual window is 2,048 tokens
_TOKENS_A_WORD = 0.6
"""The fewest tokens a word. Tokenizers that join frequent pairs of words come near it, others have more than 1."""


async def check_prompt_was_read(name: str, messages: Sequence[Message], tokens_in: int | None) -> None:
    """Raise PromptCutError if a model read fewer tokens than the prompt must have.

    Parameters
    ----------
    name
        The model's name, for the message.
    messages
        The messages as sent.
    tokens_in
        Tokens that the server reports as read; None if it reports none, and then nothing is known.
    """
    if tokens_in is None:
        return
    n_characters = sum(len(message.content) for message in messages)
    n_words = await process_text(n_characters, _count_words, messages)
    if n_words > _LEAST_WORDS and tokens_in < n_words * _TOKENS_A_WORD:
        raise PromptCutError(
            f"`{name}` failed: its server read {tokens_in:,} tokens of a prompt of {n_words:,} words, so it cut the "
            "prompt to its window. Raise the window (Ollama: `params: {num_ctx: 32768}`; llama.cpp: `-c 32768`; vLLM: "
            "`--max-model-len 32768`), or cut the text into segments."
        )


def _count_words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)
