"""Unpacks scikit-learn's copy of the UCI handwritten digits into Sources/Datasets/Resources/digit-scenes.

    pip download --no-deps scikit-learn
    python scripts/make_digit_scenes.py scikit_learn-*.whl

The file is taken as it is: 1,797 lines of 64 intensities 0...16 (8x8, rows top down) and a label 0...9.
"""
import gzip
import pathlib
import sys
import zipfile

MEMBER = "sklearn/datasets/data/digits.csv.gz"
target = pathlib.Path(__file__).parent.parent / "Sources/Datasets/Resources/digit-scenes/optdigits.csv"

with zipfile.ZipFile(sys.argv[1]) as wheel:
    text = gzip.decompress(wheel.read(MEMBER))

rows = [[int(float(value)) for value in line.split(",")] for line in text.decode().split()]
assert len(rows) == 1797 and all(len(row) == 65 and max(row[:64]) <= 16 and row[64] <= 9 for row in rows)
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
print(target.name, target.stat().st_size, "bytes")
