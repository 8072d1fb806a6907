"""The axes that displays draw on. This is the only module that imports matplotlib."""

from typing import Any

import numpy as np

from skvae.plotting.colours import group_colours

__all__ = ["WIDEST", "Display", "import_pyplot", "legend_that_fits"]

POINTS = 72  # per inch
WIDEST = 6.6  # inches: on a phone, 390 pixels wide, text of 9 points is then 7 pixels high
BAR = 0.9  # inches for a colour bar and its labels


def import_pyplot(display):
    """Return matplotlib's pyplot, or raise an error with the remedy.

    Parameters
    ----------
    display : str
        The name of the display, which starts the error message.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If matplotlib is not installed.
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
    """Base class of the displays, which holds their figure and axes.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes, of shape (n_panels,)
        The panels that were drawn on. Set by ``plot``.
    """

    figure_: Any
    axes_: np.ndarray

    @classmethod
    def _pyplot(cls):
        """Return pyplot, or raise if it is missing; called before anything that takes time."""
        return import_pyplot(cls.__name__)

    @classmethod
    def _colours(cls, n_groups):
        """Return a colour for every group: first those of the style, then distinct others."""
        pyplot = cls._pyplot()
        cycle = pyplot.rcParams["axes.prop_cycle"].by_key().get("color", ["C0"])
        rgb = pyplot.matplotlib.colors.to_rgb
        return group_colours(n_groups, [rgb(colour) for colour in cycle])

    def _legend_above(self, axes, is_own):
        """Draw a legend above the axes, and make room for it if the figure is our own."""
        figure = self.figure_
        if is_own:
            figure.draw_without_rendering()  # computes the layout, and so the width of the axes
        panel = axes.get_window_extent()
        widest = figure.bbox.x1 - panel.x0 if is_own else panel.width
        above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
        legend = legend_that_fits(axes, widest, "width", **above)
        if is_own:
            taller = legend.get_window_extent().height / figure.dpi
            figure.set_figheight(figure.get_figheight() + taller)

    def _widen(self, axes):
        """Widen the figure for a legend or a colour bar next to the axes, which stay square."""
        legend, figure = axes.get_legend(), self.figure_
        wider = BAR if legend is None and len(figure.axes) > len(self.axes_) else 0.0
        if legend is not None:
            wider = legend.get_window_extent().width / figure.dpi
        figure.set_figwidth(figure.get_figwidth() + wider)

    def _place_image(self, axes, image, place, *, side, frame, cmap, value_range):
        """Draw a small image centred at a point of the data.

        ``side`` is its longer side in inches, and ``frame`` the colour of its frame.
        ``value_range`` gives the values for the two ends of ``cmap``, for images of one channel.
        """
        boxes = self._pyplot().matplotlib.offsetbox
        small = boxes.OffsetImage(image, zoom=side * POINTS / max(image.shape[:2]), cmap=cmap)
        small.image.set_clim(*value_range)
        around = {"edgecolor": frame, "facecolor": frame, "linewidth": 1.2}
        axes.add_artist(boxes.AnnotationBbox(small, place, pad=0.1, bboxprops=around))

    def _panels(self, ax, n_panels=1, n_columns=1, *, size, share_x=False, layout="constrained"):
        """Return the axes to draw on, and store them and their figure.

        ``size`` (in inches) and ``layout`` are those of a new figure; use "compressed" for panels
        with the aspect ratio of images. A single given ``ax`` is divided into the panels.
        """
        pyplot = self._pyplot()
        if ax is None:
            figure = pyplot.figure(figsize=size, layout=layout)
            if layout == "compressed":
                figure.get_layout_engine().set(wspace=0.04)  # otherwise the panels touch
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
    """Return subplots in the first cells of a grid."""
    axes = []
    for place in range(n_panels):
        first = axes[0] if axes and share_x else None
        axes.append(figure.add_subplot(grid[place], sharex=first))
    return axes


def legend_that_fits(axes, most, by="height", **options):
    """Draw a legend that is at most so many pixels high, or wide, and return it.

    Parameters
    ----------
    axes : Axes
    most : float
        Limit in pixels.
    by : {"height", "width"}, default="height"
        "height" uses the smallest number of columns whose height fits. "width" uses the largest
        number of columns whose width fits.
    **options : dict
        Passed to ``Axes.legend``.
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
