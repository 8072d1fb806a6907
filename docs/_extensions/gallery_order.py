"""The order of the examples in the gallery. An example that is not listed stops the build."""

from pathlib import Path

__all__ = ["ReadingOrder"]

EXAMPLES = [
    "plot_digits",
    "plot_pipeline_features",
    "plot_grid_search_beta",
    "plot_anomaly_explained",
    "plot_table",
    "plot_denoising",
    "plot_pipeline_sampling",
    "plot_mixture_autoencoder",
    "plot_minority_class",
    "plot_paper_figures",
    "plot_sprite_traversals",
    "plot_elbo_decomposition",
    "plot_custom_encoder",
    "plot_streaming",
]


class ReadingOrder:
    """The key with which sphinx-gallery sorts the examples of a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, path):
        return EXAMPLES.index(Path(path).stem)
