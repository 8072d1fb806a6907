"""What a GPU does while a function runs: how busy it is, and how much memory tensors take."""

import shutil
import subprocess
from statistics import fmean
from time import perf_counter

import torch
from _common import timed

__all__ = ["Utilisation", "describe", "peak_memory", "reset_peak_memory", "synchronize", "timed_on"]

MILLISECONDS = 100  # between two values; each value of nvidia-smi is a mean over about this time


def is_gpu(device):
    return torch.device(device).type == "cuda"


def describe(device):
    """Return the name of the device; for a GPU, also its memory and the version of CUDA."""
    if not is_gpu(device):
        return {"device": str(device)}
    properties = torch.cuda.get_device_properties(device)
    return {
        "device": properties.name,
        "gigabytes": round(properties.total_memory / 2**30, 1),
        "cuda": torch.version.cuda,
    }


def synchronize(device):
    """Wait until a GPU has finished its work."""
    if is_gpu(device):
        torch.cuda.synchronize(device)


def timed_on(device, function, *arguments):
    """Return the seconds of a call, including the work of the GPU, and the result of the call."""

    def finished():
        result = function(*arguments)
        synchronize(device)
        return result

    synchronize(device)
    return timed(finished, clock=perf_counter)


def reset_peak_memory(device):
    """Start a new record of the peak memory of tensors."""
    if is_gpu(device):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device):
    """Return the peak memory of tensors since then, in megabytes, or None on the CPU."""
    return round(torch.cuda.max_memory_allocated(device) / 2**20, 1) if is_gpu(device) else None


class Utilisation:
    """The share of the time in which the GPU is busy, in percent, from nvidia-smi.

    ``percent`` is None without nvidia-smi, or if the time is too short for a value.
    """

    percent = None

    def __init__(self, device):
        self.command = None
        if is_gpu(device) and shutil.which("nvidia-smi"):
            uuid = torch.cuda.get_device_properties(device).uuid  # numbers may differ there
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
