"""Comparison of tables by the distribution of each column."""

from collections import Counter
from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.stats import ks_2samp

from skvae.tabular.reading import cells_of, columns_of, is_frame

__all__ = ["MarginalForm", "draw_marginals", "marginal_form"]

FEW = 12  # up to this many distinct integers, each has a bar
MOST_BARS = 8  # bars for text; all other values share one more bar
N_BINS = 24
WITHIN = (0.005, 0.995)  # quantiles that the bins of a histogram span
LETTERS = 14  # longest text next to a bar
OF_DATA = {"color": "0.6", "alpha": 0.6}
SIZE = (2.2, 1.75)  # inches, of one panel
IN_A_ROW = 3  # panels
A_DAY = 86_400 * 10**9  # nanoseconds


@dataclass(frozen=True, eq=False)
class MarginalForm:
    """How tables are drawn: one panel for each column, with the most different columns first.

    Attributes
    ----------
    names : list of str
        Names of the columns, in the order of the panels.
    columns : list of dict of {str: ndarray}
        For each column, its values in each table by name: numbers or text, without missing values.
    units : list of str
        For each column its unit: "date", "hours", "days", or "".
    differences : list of float
        For each column, the largest difference of a table from the first table, from 0 to 1. For
        numbers it is the Kolmogorov-Smirnov statistic: the largest difference of the distribution
        functions. For text it is the total variation: half the sum of the differences in shares.
    """

    names: list
    columns: list
    units: list
    differences: list
    image_shape = None

    def draw(self, panels):
        """Draw the first columns, one in each panel."""
        for panel, name, values, unit, difference in zip(
            panels, self.names, self.columns, self.units, self.differences, strict=False
        ):
            has_several = len(values) > 1
            panel.set_title(
                f"{name}  {difference:.2f}" if has_several else name, loc="left", size=9
            )
            panel.spines[["top", "right", "left"]].set_visible(False)
            panel.tick_params(labelsize=9)
            if _has_bars(values):
                _draw_bars(panel, values)
            else:
                _draw_histograms(panel, values, unit)

    def name_tables(self, place, panel):
        """Draw the legend of a panel into a figure or axes; for a single table there is none."""
        if len(self.columns[0]) < 2:
            return
        outside = {} if hasattr(place, "get_title") else {"loc": "outside upper left"}
        handles = panel.get_legend_handles_labels()
        place.legend(*handles, ncols=len(handles[0]), frameon=False, **outside)


def marginal_form(tables, names):
    """Return how to show tables with the same columns.

    Parameters
    ----------
    tables : dict of {DataFrame or ndarray} of shape (n_samples, n_features)
        The first table is the reference for the others.
    names : sequence
        Names of the columns.

    Returns
    -------
    MarginalForm
    """
    n_features = next(iter(tables.values())).shape[1]
    if len(names) != n_features:
        raise ValueError(
            f"feature_names must name {n_features} features. Got {len(names)} names instead. Give "
            f"one for each column of the rows."
        )
    found = []
    sources = [
        columns_of(table if is_frame(table) else np.asarray(table)) for table in tables.values()
    ]
    for name, *of_tables in zip(names, *sources, strict=True):
        cells = [cells_of(column, name) for column in of_tables]
        values = [_values(one) for one in cells]
        if any(one.dtype.kind == "U" for one in values):
            values = [_as_text(one) for one in values]
        first, *others = values
        difference = max((_difference(first, other) for other in others), default=0.0)
        by_table = dict(zip(tables, values, strict=True))
        found.append((str(name), by_table, _unit(cells[0].kind), difference))
    found.sort(key=lambda column: -column[-1])  # stable: equal columns keep their order
    return MarginalForm(*map(list, zip(*found, strict=True)))


def draw_marginals(display, ax, form, *, n_columns, n_features):
    """Draw the distributions of the columns that differ most, and a legend.

    Parameters
    ----------
    display : Display
    ax : Axes, sequence of these or None
        None creates a figure.
    form : MarginalForm
    n_columns : int or None
        Number of panels in a row. None means three.
    n_features : int
        Maximum number of columns to draw.
    """
    n_panels = min(n_features, len(form.names))
    n_columns = min(n_columns or IN_A_ROW, n_panels)
    size = (SIZE[0] * n_columns, SIZE[1] * ceil(n_panels / n_columns) + 0.3)
    panels = display._panels(ax, n_panels, n_columns, size=size)
    form.draw(panels)
    form.name_tables(display.figure_ if ax is None else panels[0], panels[0])


def _unit(kind):
    """Return the unit of the numbers of a kind of column."""
    times = {"date": "date", "naive": "date", "aware": "date"}
    counts = {"clock": "hours", "duration": "days", "period": "periods since 1970"}
    return (counts | times).get(kind, "")


def _values(cells):
    """Return values of cells as text or as floats; times are in days or hours."""
    if cells.kind == "levels":
        levels = cells.values.tolist()
        if levels and all(isinstance(level, int | float) for level in levels):
            return np.array(levels, dtype=np.float64)  # categories of numbers
        return np.array([str(level) for level in levels], dtype=str)
    values = np.asarray(cells.values, dtype=np.float64)
    if cells.kind == "clock":
        return values * cells.tick / (A_DAY / 24)
    if cells.kind == "period" or (cells.kind == "date" and cells.tick == 1):
        return values  # dates of Python, in days
    return values * (cells.tick / A_DAY) if _unit(cells.kind) else values


def _as_text(values):
    return values if values.dtype.kind == "U" else np.array([f"{value:g}" for value in values], str)


def _difference(first, other):
    if not (len(first) and len(other)):
        return float(len(first) != len(other))
    if first.dtype.kind == "U":
        mine, theirs = _shares(first), _shares(other)
        return sum(abs(mine[level] - theirs[level]) for level in mine | theirs) / 2
    return float(ks_2samp(first, other, method="asymp").statistic)


def _shares(values):
    return Counter({level: n / len(values) for level, n in Counter(values.tolist()).items()})


def _has_bars(values):
    """Return whether a column is drawn as bars: text, or a few distinct integers."""
    if any(one.dtype.kind == "U" for one in values.values()):
        return True
    every = np.unique(np.concatenate(list(values.values())))
    return 0 < len(every) <= FEW and bool((every == np.rint(every)).all())


def _draw_bars(panel, values):
    """Draw shares: the most common text of the first table, or all numbers in order."""
    are_numbers = next(iter(values.values())).dtype.kind != "U"
    shares = {name: _shares(one) for name, one in values.items()}
    reference = next(iter(shares.values()))
    levels = sorted({level for one in shares.values() for level in one})
    if not are_numbers:
        levels.sort(key=lambda level: -reference[level])
    kept = levels if are_numbers or len(levels) <= MOST_BARS + 1 else levels[:MOST_BARS]
    rest = len(levels) - len(kept)
    height = 0.8 / len(shares)
    for place, (name, own) in enumerate(shares.items()):
        widths = [own[level] for level in kept]
        widths += [sum(own.values()) - sum(widths)] if rest else []
        at = np.arange(len(widths)) + height * (place - (len(shares) - 1) / 2)
        panel.barh(at, widths, height, label=name, **_style(name, place))
    labels = [f"{level:g}" if are_numbers else _short(level) for level in kept]
    labels += [f"{rest} others"] if rest else []
    panel.set_yticks(range(len(labels)), labels, size=7)
    panel.tick_params(axis="y", length=0)
    panel.invert_yaxis()
    panel.locator_params(axis="x", nbins=4)


def _short(level):
    return level if len(level) <= LETTERS else f"{level[: LETTERS - 1]}…"


def _draw_histograms(panel, values, unit):
    """Draw the densities of numbers; values beyond the bins are counted in the outermost."""
    panel.set_yticks([])
    if not any(map(len, values.values())):
        return
    filled = {name: one for name, one in values.items() if len(one)}
    edges = _edges(next(iter(filled.values())))
    for place, (name, one) in enumerate(values.items()):
        if name in filled:
            counts, _ = np.histogram(np.clip(one, edges[0], edges[-1]), edges)
            options = {"fill": name == "data", "label": name, **_style(name, place)}
            panel.stairs(counts / len(one), edges, **options)
    if unit == "date":
        _name_dates(panel, edges[[0, -1]])
    else:
        panel.locator_params(axis="x", nbins=3)
        panel.set_xlabel(unit, size=8)


def _edges(values):
    """Return the edges of the bins; for integers they lie halfway between two of them."""
    low, high = np.quantile(values, WITHIN)
    if (values == np.rint(values)).all():
        low, high = np.rint((low, high))
        step = max(1.0, np.ceil((high - low) / N_BINS))
        return np.arange(low - 0.5, high + step, step)
    if low == high:  # constant, or nearly so
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, N_BINS + 1)


def _name_dates(panel, ends):
    """Label the two ends of an axis with their days, or with their months if far apart."""
    ends = [np.ceil(ends[0]), np.floor(ends[1])]
    days = np.array(ends).astype("datetime64[D]")
    far = np.diff(days)[0] > np.timedelta64(60, "D")
    panel.set_xticks(ends, (days.astype("datetime64[M]") if far else days).astype(str))
    for label, side in zip(panel.get_xticklabels(), ("left", "right"), strict=True):
        label.set_ha(side)


def _style(name, place):
    return OF_DATA if name == "data" else {"color": f"C{place}"}
