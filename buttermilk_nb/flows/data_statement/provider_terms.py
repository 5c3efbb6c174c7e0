"""The web addresses of providers' terms, as of the release of this version.

The table only has addresses and not the terms themselves, because terms change and depend on the contract.
"""

from __future__ import annotations

_GOOGLE = "https://ai.google.dev/gemini-api/terms"
_VERTEX = "https://cloud.google.com/vertex-ai/generative-ai/docs/data-governance"
_COHERE = "https://cohere.com/privacy"

TERMS = {
    "anthropic": "https://www.anthropic.com/legal/commercial-terms",
    "azure": "https://learn.microsoft.com/en-us/legal/cognitive-services/openai/data-privacy",
    "bedrock": "https://docs.aws.amazon.com/bedrock/latest/userguide/data-protection.html",
    "cohere": _COHERE,
    "cohere_chat": _COHERE,
    "deepseek": "https://cdn.deepseek.com/policies/en-US/deepseek-privacy-policy.html",
    "fireworks_ai": "https://fireworks.ai/privacy-policy",
    "gemini": _GOOGLE,
    "google": _GOOGLE,
    "groq": "https://groq.com/privacy-policy/",
    "huggingface": "https://huggingface.co/privacy",
    "mistral": "https://mistral.ai/terms/",
    "openai": "https://platform.openai.com/docs/guides/your-data",
    "openrouter": "https://openrouter.ai/privacy",
    "perplexity": "https://www.perplexity.ai/hub/legal/perplexity-api-terms-of-service",
    "together_ai": "https://www.together.ai/privacy",
    "vertex_ai": _VERTEX,
    "xai": "https://x.ai/legal/privacy-policy",
}
"""The address of a provider's terms, by the first part of a model's full name."""

RELAYS = frozenset({"huggingface", "litellm_proxy", "openrouter"})
"""Providers that pass texts on to other companies, which run the models."""
