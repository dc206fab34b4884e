"""Writes the attentions of several layers into one .safetensors file, as `fusemax run --every-layer` reads it.

Of a layer called NAME the file has NAME.q [B, H, P, E], NAME.k [B, Hkv, M, E] and NAME.v [B, Hkv, M, F], and where they
are given NAME.mask (booleans, true where a query sees a key) and NAME.bias (added to scores after the scale), both of a
shape that broadcasts to [B, H, P, M], NAME.scale and NAME.softcap [1], and NAME.sink [H].

Needs numpy alone. `python3 layers_file.py FILE` writes a made-up file of three layers, to try things with.
"""

import json
import struct
import sys

import numpy as np

# https://github.com/huggingface/safetensors#format
TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bool": "BOOL"}


class LayersFile:
    def __init__(self):
        self.tensors = {}

    def add(self, layer, q, k, v, mask=None, bias=None, scale=None, softcap=None, sink=None):
        """Adds a layer; arrays of other types than float16, float32, float64 and bool are kept as float32."""
        given = {"q": q, "k": k, "v": v, "mask": mask, "bias": bias, "sink": sink}
        for name, number in {"scale": scale, "softcap": softcap}.items():
            given[name] = None if number is None else np.array([number], np.float64)
        for name, array in given.items():
            if array is not None:
                array = np.asarray(array)
                kept = array if array.dtype.name in TYPES else array.astype(np.float32)
                self.tensors[f"{layer}.{name}"] = np.ascontiguousarray(kept)

    def save(self, path):
        header, end = {}, 0
        # Wide values first, so that each is aligned.
        ordered = sorted(self.tensors.items(), key=lambda item: -item[1].itemsize)
        for name, array in ordered:
            begin, end = end, end + array.nbytes
            header[name] = {"dtype": TYPES[array.dtype.name], "shape": array.shape, "data_offsets": [begin, end]}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, array in ordered:
                file.write(array.astype(array.dtype.newbyteorder("<")).tobytes())


def made_up():
    """Three layers of different kinds: causal with grouped heads, capped with a bias, with sinks and a window."""
    random = np.random.default_rng(0)
    normal = lambda *shape: random.standard_normal(shape, np.float32)
    place = np.arange(24)
    causal = place[None, :] <= place[:, None]
    file = LayersFile()
    file.add("layers.0", normal(1, 4, 24, 16), normal(1, 2, 24, 16), normal(1, 2, 24, 16), mask=causal)
    file.add(
        *("layers.1", normal(2, 2, 7, 16), normal(2, 2, 9, 16), normal(2, 2, 9, 12)),
        bias=normal(1, 2, 7, 9), scale=0.5, softcap=20.0,
    )
    window = causal & (place[None, :] > place[:, None] - 8)
    file.add(
        *("layers.2", normal(1, 4, 24, 16).astype(np.float16), normal(1, 4, 24, 16), normal(1, 4, 24, 16)),
        mask=window[None, None], sink=normal(4), scale=0.25,
    )
    return file


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 layers_file.py FILE.safetensors")
    made_up().save(sys.argv[1])
