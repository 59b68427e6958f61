#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times training steps of MLPs in PyTorch, beside which Weft's are put.

A step is a batch forward, backward and SGD with momentum (0.9): ReLU, softmax cross-entropy, data
already on the device. Modes:
  eager    as PyTorch runs it by itself
  compile  forward and loss through torch.compile
  graph    the whole step captured once as a CUDA graph and replayed (GPU only)
On a GPU the time is that of many steps between two events, divided by their number.

  python3 torch_steps.py                          cpu, and cuda where there is one
  python3 torch_steps.py --device cuda --json torch_h200.json
  python3 torch_steps.py --batch 8192 --widths 4096 4096 4096 4096 4096 --dtype bf16
"""

import argparse
import json
import platform
import statistics
import sys
import time
from datetime import datetime, timezone

import torch

# batch, widths: the steps that the benchmark of Weft times
SHAPES = [
    (64, [784, 100, 100, 10]),
    (128, [784, 512, 512, 10]),
    (1024, [784, 2048, 2048, 10]),
]


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
        self.labels = self.x[:, : widths[-1]].argmax(dim=1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.03, momentum=0.9)
        self.device = device
        self.bf16 = dtype == "bf16"
        self.loss_of = torch.compile(self._loss) if mode == "compile" else self._loss
        self.graph = self._capture() if mode == "graph" else None

    def _loss(self, x, labels):
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16):
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
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.loss = self._eager()
        return graph

    def __call__(self):
        if self.graph is None:
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
    samples = []
    steps = 50
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


def measure(batch, widths, device, dtype, mode, seconds):
    step = Step(batch, widths, device, dtype, mode)
    first = step().item()
    for _ in range(30):
        loss = step()
    last = loss.item()
    if not last < first:
        raise SystemExit(
            f"batch {batch}, {widths}, {device} {mode}: the loss does not fall: {first} {last}"
        )
    (time_cuda if device == "cuda" else time_cpu)(step, seconds / 4)
    samples = sorted((time_cuda if device == "cuda" else time_cpu)(step, seconds))
    return {
        "device": device,
        "mode": mode,
        "dtype": dtype,
        "batch": batch,
        "widths": widths,
        "firstLoss": first,
        "lossAfter30": last,
        "medianMicros": statistics.median(samples),
        "lowMicros": samples[int(0.05 * (len(samples) - 1))],
        "highMicros": samples[int(0.95 * (len(samples) - 1))],
        "samples": len(samples),
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: both where there are")
    parser.add_argument("--mode", choices=["eager", "compile", "graph"], action="append",
                        help="repeatable; default: eager, and on cuda graph too")
    parser.add_argument("--dtype", choices=["f32", "tf32", "bf16"], default="f32")
    parser.add_argument("--batch", type=int, help="with --widths: this network alone")
    parser.add_argument("--widths", type=int, nargs="+")
    parser.add_argument("--threads", type=int, help="on the CPU; default: PyTorch's own")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--json", help="file to write")
    args = parser.parse_args()
    if (args.batch is None) != (args.widths is None):
        parser.error("--batch and --widths go together")
    if args.widths and len(args.widths) < 2:
        parser.error("--widths needs at least the input's and the output's")
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("this PyTorch sees no GPU")
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = args.dtype == "tf32"

    devices = [args.device] if args.device else ["cpu"] + ["cuda"] * torch.cuda.is_available()
    shapes = [(args.batch, args.widths)] if args.batch else SHAPES
    rows = []
    for device in devices:
        for mode in args.mode or (["eager", "graph"] if device == "cuda" else ["eager"]):
            if mode == "graph" and device != "cuda":
                continue
            for batch, widths in shapes:
                row = measure(batch, widths, device, args.dtype, mode, args.seconds)
                rows.append(row)
                name = "-".join(map(str, widths))
                print(f"{device:5} {mode:8} {args.dtype:5} batch {batch:5} {name:24}"
                      f" {row['medianMicros']:10.1f} us"
                      f"  ({row['lowMicros']:.1f} - {row['highMicros']:.1f})", flush=True)
    result = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": " ".join(["torch_steps.py"] + sys.argv[1:]),
        "machine": {
            "cpu": cpu_name(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
        "versions": {
            "python": platform.python_version(),
            "pytorch": torch.__version__,
            "cuda": torch.version.cuda,
        },
        "steps": rows,
    }
    if args.json:
        with open(args.json, "w") as out:
            json.dump(result, out, indent=2)
            out.write("\n")


if __name__ == "__main__":
    main()
