"""Coding by people: labels, samples, coding sessions, spreadsheets, imports and adjudication."""
