"""Batch APIs of providers: many requests at once, at half the price."""
