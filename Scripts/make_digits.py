#!/usr/bin/env python3
"""Makes Sources/ContinuousFlows/Data/Resources/digits*.npy from scikit-learn's copy of the digits.

Needs pip and the standard library only. Downloads the wheel of scikit-learn 1.9.1 (BSD-3-Clause), takes
sklearn/datasets/data/digits.csv.gz out of it, and writes its first 64 columns and its last one as NumPy arrays of uint8,
in the file's order and with nothing changed. With --from, reads a digits.csv.gz that is there already.
"""

import argparse
import csv
import gzip
import io
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.9.1"
MEMBER = "sklearn/datasets/data/digits.csv.gz"
RESOURCES = pathlib.Path(__file__).resolve().parent.parent / "Sources/ContinuousFlows/Data/Resources"


def download() -> bytes:
    """The compressed table, out of the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--dest", folder, f"scikit-learn=={VERSION}"], check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(MEMBER)


def write_npy(path: pathlib.Path, shape: tuple, values: bytes) -> None:
    """NumPy format 1.0: magic, version, header length, header padded so that the data begin at a multiple of 64."""
    shape_text = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape_text + ", }"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin1") + values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=pathlib.Path, help="a digits.csv.gz to read instead")
    parser.add_argument("--to", type=pathlib.Path, default=RESOURCES, help="folder to write in")
    arguments = parser.parse_args()
    packed = arguments.source.read_bytes() if arguments.source else download()
    with gzip.open(io.BytesIO(packed), "rt") as text:
        rows = [[int(cell) for cell in row] for row in csv.reader(text)]
    assert len(rows) == 1797 and all(len(row) == 65 for row in rows), "not the table that was expected"
    assert all(0 <= cell <= 16 for row in rows for cell in row[:64]), "a pixel is not in 0...16"
    arguments.to.mkdir(parents=True, exist_ok=True)
    write_npy(arguments.to / "digits.npy", (1797, 64), bytes(cell for row in rows for cell in row[:64]))
    write_npy(arguments.to / "digits-labels.npy", (1797,), bytes(row[64] for row in rows))


if __name__ == "__main__":
    main()
