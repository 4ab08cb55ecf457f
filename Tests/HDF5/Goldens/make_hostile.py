"""Writes hostile.h5: claims, cycles and bombs. Run: python3 make_hostile.py"""
import zlib

import h5py
import numpy as np


def low_level(f, name, shape, chunk, deflates=1):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(chunk)
    for _ in range(deflates):
        plist.set_deflate(9)
    plist.set_obj_track_times(False)
    space = h5py.h5s.create_simple(shape)
    return h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)


with h5py.File("hostile.h5", "w", libver="earliest") as f:
    f.create_dataset("sound", data=np.arange(6, dtype="f4"), track_times=False)
    f.create_dataset("claim", shape=(1 << 60,), dtype="f4", track_times=False)
    f.create_dataset("chunked claim", shape=(1 << 60,), dtype="f4", chunks=(1024,), compression="gzip", track_times=False)
    f.create_dataset("wide claim", shape=(1 << 30, 1 << 30, 1 << 30), dtype="u1", chunks=(1, 1, 64), track_times=False)
    f.create_group("zeros")
    f["ring/a"] = h5py.SoftLink("/ring/b")
    f["ring/b"] = h5py.SoftLink("/ring/c")
    f["ring/c"] = h5py.SoftLink("/ring/a")
    f["dangling"] = h5py.SoftLink("/nowhere/at all")
    # 4 KiB announced, 4 MiB unpacked.
    bomb = low_level(f, "bomb", (1024,), (1024,))
    bomb.write_direct_chunk((0,), zlib.compress(bytes(4 << 20), 9))
    # 4 KiB announced, 12 unpacked.
    dud = low_level(f, "dud", (1024,), (1024,))
    dud.write_direct_chunk((0,), zlib.compress(bytes(12), 9))
    low_level(f, "twice", (1024,), (1024,), deflates=2).write(
        h5py.h5s.ALL, h5py.h5s.ALL, np.zeros(1024, "f4"))
    # 16 MiB of zeros each: together more than any honest file of this size holds.
    for i in range(6):
        low_level(f, f"zeros/{i}", (4 << 20,), (4 << 20,)).write_direct_chunk((0,), zlib.compress(bytes(16 << 20), 9))
