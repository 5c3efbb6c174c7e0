"""Runs through the batch APIs of providers."""
