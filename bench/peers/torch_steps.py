#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times training steps of MLPs in PyTorch, beside which Weft's are put.

A step is a batch forward, backward and SGD with momentum (0.9): ReLU, softmax cross-entropy, data
already on the device. Modes:
  eager    as PyTorch runs it by itself
  compile  forward, loss and backward through torch.compile; on a GPU with its own CUDA graphs
  graph    the whole step captured once as a CUDA graph and replayed (GPU only)
Types: f32 (float32 throughout), tf32 (float32 in memory, TF32 products), bf16 (autocast: products
in bfloat16, weights and optimizer in float32).
On a GPU the time is that of many steps between two events, divided by their number.
--products times matrix products, with operands in [-1, 1): bf16 is bfloat16 in memory; and steps
only where --step names some.

  python3 torch_steps.py                          cpu, and cuda where there is one
  python3 torch_steps.py --device cuda --all --json torch.json
  python3 torch_steps.py --device cuda --products --dtype f32 --dtype tf32 --dtype bf16
  python3 torch_steps.py --step 8192:4096-4096-4096-4096-4096@bf16 --step 128:784-512-512-10

The file goes beside Weft's own steps by "weft bench steps --peer-json torch.json", or into a page
of a run that was made before by "weft bench page run.json --peer-json torch.json".
"""

import argparse
import json
import platform
import statistics
import sys
import time
from datetime import datetime, timezone

import torch

# batch, widths: the steps that the benchmark of Weft times; those that only a GPU is asked for
SHAPES = [
    (64, [784, 100, 100, 10]),
    (128, [784, 512, 512, 10]),
    (1024, [784, 2048, 2048, 10]),
    (256, [4096, 4096, 4096, 4096, 4096]),
]
GPU_SHAPES = [
    (1024, [4096, 4096, 4096, 4096, 4096]),
    (8192, [4096, 4096, 4096, 4096, 4096]),
]
PRODUCTS = {"cpu": [1024, 2048], "cuda": [4096, 8192]}
MODES = {"cpu": ["eager", "compile"], "cuda": ["eager", "compile", "graph"]}
DTYPES = {"cpu": ["f32", "bf16"], "cuda": ["f32", "tf32", "bf16"]}
CLASSES = 10
CHECKED = 30


def network(widths, device):
    torch.manual_seed(1)
    layers = []
    for i, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
        linear = torch.nn.Linear(fan_in, fan_out)
        torch.nn.init.xavier_uniform_(linear.weight)
        torch.nn.init.zeros_(linear.bias)
        layers.append(linear)
        if i + 2 < len(widths):
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers).to(device)


class Step:
    """One training step on a fixed batch; calling it returns the loss as a tensor."""

    def __init__(self, batch, widths, device, dtype, mode):
        self.model = network(widths, device)
        # the learnable pattern: the label is the position of the largest of the first inputs
        self.x = torch.rand(batch, widths[0], device=device)
        self.labels = self.x[:, :CLASSES].argmax(dim=1)
        # one kernel for all parameters; SGD keeps no count of steps that a graph could freeze
        fused = {"fused": True} if device == "cuda" else {}
        rate = 0.03 if max(widths) < 4096 else 0.003  # wide networks diverge at the former
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=rate, momentum=0.9, **fused
        )
        self.device = device
        self.mode = mode
        self.bf16 = dtype == "bf16"
        self.loss_of = self._loss
        if mode == "compile":
            if not hasattr(torch, "compile"):
                raise RuntimeError("torch.compile needs PyTorch 2")
            kind = "reduce-overhead" if device == "cuda" else "default"
            torch.compiler.reset()  # else too many cases end in eager mode without a word
            # dynamic shapes, which a second batch size brings, would be slower
            self.loss_of = torch.compile(self._loss, mode=kind, dynamic=False)
        self.graph = self._capture() if mode == "graph" else None

    def _loss(self, x, labels):
        # the cast of a weight must be part of a captured graph: no cache from outside of it
        with torch.autocast(
            self.device, dtype=torch.bfloat16, enabled=self.bf16, cache_enabled=False
        ):
            y = self.model(x)
        return torch.nn.functional.cross_entropy(y.float(), labels)

    def _eager(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(self.x, self.labels)
        loss.backward()
        self.optimizer.step()
        return loss

    def _capture(self):
        # capture needs a warm-up on a stream of its own, so that all lazy allocation is over
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._eager()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        # gradients that are None are allocated by the capture, in the graph's own memory
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.loss = self._eager()
        return graph

    def __call__(self):
        if self.graph is None:
            if self.mode == "compile":
                # tells the graphs of "reduce-overhead" that the last step's memory is free again
                torch.compiler.cudagraph_mark_step_begin()
            return self._eager()
        self.graph.replay()
        return self.loss


def time_cpu(step, seconds):
    samples = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 5:
        start = time.perf_counter()
        step()
        samples.append((time.perf_counter() - start) * 1e6)
    return samples


def time_cuda(step, seconds):
    # so many steps between two events that these weigh little, and a sample takes at most 0.1 s
    torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    torch.cuda.synchronize()
    steps = max(3, min(50, int(0.1 / (time.perf_counter() - start))))
    samples = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 5:
        first = torch.cuda.Event(enable_timing=True)
        last = torch.cuda.Event(enable_timing=True)
        first.record()
        for _ in range(steps):
            step()
        last.record()
        last.synchronize()
        samples.append(first.elapsed_time(last) * 1e3 / steps)
    return samples


def set_precision(dtype):
    # the one switch: PyTorch 2.9 and newer refuse a mixture of it and backends.*.fp32_precision
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")


def times_of(step, device, seconds):
    clock = time_cuda if device == "cuda" else time_cpu
    clock(step, seconds / 4)
    samples = sorted(clock(step, seconds))
    return {
        "medianMicros": statistics.median(samples),
        "lowMicros": samples[int(0.05 * (len(samples) - 1))],
        "highMicros": samples[int(0.95 * (len(samples) - 1))],
        "samples": len(samples),
    }


def measure(batch, widths, device, dtype, mode, seconds):
    set_precision(dtype)
    step = Step(batch, widths, device, dtype, mode)
    first = step().item()
    losses = [step().item() for _ in range(CHECKED)]
    if not min(losses) < 0.99 * first:  # whatever it does later: a wide network may diverge
        raise RuntimeError(f"the loss does not fall: {first} at first, then {min(losses)}")
    return {
        "device": device,
        "mode": mode,
        "dtype": dtype,
        "batch": batch,
        "widths": widths,
        "firstLoss": first,
        "lastLoss": losses[-1],
        "checkedSteps": CHECKED + 1,
        **times_of(step, device, seconds),
    }


def measure_product(n, device, dtype, seconds):
    """One product of square matrices, into a result that is there."""
    set_precision(dtype)
    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    torch.manual_seed(1)
    a, b = ((2 * torch.rand(n, n, device=device) - 1).to(kind) for _ in range(2))
    c = torch.empty(n, n, device=device, dtype=kind)
    torch.mm(a, b, out=c)
    # an element against its sum in double: within what the arithmetic rounds
    exact = (a[1].double() @ b[:, 2].double()).item()
    allowed = (1e-5 if dtype == "f32" else 2e-2) * n**0.5
    if not abs(c[1, 2].item() - exact) <= allowed:
        raise RuntimeError(f"the product is wrong: {c[1, 2].item()}, and should be {exact}")
    return {
        "device": device,
        "dtype": dtype,
        "m": n,
        "k": n,
        "n": n,
        **times_of(lambda: torch.mm(a, b, out=c), device, seconds),
    }


def cpu_name():
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()


def write(path, steps, products, failures):
    cuda = torch.cuda.is_available()
    result = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": " ".join(["torch_steps.py"] + sys.argv[1:]),
        "machine": {
            "cpu": cpu_name(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if cuda else None,
        },
        "versions": {
            "python": platform.python_version(),
            "pytorch": torch.__version__,
            "cuda": torch.version.cuda,
        },
        "steps": steps,
        "products": products,
        "failures": failures,
    }
    with open(path, "w") as out:
        json.dump(result, out, indent=2)
        out.write("\n")


def shape(text):
    """128:784-512-512-10 as its batch, widths and the one type, if any, that follows an @."""
    text, _, dtype = text.partition("@")
    batch, _, widths = text.partition(":")
    numbers = [int(width) for width in widths.split("-")]
    if int(batch) < 1 or len(numbers) < 2 or min(numbers) < 1 or numbers[-1] < CLASSES:
        raise ValueError(text)
    if dtype and dtype not in DTYPES["cuda"]:
        raise ValueError(dtype)
    return int(batch), numbers, dtype


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: both where there are")
    parser.add_argument("--mode", choices=["eager", "compile", "graph"], action="append",
                        help="repeatable; default: eager, and on cuda graph too")
    parser.add_argument("--dtype", choices=["f32", "tf32", "bf16"], action="append",
                        help="repeatable; default: f32")
    parser.add_argument("--all", action="store_true", help="every mode and type of the device")
    parser.add_argument("--products", action="store_true", help="time products, and steps only where --step names some")
    parser.add_argument("--step", action="append", type=shape, metavar="BATCH:WIDTHS[@TYPE]",
                        help="repeatable, such as 128:784-512-512-10; with a type, that one alone;"
                        " default: those of Weft")
    parser.add_argument("--threads", type=int, help="on the CPU; default: PyTorch's own")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--json", help="file to write, anew after every row")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("this PyTorch sees no GPU")
    return args


def cases(args):
    """The name of each case and what measures it: those first that most want to see."""
    devices = [args.device] if args.device else ["cpu"] + ["cuda"] * torch.cuda.is_available()
    for device in devices:
        if args.all:
            modes, dtypes = MODES[device], DTYPES[device]
        else:
            modes = args.mode or (["eager", "graph"] if device == "cuda" else ["eager"])
            dtypes = args.dtype or ["f32"]
        shapes = args.step
        if not shapes and not args.products:
            everywhere = SHAPES + (GPU_SHAPES if device == "cuda" else [])
            shapes = [(batch, widths, None) for batch, widths in everywhere]
        for dtype in dtypes:
            if dtype not in DTYPES[device]:
                continue
            if args.products:
                for n in PRODUCTS[device]:
                    yield (f"{device:5} product  {dtype:5} {n} x {n} x {n}",
                           (measure_product, n, device, dtype))
            for mode in modes:
                for batch, widths, only in shapes or []:
                    if mode in MODES[device] and only in (None, "", dtype):
                        yield (f"{device:5} {mode:8} {dtype:5} batch {batch:5}"
                               f" {'-'.join(map(str, widths)):24}",
                               (measure, batch, widths, device, dtype, mode))


def main():
    args = arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    steps, products, failures = [], [], []
    for name, (timed, *case) in cases(args):
        try:
            row = timed(*case, args.seconds)
        except Exception as e:  # one that this PyTorch cannot do must not end the others
            failures.append({"case": name, "error": f"{type(e).__name__}: {e}"})
            print(f"{name} failed: {type(e).__name__}: {str(e).split(chr(10))[0]}", flush=True)
        else:
            (products if timed is measure_product else steps).append(row)
            print(f"{name} {row['medianMicros']:10.1f} us"
                  f"  ({row['lowMicros']:.1f} - {row['highMicros']:.1f})", flush=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if args.json:
            write(args.json, steps, products, failures)
    return 0 if steps or products else 1


if __name__ == "__main__":
    sys.exit(main())
