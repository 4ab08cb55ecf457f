"""Writes h5py.h5: types, storage and attributes as another writer makes them. Run: python3 make_h5py.py"""
import h5py
import numpy as np

values = np.array([[0.0, -1.5, 2.0**-24], [65504.0, np.inf, 0.333251953125]])

with h5py.File("h5py.h5", "w", libver="earliest") as f:
    f.attrs["title"] = "variable text é"
    f.attrs["fixed"] = np.bytes_("fixed")
    f.attrs["names"] = ["one", "zwei", "trois"]
    f.attrs["fixed_names"] = np.array([b"a", b"bcd"])
    f.attrs["number"] = 7
    f.attrs["numbers"] = np.array([1, 2, 3], dtype=">i2")
    f.attrs["ratio"] = np.float32(0.25)
    f.attrs["nothing"] = h5py.Empty("f4")
    f.attrs["flag"] = True
    for name, dtype in {
        "f16": "<f2", "f16be": ">f2", "f32": "<f4", "f32be": ">f4", "f64": "<f8", "f64be": ">f8",
    }.items():
        f.create_dataset("floats/" + name, data=values.astype(dtype), track_times=False)
    for name, dtype in {"i8": "i1", "u8": "u1", "i16be": ">i2", "i32": "<i4", "u64": "<u8"}.items():
        f.create_dataset("integers/" + name, data=np.arange(5).astype(dtype), track_times=False)
    f.create_dataset("scalar", data=np.float32(3.5), track_times=False)
    f.create_dataset("empty", shape=(0, 4), dtype="f4", track_times=False)
    f.create_dataset(
        "packed", data=np.arange(600, dtype="f4").reshape(20, 30), chunks=(7, 30), compression="gzip", shuffle=True,
        fletcher32=True, track_times=False)
    f.create_dataset("text", data=["x", "y"], dtype=h5py.string_dtype(), track_times=False)
    f.create_dataset("lzf", data=np.zeros(64, "f4"), compression="lzf", track_times=False)
    f.create_dataset("huge", shape=(1 << 40,), dtype="f4", chunks=(1024,), track_times=False)
    f["external"] = h5py.ExternalLink("elsewhere.h5", "/x")
    f["soft"] = h5py.SoftLink("/floats/f32")
    f["floats/up"] = f["/"]
    f.create_dataset("outside", shape=(4,), dtype="u1", external=[("elsewhere.bin", 0, 4)], track_times=False)
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", shape=(4,))
    f.create_virtual_dataset("virtual", layout)
