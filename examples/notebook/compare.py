"""Speedup over the sequence length, and error over the number format, from fusemax's JSON.

    python3 compare.py [FIGURE.png]

Prints two tables. With matplotlib and a file's name it draws them too. Each function is a cell of a notebook.
"""

import sys

import numpy as np

from fusemax_json import fusemax


def latencies(designs, lengths, model="bert"):
    """Seconds of attention, [designs, lengths], under the corrected accounting (schema fusemax.model/1)."""
    found = fusemax(
        *("model", "--design", ",".join(designs), "--model", model),
        *("--seq", ",".join(str(n) for n in lengths), "--accounting", "corrected"),
    )
    seconds = {(r["design"], r["seq"]): r["latencySeconds"] for r in found["results"]}
    return np.array([[seconds[design, n] for n in lengths] for design in designs])


def errors(formats, seq=1024):
    """Relative rms error to float64 attention, [formats, (FuseMax, 3-pass)] (schema fusemax.run/1)."""
    runs = [fusemax("run", "--seq", seq, "--format", name)["error"] for name in formats]
    return np.array([[run["rmsRelative"], run["baseline"]["rmsRelative"]] for run in runs])


def table(names, columns, values):
    print(" ".join([f"{'':12}", *(f"{c:>12}" for c in columns)]))
    for name, row in zip(names, values):
        print(" ".join([f"{name:12}", *(f"{v:12.4g}" for v in row)]))


def main():
    designs, lengths = ["unfused", "flat", "fusemax"], [1024, 16384, 262144]
    seconds = latencies(designs, lengths)
    speedup = seconds[0] / seconds
    print("Speedup over unfused, BERT")
    table(designs, lengths, speedup)

    formats = ["fp32", "bf16", "bf16-strict"]
    error = errors(formats)
    print("\nRelative rms error, 1,024 tokens")
    table(formats, ["FuseMax", "3-pass"], error)

    if len(sys.argv) < 2:
        return
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        sys.exit("compare.py: matplotlib is not installed; no figure was drawn (pip install matplotlib)")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    for name, row in zip(designs, speedup):
        left.plot(lengths, row, marker="o", label=name)
    left.set(xscale="log", yscale="log", xlabel="tokens", ylabel="speedup over unfused")
    left.legend()
    places = np.arange(len(formats))
    for shift, label, column in ((-0.2, "FuseMax", 0), (0.2, "3-pass", 1)):
        right.bar(places + shift, error[:, column], 0.4, label=label)
    right.set(yscale="log", ylabel="relative rms error", xticks=places, xticklabels=formats)
    right.legend()
    figure.tight_layout()
    figure.savefig(sys.argv[1])


if __name__ == "__main__":
    main()
