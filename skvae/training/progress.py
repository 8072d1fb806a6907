"""The progress bar of a fit: one line in a terminal, or a widget in a notebook."""

from tqdm.auto import tqdm

__all__ = ["progress_bar", "show_epoch", "stop_early"]

# tqdm's default line also has a percentage and a rate. Then 80 columns have room for only one term.
LINE = "{n_fmt}/{total_fmt} |{bar}| [{elapsed}<{remaining}{postfix}]"
COLUMNS = 80  # width of a line if tqdm does not know it, as in notebooks and files
BAR_TO_SPARE = 9  # columns: a bar has 10 if tqdm does not know the width, and at least 1


def progress_bar(epochs, done, shown):
    """Return a progress bar for ``epochs`` epochs, ``done`` of which are done, shown or silent."""
    return tqdm(total=epochs, initial=done, unit="epoch", bar_format=LINE, disable=not shown)


def show_epoch(bar, means):
    """Advance a bar by one epoch, and show as many of its means as fit into the line.

    Parameters
    ----------
    bar : tqdm
        A bar in a terminal, whose width it knows, or in a notebook or a file.
    means : dict
        {name: mean over the rows}. The losses are shown first.
    """
    if bar.disable:
        return
    names = sorted(means, key=lambda name: not name.endswith("_loss"))
    text = ""
    for name in names:
        longer = f"{text}{', ' if text else ''}{name}={means[name]:.4g}"
        text = longer if _fits(bar, longer) else text
    bar.set_postfix_str(text, refresh=False)
    bar.update()


def _fits(bar, text):
    """Return whether a bar has room for a text."""
    line = bar.format_dict
    longest = {**line, "n": line["total"], "ncols": None, "postfix": text}
    return len(bar.format_meter(**longest)) - BAR_TO_SPARE <= (line["ncols"] or COLUMNS)


def stop_early(bar):
    """Set the total to the epochs done, since a notebook shows an incomplete bar as a failure."""
    bar.total = bar.n
