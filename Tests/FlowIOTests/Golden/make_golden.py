"""Writes reference files of the formats with NumPy and PyPI's safetensors into the folder of this script.

Run it with numpy 2 and safetensors 0.8 installed. The arrays are small. Their values follow formulas that the
tests repeat: element i (in C order) of an array of 6 is VALUES[i].
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from safetensors.numpy import load, save

HERE = Path(__file__).parent
VALUES = [0, 1, 2, 3, 100, 127]


def write_npy(name, array, version=None):
    with open(HERE / name, "wb") as file:
        npy.write_array(file, array, version=version)


for kind in ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    for order, label in [("<", "little"), (">", "big")]:
        array = np.array(VALUES, dtype=order + kind).reshape(2, 3)
        write_npy(f"{kind}_{label}.npy", array)
        write_npy(f"{kind}_{label}_fortran.npy", np.asfortranarray(array))

for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    limits = np.iinfo(kind)
    write_npy(f"{kind}_limits.npy", np.array([limits.min, limits.max], ">" + kind))
write_npy("b1.npy", np.array([True, False, True]))
write_npy("version2.npy", np.array(VALUES, "<f4").reshape(2, 3), (2, 0))
write_npy("version3.npy", np.array(VALUES, "<f4").reshape(2, 3), (3, 0))
write_npy("scalar.npy", np.float64(2.5))
write_npy("empty.npy", np.zeros((0, 3), "<f4"))
write_npy("cube_fortran.npy", np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4)))
write_npy("one_extent.npy", np.array([1, -2.5, np.inf, np.nan], "<f8"))
write_npy("half.npy", np.zeros(2, "<f2"))
write_npy("structured.npy", np.zeros(2, [("x", "<f4"), ("y", "<i8")]))
np.save(HERE / "object.npy", np.array([None, "text"], dtype=object), allow_pickle=True)

# A file as PyTorch users have it: no checksums, the order of safetensors' own writer, several element types.
tensors = {
    "net.0.weight": np.array(VALUES, "<f4").reshape(2, 3),
    "net.0.bias": np.array([0.5, -1.5], "<f4"),
    "scale": np.array(0.1, "<f8"),
    "steps": np.array([-1, 2**62], "<i8"),
    "bytes": np.arange(3, dtype="u1"),
    "half": np.array([1.5, -2.0, 65504.0, 2.0**-24, np.inf], "<f2"),
    "nothing": np.zeros((0, 4), "<f4"),
}
(HERE / "plain.safetensors").write_bytes(save(tensors, metadata={"format": "pt", "note": 'a "quoted" é\n'}))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def checked_safetensors(tensors, metadata):
    """A file with this project's checksums, computed from their description and without this project's code."""
    metadata = dict(metadata)
    metadata["crc32c.tensors"] = str(len(tensors))
    for name, array in tensors.items():
        metadata[f"crc32c.tensor.{name}"] = f"{crc32c(array.tobytes()):08x}"
    names = {"float32": "F32", "float64": "F64", "int64": "I64"}
    content = {
        "metadata": metadata,
        "tensors": {name: [names[array.dtype.name], list(array.shape)] for name, array in tensors.items()},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    metadata["crc32c.header"] = f"{crc32c(text.encode()):08x}"
    header, offset = {"__metadata__": dict(sorted(metadata.items()))}, 0
    for name, array in tensors.items():
        end = offset + array.nbytes
        header[name] = {"dtype": names[array.dtype.name], "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    head = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + b"".join(array.tobytes() for array in tensors.values())


checked = {
    "time": np.array([0.25], "<f8"),
    "counts": np.array([[3, -4]], "<i8"),
    "weight é": np.array(VALUES, "<f4").reshape(3, 2),
}
(HERE / "checked.safetensors").write_bytes(checked_safetensors(checked, {"config": "a: 1\nb: é\n", "seed": "7"}))
assert set(load((HERE / "checked.safetensors").read_bytes())) == set(checked)

print("numpy", np.__version__, "python", sys.version.split()[0])
