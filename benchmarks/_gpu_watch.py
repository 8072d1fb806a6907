"""What a GPU did while something ran: how busy it was, how much memory was taken."""

import shutil
import subprocess
from statistics import fmean
from time import perf_counter

import torch

__all__ = ["Utilisation", "describe", "peak_memory", "reset_peak_memory", "synchronize", "timed"]

MILLISECONDS = 100  # between two looks; what nvidia-smi tells is itself a mean over about as long


def is_gpu(device):
    return torch.device(device).type == "cuda"


def describe(device):
    """Return the device's name, and of a GPU its memory and CUDA's version."""
    if not is_gpu(device):
        return {"device": str(device)}
    properties = torch.cuda.get_device_properties(device)
    return {
        "device": properties.name,
        "gigabytes": round(properties.total_memory / 2**30, 1),
        "cuda": torch.version.cuda,
    }


def synchronize(device):
    """Wait for what a GPU was asked to compute."""
    if is_gpu(device):
        torch.cuda.synchronize(device)


def timed(function, device):
    """Return the seconds of a call, the GPU's work included, and what it returned."""
    synchronize(device)
    started = perf_counter()
    result = function()
    synchronize(device)
    return perf_counter() - started, result


def reset_peak_memory(device):
    """Begin to note the most memory that tensors take."""
    if is_gpu(device):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device):
    """Return the most megabytes that tensors took since then, None on the CPU."""
    return round(torch.cuda.max_memory_allocated(device) / 2**20, 1) if is_gpu(device) else None


class Utilisation:
    """The share of the time in which the GPU had something to do, in percent, by nvidia-smi.

    ``percent`` is None where there is no nvidia-smi, or too little time for a look.
    """

    percent = None

    def __init__(self, device):
        self.command = None
        if is_gpu(device) and shutil.which("nvidia-smi"):
            uuid = torch.cuda.get_device_properties(device).uuid  # numbers may be others' there
            self.command = ["nvidia-smi", f"--id=GPU-{uuid}", "--query-gpu=utilization.gpu"]
            self.command += ["--format=csv,noheader,nounits", f"--loop-ms={MILLISECONDS}"]

    def __enter__(self):
        if self.command is not None:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        return self

    def __exit__(self, *error):
        if self.command is None:
            return
        self.process.terminate()
        output, _ = self.process.communicate()
        looks = [int(line) for line in output.split("\n") if line.strip().isdigit()]
        if looks:
            self.percent = round(fmean(looks), 1)
