"""Criteria, their scales, and the checks of codes against them."""
