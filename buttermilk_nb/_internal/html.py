"""Builds HTML in which every value is escaped.

Every value goes through MarkupSafe, so a record can never add a tag. Colours come from JupyterLab's own variables with
fallbacks, so that the same fragment is readable in a light theme, in a dark theme and on an exported page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

# JupyterLab aligns the tables of results to the right; the class stands three times to win over that.
STYLE = Markup(
    "<style>.bmnb{font:13px/1.45 var(--jp-content-font-family,system-ui,sans-serif);"
    "color:var(--jp-content-font-color1,#1f2328);max-width:100%;overflow-x:auto}"
    ".bmnb table{border-collapse:collapse;margin:.3em 0}"
    ".bmnb.bmnb.bmnb table td,.bmnb.bmnb.bmnb table th{padding:.25em .7em;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--jp-border-color2,#d0d7de)}"
    ".bmnb table th{font-weight:600}"
    ".bmnb.bmnb.bmnb table td.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".bmnb .q{color:var(--jp-content-font-color2,#59636e)}"
    ".bmnb .t{font-weight:600;font-size:14px}</style>"
)


def fragment(*parts: str | Markup) -> str:
    """One styled block with these parts; plain strings are escaped."""
    return str(STYLE + Markup('<div class="bmnb">{}</div>').format(Markup("").join(parts)))


def title(text: str, note: str = "") -> Markup:
    """A heading with a muted note after it."""
    return Markup('<div><span class="t">{}</span> <span class="q">{}</span></div>').format(text, note)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> Markup:
    """A plain table with right-aligned numbers; everything is escaped.

    Examples
    --------
    >>> str(table(["a"], [["<b>"]]))
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    head = Markup("").join(Markup("<th>{}</th>").format(c) for c in columns)
    body = Markup("").join(Markup("<tr>{}</tr>").format(Markup("").join(_table_cell(v) for v in row)) for row in rows)
    foot = Markup('<div class="q">{}</div>').format(note) if note else Markup("")
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}").format(head, body, foot)


def _table_cell(value: object) -> Markup:
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
        return Markup('<td class="n">{}</td>').format(text)
    return Markup("<td>{}</td>").format("" if value is None else value)
