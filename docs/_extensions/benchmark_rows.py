"""The rows of a benchmark's JSON file, reduced and flattened for a table."""

from statistics import fmean

__all__ = ["MOST_ROWS", "averaged", "flat", "is_long", "listed", "shown", "unnested"]

MOST_ROWS, MOST_VALUES = 40, 8
PARAMETERS = {"batch_size", "beta", "n_components"}  # numbers that are settings of a row
REPEATS = {"seed"}  # numbers that differ in repetitions of a row


def flat(nested, prefix=""):
    """Return a dict without nested dicts. Their keys are joined by a colon."""
    entries = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            entries |= flat(value, f"{prefix}{key}: ")
        else:
            entries[f"{prefix}{key}"] = value
    return entries


def unnested(row):
    """Return a row for each nested dict, if several have the same keys, or else the row itself."""
    kinds = {}
    for key, value in row.items():
        if isinstance(value, dict):
            kinds.setdefault(tuple(value), []).append(key)
    names = max(kinds.values(), key=len, default=[])
    rest = {key: value for key, value in row.items() if key not in names}
    if len(names) < 2 or set(rest) & {"of", *row[names[0]]}:
        return [row]
    return [{**rest, "of": name, **row[name]} for name in names]


def is_long(value):
    """Return whether a value has too many parts for a cell."""
    return isinstance(value, list) and (
        not 0 < len(value) <= MOST_VALUES or any(isinstance(item, (list, dict)) for item in value)
    )


def is_number(value):
    """Return whether a value is a number. True and False are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def shown(value):
    """Return a value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if is_number(value):
        exact = isinstance(value, int) or (abs(value) >= 1e4 and abs(value) < 1e15)
        return f"{value:,.0f}" if exact else f"{value:.4g}"
    return str(value).replace("|", r"\|").replace("\n", " ")


def listed(entries):
    """Return the short entries of a dict in one line."""
    items = [(key, value) for key, value in entries.items() if not is_long(value)]
    return ", ".join(f"{key} {shown(value)}" for key, value in items)


def averaged(rows):
    """Return at most MOST_ROWS rows, which are means, and the columns that are averaged over.

    A mean is over rows with equal texts and parameters. If there are still too many rows, the
    column with the most different values is averaged over too.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    texts = [c for c in columns if all(isinstance(row.get(c), (str, bool)) for row in rows)]
    keys = [c for c in columns if c in texts or c in PARAMETERS]
    over = [c for c in columns if c in REPEATS]
    groups = {}
    while True:
        groups.clear()
        for row in rows:
            groups.setdefault(tuple(shown(row.get(key)) for key in keys), []).append(row)
        if len(groups) <= MOST_ROWS:
            break
        over.append(max(keys, key=lambda key: len({shown(row.get(key)) for row in rows})))
        keys.remove(over[-1])
    means = []
    for group in groups.values():
        mean = {key: group[0].get(key) for key in keys} | {"rows": len(group)}
        for column in columns:
            numbers = [row[column] for row in group if is_number(row.get(column))]
            if numbers and column not in {*keys, *over}:
                mean[column] = fmean(numbers)
        means.append(mean)
    return means, over
