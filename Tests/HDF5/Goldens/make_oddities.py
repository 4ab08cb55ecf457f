"""oddities.h5: what other programs store oddly, with what h5py and ml_dtypes read of it. many_chunks.h5: as its name says.
Needs h5py, numpy, ml_dtypes."""
import ctypes, glob, itertools, os
import h5py, ml_dtypes, numpy as np

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oddities.h5")
library = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
f32 = h5py.h5t.IEEE_F32LE


def create(group, name, type, shape, layout=h5py.h5d.CONTIGUOUS, alloc="DEFAULT", time="IFSET", fill="default"):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(layout)
    if layout == h5py.h5d.CHUNKED: properties.set_chunk((2,) * len(shape))
    properties.set_alloc_time(getattr(h5py.h5d, "ALLOC_TIME_" + alloc))
    properties.set_fill_time(getattr(h5py.h5d, "FILL_TIME_" + time))
    if isinstance(fill, str) and fill == "undefined":
        assert library.H5Pset_fill_value(ctypes.c_int64(properties.id), ctypes.c_int64(type.id), None) >= 0
    elif not isinstance(fill, str): properties.set_fill_value(np.array(fill))
    return h5py.Dataset(h5py.h5d.create(group.id, name, type, h5py.h5s.create_simple(shape), dcpl=properties))


def float_type(size, sign, exponent, exponent_bits, mantissa_bits, bias, order=h5py.h5t.ORDER_LE):
    type = h5py.h5t.IEEE_F64LE.copy() if size == 8 else f32.copy()
    type.set_fields(sign, exponent, exponent_bits, 0, mantissa_bits)
    type.set_precision(size * 8)
    type.set_size(size)
    type.set_ebias(bias)
    type.set_order(order)
    return type


with h5py.File(path, "w", libver="earliest") as f:
    # Never written, in all ways.
    g = f.create_group("fill")
    layouts = {"contiguous": h5py.h5d.CONTIGUOUS, "compact": h5py.h5d.COMPACT, "chunked": h5py.h5d.CHUNKED}
    for (layout, kind), alloc, time, fill in itertools.product(
        layouts.items(), ["DEFAULT", "EARLY", "LATE", "INCR"], ["ALLOC", "NEVER", "IFSET"], ["default", "undefined", np.float32(7)]):
        try: create(g, f"{layout} {alloc} {time} {fill}".encode(), f32, (3,), kind, alloc, time, fill)
        except (OSError, ValueError): pass  # not every combination is allowed
    create(g, b"partial", f32, (5, 3), h5py.h5d.CHUNKED, fill=np.float32(-2.5))[0:2, 0:2] = [[1, 2], [3, 4]]
    create(g, b"wider", h5py.h5t.STD_I16BE, (3,), fill=np.array(-7, ">i2"))
    create(g, b"half", h5py.h5t.IEEE_F16LE, (3,), fill=np.array(0.5, "<f2"))

    # Numbers of machine learning, as bytes without a meaning and as what HDF5 makes of them.
    g = f.create_group("types")
    everything = np.arange(256, dtype=np.uint8)
    some = (np.arange(0, 65536, 251, dtype=np.uint16))
    for dtype, bits in [("bfloat16", some), ("float8_e4m3fn", everything), ("float8_e5m2", everything)]:
        values = bits.view(getattr(ml_dtypes, dtype))
        raw = bits.view(f"V{bits.itemsize}")
        expected = values.astype(np.float32)
        stored = [g.create_dataset(f"{dtype} keras", data=raw)]
        stored[0].attrs["dtype"] = dtype
        opaque = h5py.h5t.create(h5py.h5t.OPAQUE, bits.itemsize)
        opaque.set_tag(dtype.encode())
        stored.append(h5py.Dataset(h5py.h5d.create(g.id, f"{dtype} tag".encode(), opaque, h5py.h5s.create_simple(bits.shape))))
        if dtype == "bfloat16":
            stored += [g.create_dataset("bfloat16 plain", data=raw), g.create_dataset("bfloat16 packed", data=raw, chunks=(50,), compression=4, shuffle=True)]
        layout = {"bfloat16": (2, 15, 7, 8, 7, 127), "float8_e4m3fn": (1, 7, 3, 4, 3, 7), "float8_e5m2": (1, 7, 2, 5, 2, 15)}[dtype]
        orders = [h5py.h5t.ORDER_LE, h5py.h5t.ORDER_BE] if dtype == "bfloat16" else [h5py.h5t.ORDER_LE]
        for order in orders:
            type = float_type(*layout, order)
            stored.append(h5py.Dataset(h5py.h5d.create(g.id, f"{dtype} float{order}".encode(), type, h5py.h5s.create_simple(bits.shape))))
        for dataset in stored[1:]:
            type = dataset.id.get_type()
            if dataset.name.endswith(("plain", "packed")): continue
            swapped = dataset.name.endswith(f"float{h5py.h5t.ORDER_BE}")
            dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, bits.byteswap() if swapped else bits, mtype=type)
        for dataset in stored: dataset.attrs["expected"] = expected.astype("<f4")
    opaque = h5py.h5t.create(h5py.h5t.OPAQUE, 2)
    create(g, b"bfloat16 unwritten", opaque, (2,), fill=np.array(b"\xc0\x3f", "V2")).attrs["expected"] = np.array([1.5, 1.5], "<f4")
    for size, tag in [(1, b""), (2, b"rgb565"), (4, b"colour"), (3, b"")]:
        opaque = h5py.h5t.create(h5py.h5t.OPAQUE, size)
        if tag: opaque.set_tag(tag)
        create(g, f"opaque {size}".encode(), opaque, (2,))

    # Names: that decode to equal strings, and that are odd.
    g = f.create_group("names")
    names = [b"\xff", b"\xfe", b"caf\xe9", "é".encode(), "e\u0301".encode(), "\u0301x".encode(), b"layers\\conv2d", b"a b", b"new\nline",
             "\ufffe".encode(), "\u202egnp".encode(), "\U0001f600".encode(), b"\\xFF", b".hidden", b"..x", "ﬀ".encode(), b"ff"]
    for number, name in enumerate(names):
        dataset = h5py.Dataset(h5py.h5d.create(g.id, name, f32, h5py.h5s.create_simple((1,))))
        dataset[...] = number
        dataset.attrs["bytes"] = np.frombuffer(name, np.uint8)
        attribute = h5py.h5a.create(g.id, name, h5py.h5t.STD_I32LE, h5py.h5s.create(h5py.h5s.SCALAR))
        attribute.write(np.array(number, "<i4"))
    h5py.h5d.create(h5py.h5g.create(g.id, "e\u0301 group".encode()), b"\xffinner", f32, h5py.h5s.create_simple((1,)))

    # Named types, references and cycles.
    g = f.create_group("links")
    g["type"] = np.dtype("<f4")
    g["type again"] = g["type"]
    g.create_dataset("typed", data=[1, 2], dtype=g["type"])
    g["inner/type"] = g["type"]
    g["typed again"] = g["typed"]
    g["inner/up"] = g
    g["loop"] = h5py.SoftLink("/links/loop")
    g["soft up"] = h5py.SoftLink("/")
    g["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
    g.create_dataset("reference", data=g["typed"].ref, dtype=h5py.ref_dtype)
    g.create_dataset("region", data=g["typed"].regionref[0:1], dtype=h5py.regionref_dtype)
    g.attrs["reference"] = g.ref

    # Chunks that HDF5 stores in ways of their own.
    g = f.create_group("chunks")
    g.create_dataset("few of many", shape=(10_000_000,), dtype="f4", chunks=(1,), fillvalue=3)[9_999_998:] = [1, 2]
    g.create_dataset("shrunk", data=np.arange(9, dtype="f4"), chunks=(2,), maxshape=(None,)).resize((5,))
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4, 4))
    properties.set_deflate(4)
    library.H5Pset_chunk_opts(ctypes.c_int64(properties.id), ctypes.c_uint(2))
    h5py.Dataset(h5py.h5d.create(g.id, b"edges unfiltered", f32, h5py.h5s.create_simple((6, 7)), dcpl=properties))[...] = np.arange(42).reshape(6, 7)

with h5py.File(path, "a") as f:
    for dataset in f["fill"].values():
        try: expected = dataset[...].astype("<f8")
        except OSError: continue
        dataset.attrs["expected"] = expected

with h5py.File(os.path.join(os.path.dirname(path), "many_chunks.h5"), "w", libver="latest") as f:
    f.create_dataset("many", data=np.arange(20_000, dtype="i2"), chunks=(1,), maxshape=(None,))
