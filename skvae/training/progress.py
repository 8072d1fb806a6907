"""The progress bar of a fit: one line of a terminal, or a widget of a notebook."""

from tqdm.auto import tqdm

__all__ = ["progress_bar", "show_epoch", "stop_early"]

# tqdm's own line has a percentage and a rate as well, and then 80 columns hold one term only.
LINE = "{n_fmt}/{total_fmt} |{bar}| [{elapsed}<{remaining}{postfix}]"
COLUMNS = 80  # of a line where tqdm knows none: in notebooks and files
BAR_TO_SPARE = 9  # columns: a bar is 10 wide where tqdm knows no width, and 1 where it must


def progress_bar(epochs, done, shown):
    """Return a bar of so many epochs, of which some are done; a silent one unless it is shown."""
    return tqdm(total=epochs, initial=done, unit="epoch", bar_format=LINE, disable=not shown)


def show_epoch(bar, means):
    """Move a bar by an epoch, and show as many of its means as the line has room for.

    Parameters
    ----------
    bar : tqdm
        Of a terminal, whose width it knows, or of a notebook or a file.
    means : dict
        {name: mean over the rows}. The losses come first.
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
    """Say that the epochs so far are all: to a notebook, fewer than expected are a failure."""
    bar.total = bar.n
