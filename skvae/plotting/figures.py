"""The panels that displays draw in. The only module that imports matplotlib."""

from typing import Any

import numpy as np

from skvae.plotting.colours import group_colours

__all__ = ["WIDEST", "Display", "import_pyplot", "legend_that_fits"]

POINTS = 72  # of an inch
WIDEST = 6.6  # inches: on a phone, 390 pixels wide, text of 9 points has 7 pixels
BAR = 0.9  # inches, a colour bar and its labels


def import_pyplot(display):
    """Return matplotlib's pyplot, or raise a sentence.

    Parameters
    ----------
    display : str
        What needs it: the sentence begins with it.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If there is no matplotlib.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"{display} needs matplotlib. Got none that can be imported instead. Install it: "
            f"pip install skvae[plot]"
        ) from error
    return pyplot


class Display:
    """What displays share: where they draw.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn in. After ``plot``, as the next.
    axes_ : ndarray of matplotlib Axes, of shape (n_panels,)
        The panels drawn in.
    """

    figure_: Any
    axes_: np.ndarray

    @classmethod
    def _pyplot(cls):
        """Return pyplot, or raise a sentence; called before anything that takes time."""
        return import_pyplot(cls.__name__)

    @classmethod
    def _colours(cls, n_groups):
        """Return a colour for every group: those of the style, then others far from these."""
        pyplot = cls._pyplot()
        cycle = pyplot.rcParams["axes.prop_cycle"].by_key().get("color", ["C0"])
        rgb = pyplot.matplotlib.colors.to_rgb
        return group_colours(n_groups, [rgb(colour) for colour in cycle])

    def _legend_above(self, axes, is_own):
        """Draw a legend above axes, and make a figure of the display's own taller by it."""
        figure = self.figure_
        if is_own:
            figure.draw_without_rendering()  # lays out: how wide the axes are
        panel = axes.get_window_extent()
        widest = figure.bbox.x1 - panel.x0 if is_own else panel.width
        above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
        legend = legend_that_fits(axes, widest, "width", **above)
        if is_own:
            taller = legend.get_window_extent().height / figure.dpi
            figure.set_figheight(figure.get_figheight() + taller)

    def _widen(self, axes):
        """Make the figure wider by a legend beside axes, or by a colour bar: axes stay square."""
        legend, figure = axes.get_legend(), self.figure_
        wider = BAR if legend is None and len(figure.axes) > len(self.axes_) else 0.0
        if legend is not None:
            wider = legend.get_window_extent().width / figure.dpi
        figure.set_figwidth(figure.get_figwidth() + wider)

    def _place_image(self, axes, image, place, *, side, frame, cmap, value_range):
        """Draw a small image whose middle is at a place of the data.

        ``side`` is the longer one, in inches; ``frame`` the colour around it; ``value_range`` has
        the values that are the first and the last colour of ``cmap``, of images of one channel.
        """
        boxes = self._pyplot().matplotlib.offsetbox
        small = boxes.OffsetImage(image, zoom=side * POINTS / max(image.shape[:2]), cmap=cmap)
        small.image.set_clim(*value_range)
        around = {"edgecolor": frame, "facecolor": frame, "linewidth": 1.2}
        axes.add_artist(boxes.AnnotationBbox(small, place, pad=0.1, bboxprops=around))

    def _panels(self, ax, n_panels=1, n_columns=1, *, size, share_x=False, layout="constrained"):
        """Return the axes to draw in, and keep them and their figure.

        ``size``, in inches, and ``layout`` are of a new figure: "compressed" where panels have the
        aspect of images. A given ``ax`` is shared out among the panels.
        """
        pyplot = self._pyplot()
        if ax is None:
            figure = pyplot.figure(figsize=size, layout=layout)
            if layout == "compressed":
                figure.get_layout_engine().set(wspace=0.04)  # else panels touch
            grid = figure.add_gridspec(-(-n_panels // n_columns), n_columns)
            axes = _fill(figure, grid, n_panels, share_x)
        elif isinstance(ax, pyplot.Axes) and n_panels == 1:
            figure, axes = ax.figure, [ax]
        elif isinstance(ax, pyplot.Axes) and ax.get_subplotspec() is not None:
            figure = ax.figure
            ax.set_axis_off()
            grid = ax.get_subplotspec().subgridspec(-(-n_panels // n_columns), n_columns)
            axes = _fill(figure, grid, n_panels, share_x)
        else:
            axes = [ax] if isinstance(ax, pyplot.Axes) else list(np.ravel(ax))
            if len(axes) != n_panels:
                raise ValueError(
                    f"ax must be {n_panels} axes, or one that subplots made, to share out among "
                    f"them. Got {len(axes)} instead. Leave ax out for a figure of its own."
                )
            figure = axes[0].figure
        self.figure_, self.axes_ = figure, np.array(axes, dtype=object)
        return self.axes_


def _fill(figure, grid, n_panels, share_x):
    """Return subplots in the first places of a grid."""
    axes = []
    for place in range(n_panels):
        first = axes[0] if axes and share_x else None
        axes.append(figure.add_subplot(grid[place], sharex=first))
    return axes


def legend_that_fits(axes, most, by="height", **options):
    """Return a legend of axes that is no taller, or no wider, than so many pixels.

    Parameters
    ----------
    axes : Axes
    most : float
        Pixels.
    by : {"height", "width"}, default="height"
        "height" takes the fewest columns that are no taller, "width" the most that are no wider.
    **options : dict
        Of ``Axes.legend``.
    """
    n_labels = len(axes.get_legend_handles_labels()[1])
    columns = range(1, n_labels + 1) if by == "height" else range(n_labels, 0, -1)
    for n_columns in columns:
        legend = axes.legend(ncols=n_columns, frameon=False, **options)
        if getattr(legend.get_window_extent(), by) <= most:
            break
    for handle in legend.legend_handles:
        handle.set_alpha(1)
    return legend
