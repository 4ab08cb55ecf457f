"""Writes latest.h5 and user_block.h5: the format of HDF5 1.10 with every kind of chunk index, dense groups and attributes,
fill values and bfloat16. Run: python3 make_latest.py"""
import h5py
import numpy as np

values = np.arange(24, dtype="f4").reshape(4, 6)


def bfloat16():
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_size(2)
    kind.set_ebias(127)
    return kind


def write(f):
    f.create_dataset("contiguous", data=values, track_times=False)
    f.create_dataset("single", data=values, chunks=(4, 6), track_times=False)
    f.create_dataset("fixed", data=values, chunks=(3, 4), track_times=False)
    f.create_dataset("extensible", data=values, chunks=(3, 4), maxshape=(None, 6), compression="gzip", track_times=False)
    f.create_dataset("tree", data=values, chunks=(3, 4), maxshape=(None, None), shuffle=True, fletcher32=True, track_times=False)


with h5py.File("latest.h5", "w", libver=("v110", "v110")) as f:
    write(f)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 4))
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_obj_track_times(False)
    implicit = h5py.h5d.create(f.id, b"implicit", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((4, 6)), plist)
    h5py.Dataset(implicit)[...] = values
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_obj_track_times(False)
    brain = h5py.h5d.create(f.id, b"bfloat16", bfloat16(), h5py.h5s.create_simple((3,)), plist)
    brain.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([0x3F80, 0xC020, 0x7F80], "<u2"), mtype=bfloat16())
    plist.set_layout(h5py.h5d.COMPACT)
    compact = h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F64BE, h5py.h5s.create_simple((2,)), plist)
    h5py.Dataset(compact)[...] = [0.1, -2]
    # One of four chunks written: the others are the fill value.
    sparse = f.create_dataset("sparse", shape=(4, 6), dtype=">i2", chunks=(2, 3), fillvalue=-7, track_times=False)
    sparse[0:2, 3:6] = [[1, 2, 3], [4, 5, 6]]
    f.create_dataset("unwritten", shape=(5,), dtype="f4", track_times=False)
    five = np.arange(2 * 3 * 2 * 3 * 2, dtype="f8").reshape(2, 3, 2, 3, 2)
    f.create_dataset("five", data=five, chunks=(1, 2, 2, 2, 2), compression="gzip", shuffle=True, track_times=False)
    for i in range(40):
        f.attrs[f"attribute {i:02}"] = i
        f.create_group(f"many/group {i:02}")
    f.attrs["long"] = "x" * 70000
    f.attrs.create("texts", ["", "é", "three"], dtype=h5py.string_dtype())

with h5py.File("user_block.h5", "w", libver="earliest", userblock_size=512) as f:
    write(f)
