"""libbp in Python: neural networks that learn by backpropagation. One file to copy beside a program; it needs the shared library, and nothing else.

    net = bp.Net(64).add_dense(32, "tanh").add_dense(10, "softmax").initialize(seed=42)
    training = bp.Dataset(pixels, classes=digits)
    optimizer = bp.Optimizer(net, "adam", learning_rate=0.005)
    bp.Trainer(net, optimizer, "cross_entropy", training, epochs=20).run()
    outputs = net.predict(other_pixels)
    net.save("digits.safetensors")

or, as scikit-learn has it, bp.Classifier().fit(X, y).predict(X). The headers in include/bp say what each call does; names of activations, methods,
losses and settings are theirs in lower case. Errors are exceptions with the library's sentence: Error, and a class for each status.

Arrays are numpy's, array.array, ctypes arrays, anything else with a buffer, or lists. An array of the net's element type (float for "f32", double for
"f64") is used where it lies, without a copy; one that is not contiguous is copied as an input, and refused as an output; one of another type is
refused, and only lists are converted. Rows are samples; a flat array holds row behind row. Results are numpy arrays where numpy is installed, else
flat array.array.

Threads: ctypes lets go of the GIL while the library works, so that threads train and predict at the same time. Any number of them may read a net
(predict, evaluate, save); whoever changes an object (train, set, close) has to have it alone, as has a workspace whoever computes with it. An object
that another thread is busy with is refused by StateError, and nothing is waited for. Control-C ends Trainer.run at the end of an epoch.
"""
from __future__ import annotations

import ctypes
import ctypes.util
import enum
import functools
import inspect
import math
import operator
import os
import sys
import threading
from array import array
from typing import Any, Callable, Iterable, Sequence

try:
    import numpy
except ImportError:
    numpy = None


# ---- errors ----
Status = enum.IntEnum("Status", "ARGUMENT DTYPE STATE MEMORY IO FORMAT NONFINITE UNSUPPORTED DIVERGED CONNECTION")  # bp_status, from 1 on


class Error(Exception):
    """What was refused, in a sentence, the library's own where it is the library that refuses; status says of which kind it is."""
    status: int = 0  # one that this file does not know


class ArgumentError(Error, ValueError): status = Status.ARGUMENT
class DtypeError(Error, TypeError): status = Status.DTYPE
class StateError(Error, RuntimeError): status = Status.STATE
class OutOfMemoryError(Error, MemoryError): status = Status.MEMORY
class FileError(Error, OSError): status = Status.IO
class FormatError(Error, ValueError): status = Status.FORMAT
class NonfiniteError(Error, ValueError): status = Status.NONFINITE
class UnsupportedError(Error, NotImplementedError): status = Status.UNSUPPORTED
class DivergedError(Error, ArithmeticError): status = Status.DIVERGED
class ConnectionLostError(Error, ConnectionError): status = Status.CONNECTION


_ERRORS = {error.status: error for error in Error.__subclasses__()}

# ---- the library's functions ----
# What a function returns, then its arguments. An object that it changes is written as in "net", one that it only reads as in "const net"; "callback
# optimizer" may also be changed by the progress function of the run that is busy with it. Names that end in _* have a form _f32 and a form _f64.
STATUS, WHOLE, SIZE, SEED, REAL = "status", ctypes.c_int, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_double
TEXT, ADDRESS = ctypes.c_char_p, ctypes.c_void_p
_FUNCTIONS: dict[str, tuple] = {
    "bp_last_error": (TEXT,), "bp_version": (TEXT,), "bp_free": (None, ADDRESS),
    "bp_net_create": (STATUS, ADDRESS, WHOLE, SIZE), "bp_net_add_dense": (STATUS, "net", SIZE, WHOLE, WHOLE),
    "bp_net_initialize": (STATUS, "net", WHOLE, SEED), "bp_net_set_dropout": (STATUS, "net", SIZE, REAL),
    "bp_net_is_initialized": (WHOLE, "const net"), "bp_net_dtype": (WHOLE, "const net"),
    "bp_net_set_input_scaling_*": (STATUS, "net", ADDRESS, ADDRESS), "bp_net_get_input_scaling_*": (STATUS, "const net", ADDRESS, ADDRESS),
    "bp_net_set_output_scaling_*": (STATUS, "net", ADDRESS, ADDRESS), "bp_net_get_output_scaling_*": (STATUS, "const net", ADDRESS, ADDRESS),
    "bp_net_set_parameters_*": (STATUS, "net", ADDRESS), "bp_net_get_parameters_*": (STATUS, "const net", ADDRESS),
    "bp_net_set_input_names": (STATUS, "net", ADDRESS), "bp_net_input_name": (TEXT, "const net", SIZE),
    "bp_net_set_class_names": (STATUS, "net", SIZE, ADDRESS), "bp_net_class_name": (TEXT, "const net", SIZE),
    "bp_net_predict_*": (STATUS, "const net", "workspace", SIZE, ADDRESS, ADDRESS),
    "bp_net_train_step_*": (STATUS, "net", "workspace", "optimizer", WHOLE, SIZE, ADDRESS, ADDRESS, ADDRESS),
    "bp_net_train_online_*": (STATUS, "net", "workspace", "optimizer", WHOLE, SIZE, ADDRESS, ADDRESS, ADDRESS),
    "bp_net_evaluate": (STATUS, "const net", "workspace", WHOLE, "const dataset", SIZE, SIZE, ADDRESS, ADDRESS),
    "bp_net_save": (STATUS, "const net", TEXT), "bp_net_load": (STATUS, ADDRESS, TEXT),
    "bp_net_save_memory": (STATUS, "const net", ADDRESS, ADDRESS), "bp_net_load_memory": (STATUS, ADDRESS, TEXT, SIZE),
    "bp_workspace_create": (STATUS, ADDRESS, "const net", SIZE), "bp_workspace_set_threads": (STATUS, "workspace", SIZE),
    "bp_dataset_create_*": (STATUS, ADDRESS, SIZE, SIZE, SIZE, ADDRESS, ADDRESS),
    "bp_dataset_borrow_*": (STATUS, ADDRESS, SIZE, SIZE, SIZE, ADDRESS, ADDRESS),
    "bp_dataset_create_classes_*": (STATUS, ADDRESS, SIZE, SIZE, SIZE, ADDRESS, ADDRESS),
    "bp_dataset_read": (STATUS, ADDRESS, TEXT, WHOLE), "bp_dataset_read_pair": (STATUS, ADDRESS, TEXT, TEXT, WHOLE, SIZE),
    "bp_dataset_dtype": (WHOLE, "const dataset"), "bp_dataset_split": (STATUS, "const dataset", REAL, SEED, ADDRESS, ADDRESS),
    "bp_dataset_fit_scaling_*": (STATUS, "const dataset", WHOLE, ADDRESS, ADDRESS),
    "bp_dataset_fit_target_scaling_*": (STATUS, "const dataset", WHOLE, ADDRESS, ADDRESS),
    "bp_optimizer_create": (STATUS, ADDRESS, WHOLE, "const net"), "bp_optimizer_set_seed": (STATUS, "optimizer", SEED),
    "bp_optimizer_set": (STATUS, "callback optimizer", WHOLE, REAL), "bp_trainer_set": (STATUS, "trainer", WHOLE, REAL),
    "bp_trainer_create": (STATUS, ADDRESS, "net", "optimizer", WHOLE, "const dataset"),
    "bp_trainer_set_validation": (STATUS, "trainer", "const dataset"), "bp_trainer_set_progress": (STATUS, "trainer", ADDRESS, ADDRESS, WHOLE),
    "bp_trainer_run": (STATUS, "trainer"), "bp_trainer_stop": (WHOLE, "const trainer"), "bp_trainer_load": (STATUS, "trainer", TEXT),
    "bp_trainer_save": (STATUS, "const trainer", TEXT), "bp_trainer_history": (STATUS, "const trainer", WHOLE, SIZE, ADDRESS),
}
_KINDS = "net workspace dataset optimizer trainer"
_COUNTS = "net_input net_output net_parameter net_class dataset_sample dataset_input dataset_output dataset_class trainer_epoch"
_ENUMS = "activation dtype history initializer loss method metric optimizer_setting scaling stop trainer_setting"
_FUNCTIONS.update({f"bp_{kind}_destroy": (None, ADDRESS) for kind in _KINDS.split()})
_FUNCTIONS.update({f"bp_{what}_count": (SIZE, "const " + what.split("_")[0]) for what in _COUNTS.split()})
_FUNCTIONS.update({f"bp_{enumeration}_name": (TEXT, WHOLE) for enumeration in _ENUMS.split()})
_FUNCTIONS.update({f"bp_{enumeration}_from_name": (STATUS, TEXT, ADDRESS) for enumeration in _ENUMS.split()})
for _both in [name for name in _FUNCTIONS if name.endswith("_*")]:
    _FUNCTIONS[_both[:-1] + "f32"] = _FUNCTIONS[_both[:-1] + "f64"] = _FUNCTIONS.pop(_both)


def _find_library() -> ctypes.CDLL:
    """BP_LIBRARY if it is set; else the library beside this file, the system's, or the one that a compiler would link."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libbp.so.1")
    given = os.environ.get("BP_LIBRARY")
    places = [given] if given else [beside, "libbp.so.1", ctypes.util.find_library("bp")]
    reasons = []
    for place in filter(None, places):
        try:
            return ctypes.CDLL(place)
        except OSError as error:
            reasons.append(str(error))
    raise ImportError("the shared library of libbp is not found. Install it (cmake --install build/release && ldconfig), or set BP_LIBRARY to the "
                      "path of libbp.so.1, or LD_LIBRARY_PATH to its folder, or copy it beside bp.py. Tried: " + "; ".join(reasons))


class _Function:
    """A function of the library, and which of its arguments are objects: (index, how it is used, kind)."""

    def __init__(self, library: ctypes.CDLL, name: str, result: Any, *arguments: Any):
        if not hasattr(library, name):
            raise ImportError(f"{library._name} has no {name}: it is no libbp, or one that is too old for this bp.py")
        self.call = getattr(library, name)
        self.is_status = result == STATUS
        self.call.restype = ctypes.c_int if self.is_status else result
        self.call.argtypes = [ADDRESS if isinstance(argument, str) else argument for argument in arguments]
        self.objects = [(index, *(" " + argument).rsplit(" ", 1)) for index, argument in enumerate(arguments) if isinstance(argument, str)]


_library = _find_library()
_functions = {name: _Function(_library, name, *types) for name, types in _FUNCTIONS.items()}


def _run(name: str, *arguments: Any) -> Any:
    """Calls a function with objects that are held; a status that is not OK becomes an exception."""
    function = _functions[name]
    for index, _, kind in function.objects:
        if arguments[index] is not None and arguments[index]._kind != kind:
            raise TypeError(f"{name}: a {arguments[index]._kind} is where a {kind} is needed")
    result = function.call(*arguments)
    if function.is_status and result != 0:
        raise _ERRORS.get(result, Error)(_functions["bp_last_error"].call().decode())
    return result


def _call(name: str, *arguments: Any, read: Sequence[_Object] = ()) -> Any:
    """Calls a function, holding the objects among its arguments while it runs, and others that it reads."""
    changed, reading = [], [*read]
    for index, use, _ in _functions[name].objects:
        item = arguments[index]
        if item is not None:
            is_own = use == " callback" and item._user == threading.get_ident()
            (reading if is_own or use == " const" else changed).append(item)
    with _Held(name, changed, reading):
        return _run(name, *arguments)


_uses = threading.RLock()  # of _user and _readers of all objects; a garbage collection within it may close objects, and comes here again


class _Held:
    """Objects in use by a call: those that it changes are its own, those that it reads are there for others to read."""

    def __init__(self, name: str, changed: Iterable[_Object], read: Iterable[_Object]):
        self.name, self.changed, self.read = name, changed, read

    def __enter__(self) -> None:
        me = threading.get_ident()
        with _uses:
            for item in self.changed:
                if not isinstance(item, _Object) or item._as_parameter_ is None or item._user or item._readers:
                    raise _refusal(self.name, item)
            for item in self.read:
                if not isinstance(item, _Object) or item._as_parameter_ is None or item._user not in (0, me):
                    raise _refusal(self.name, item)
            for item in self.changed:
                item._user = me
            for item in self.read:
                item._readers += 1

    def __exit__(self, *_: Any) -> None:
        with _uses:
            for item in self.changed:
                item._user = 0
            for item in self.read:
                item._readers -= 1


def _refusal(name: str, item: Any) -> Exception:
    """Why an object cannot be used."""
    if not isinstance(item, _Object):
        return TypeError(f"{name}: {item!r} is no object of libbp")
    if item._as_parameter_ is None:
        return StateError(f"{name}: the {item._kind} is closed")
    is_own = item._user == threading.get_ident()
    whose = "the run that called this function" if is_own else "another thread" if item._user else "a call that reads it"
    return StateError(f"{name}: the {item._kind} is in use by {whose}")


class _Object:
    """An object of the library. It ends by close(), at the end of a with block, or when Python has no name for it any more."""
    _kind = ""
    _as_parameter_: int | None = None  # its address, which ctypes hands over; None: closed
    _user = 0  # the thread of the call that has it alone
    _readers = 0  # calls that read it
    _lent: Any = None  # arrays of the caller's that it uses

    def _make(self, name: str, *arguments: Any) -> Any:
        """Calls a function whose first argument receives a new object, which self becomes."""
        pointer = ctypes.c_void_p()
        _call(name, ctypes.byref(pointer), *arguments)
        self._as_parameter_ = pointer.value
        return self

    @functools.cached_property
    def dtype(self) -> str:
        """The element type of a net or a dataset, "f32" or "f64"."""
        return _name("dtype", _call(f"bp_{self._kind}_dtype", self))

    def close(self) -> None:
        """Ends the object; whoever uses it afterwards gets a StateError, as does who closes it while it is in use."""
        with _uses:
            if self._as_parameter_ is None:
                return
            if self._user or self._readers:
                raise _refusal(f"bp_{self._kind}_destroy", self)
            pointer, self._as_parameter_ = self._as_parameter_, None
        _run(f"bp_{self._kind}_destroy", pointer)
        self._lent = None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError(f"a bp.{type(self).__name__} cannot be pickled or copied")


def _attribute(name: str, convert: Callable = lambda value: value) -> Any:
    """A property that the library computes."""
    return property(lambda self: convert(_call(name, self)))


def version() -> str:
    """The version of the library that is loaded."""
    return _run("bp_version").decode()


# ---- values ----
@functools.lru_cache(maxsize=None)
def _value(enumeration: str, name: str) -> int:
    """The number behind a name, as of the activation "tanh"."""
    value = ctypes.c_int()
    _run(f"bp_{enumeration}_from_name", _text(name), ctypes.byref(value))
    return value.value


@functools.lru_cache(maxsize=None)
def _name(enumeration: str, value: int) -> str:
    return _run(f"bp_{enumeration}_name", value).decode()


def _text(text: str | os.PathLike, encode: Callable = str.encode) -> bytes:
    encoded = encode(text)
    if b"\0" in encoded:
        raise ArgumentError(f"{text!r} has a character 0")
    return encoded


_path = functools.partial(_text, encode=os.fsencode)


def _texts(texts: Sequence[str] | None) -> ctypes.Array | None:
    return (TEXT * len(texts))(*map(_text, texts)) if texts else None


def _whole(what: str, value: Any) -> int:
    number = operator.index(value)
    if not 0 <= number < 2**64:
        raise ArgumentError(f"{what} is {number}; it can be 0 or more, and below 2⁶⁴")
    return number


# ---- arrays ----
def _code(dtype: str) -> str:
    """What array.array, and the format of a buffer, call the element type."""
    return {1: "f", 2: "d"}[_value("dtype", dtype)]


class _Array:
    """Where an array is in memory, for the library to use there: an address, a shape, and what has to live as long."""

    def __init__(self, what: str, values: Any, code: str, is_output: bool = False):
        view = _view(values)
        if view is not None:
            self.shape = view.shape
            owner = _checked(what, view, code, is_output)
        elif is_output:
            raise DtypeError(f"{what} is of type {type(values).__name__!r}, and has no memory to write to")
        else:
            owner, self.shape = _from_sequence(what, values, code)
        if memoryview(owner).readonly:
            self.owner = numpy.asarray(owner)
            self.address = self.owner.ctypes.data
        else:
            self.owner = (ctypes.c_char * 0).from_buffer(owner)  # while this lives, the array cannot be moved
            self.address = ctypes.addressof(self.owner)
        self.size = math.prod(self.shape)
        if self.size > 0 and self.address % array(code).itemsize:
            raise ArgumentError(f"{what} does not lie at a multiple of its element's size; a copy would")

    def rows(self, what: str, width: int) -> int:
        """How many rows of this width it has."""
        if len(self.shape) == 1 and width > 0 and self.size % width == 0:
            return self.size // width
        if len(self.shape) > 1 and math.prod(self.shape[1:]) == width:
            return self.shape[0]
        raise ArgumentError(f"{what} has the shape {self.shape}; it can be rows of {width}")


def _view(values: Any) -> memoryview | None:
    """The buffer of an array, or None for a list."""
    if numpy is not None and hasattr(values, "__array__") and not isinstance(values, numpy.ndarray):
        values = numpy.asarray(values)  # a table of pandas, for example
    try:
        return memoryview(values)
    except (TypeError, ValueError, BufferError):
        if hasattr(values, "dtype"):
            raise DtypeError(f"an array of {values.dtype} has no numbers that C can use") from None
        return None


def _type(view: memoryview) -> str:
    """The type of a buffer's elements as array.array calls it, without the sign of this machine's byte order."""
    return view.format.lstrip("@=<" if sys.byteorder == "little" else "@=>")


def _checked(what: str, view: memoryview, code: str, is_output: bool) -> memoryview | array:
    """The buffer, or a copy that C can use."""
    if _type(view) != code:
        raise DtypeError(f"{what}: elements are of type {view.format!r}; they can be {code!r}, as array.array and numpy call it")
    if is_output and (view.readonly or not view.c_contiguous):
        raise ArgumentError(f"{what} is {'read-only' if view.readonly else 'not contiguous'}")
    is_usable = view.c_contiguous and (not view.readonly or numpy is not None)  # only numpy tells the address of what cannot be written
    return view if is_usable else array(code, view.tobytes())


def _from_sequence(what: str, values: Any, code: str) -> tuple[array, tuple[int, ...]]:
    """Numbers, or rows of numbers, as an array and its shape."""
    try:
        rows = list(values)
        if not rows or not hasattr(rows[0], "__len__"):
            return array(code, rows), (len(rows),)
        if len({len(row) for row in rows}) > 1:
            raise ArgumentError(f"{what} has rows of different lengths")
        return array(code, [number for row in rows for number in row]), (len(rows), len(rows[0]))
    except (TypeError, OverflowError) as error:
        raise DtypeError(f"{what} is not a list of numbers that C has, or of rows of them: {error}") from None


def _classes(what: str, values: Any) -> _Array:
    """Whole numbers, of any type, as uint32_t."""
    view = _view(values)
    return _Array(what, view.tolist() if view is not None and _type(view) in "?bBhHilLqQ" else values, "I")


def _exactly(what: str, values: Any, code: str, size: int) -> _Array:
    found = _Array(what, values, code)
    if found.size != size:
        raise ArgumentError(f"{what} has {found.size} elements; it can have {size}")
    return found


def _new(dtype: str, *shape: int) -> tuple[Any, int]:
    """An array for results, and its address."""
    result = numpy.empty(shape, _code(dtype)) if numpy is not None else array(_code(dtype), [0]) * math.prod(shape)
    return result, _Array("result", result, _code(dtype)).address


def _two_arrays(name: str, size: str, item: Net | Dataset, *arguments: int) -> tuple[Any, Any]:
    """Calls a function that ends in two arrays for results, as long as another function says."""
    with _Held(name, (), (item,)):
        n = _run(size, item)
        (first, first_address), (second, second_address) = _new(item.dtype, n), _new(item.dtype, n)
        _run(f"{name}_{item.dtype}", item, *arguments, first_address, second_address)
    return first, second


# ---- nets ----
def _scaling(side: str, doc: str) -> Any:
    """The property input_scaling or output_scaling of a net."""
    def get(net: Net) -> tuple[Any, Any]:
        return _two_arrays(f"bp_net_get_{side}_scaling", f"bp_net_{side}_count", net)

    def put(net: Net, scaling: tuple[Any, Any] | None) -> None:
        name = f"bp_net_set_{side}_scaling"
        with _Held(name, (net,), ()):
            width = _run(f"bp_net_{side}_count", net)
            given = [_exactly(f"{name}: a part", part, _code(net.dtype), width) for part in scaling or ()]
            offset, scale = [part.address for part in given] or (None, None)
            _run(f"{name}_{net.dtype}", net, offset, scale)

    return property(get, put, doc=doc)


class Net(_Object):
    """A feed-forward network: add layers, initialize it, then train or predict. Pickled and copied it is as in a model file, without dropout."""
    _kind = "net"
    n_inputs: int = _attribute("bp_net_input_count")
    n_outputs: int = _attribute("bp_net_output_count")
    n_parameters: int = _attribute("bp_net_parameter_count")
    is_initialized: bool = _attribute("bp_net_is_initialized", bool)
    input_scaling = _scaling("input", "(offset, scale): the first layer sees (x - offset) * scale. Dataset.fit_scaling computes it; None: 0 and 1.")
    output_scaling = _scaling("output", "(offset, scale): the last layer learns (z - offset) * scale; targets and outputs stay in the data's units.")

    def __init__(self, n_inputs: int, dtype: str = "f32"):
        self._make("bp_net_create", _value("dtype", dtype), _whole("n_inputs", n_inputs))

    def add_dense(self, units: int, activation: str = "identity", bias: bool = True) -> Net:
        _call("bp_net_add_dense", self, _whole("units", units), _value("activation", activation), int(bias))
        return self

    def initialize(self, initializer: str = "glorot_uniform", seed: int = 0) -> Net:
        """Draws the weights; from now on the shape is fixed."""
        _call("bp_net_initialize", self, _value("initializer", initializer), _whole("seed", seed))
        return self

    def set_dropout(self, layer: int, probability: float) -> None:
        _call("bp_net_set_dropout", self, _whole("layer", layer), float(probability))

    @property
    def parameters(self) -> Any:
        """A copy of all parameters: of each layer the weights, row by row, and the bias. To be set as a whole."""
        with _Held("bp_net_get_parameters", (), (self,)):
            result, address = _new(self.dtype, _run("bp_net_parameter_count", self))
            _run(f"bp_net_get_parameters_{self.dtype}", self, address)
        return result

    @parameters.setter
    def parameters(self, values: Any) -> None:
        with _Held("bp_net_set_parameters", (self,), ()):
            given = _exactly("bp_net_set_parameters: parameters", values, _code(self.dtype), _run("bp_net_parameter_count", self))
            _run(f"bp_net_set_parameters_{self.dtype}", self, given.address)

    @property
    def input_names(self) -> list[str] | None:
        names = [_call("bp_net_input_name", self, index) for index in range(self.n_inputs)]
        return [name.decode() for name in names] if names[0] is not None else None

    @input_names.setter
    def input_names(self, names: Sequence[str] | None) -> None:
        if names and len(names) != self.n_inputs:
            raise ArgumentError(f"bp_net_set_input_names: {len(names)} names for {self.n_inputs} inputs")
        _call("bp_net_set_input_names", self, _texts(names))

    @property
    def class_names(self) -> list[str] | None:
        return [_call("bp_net_class_name", self, index).decode() for index in range(_call("bp_net_class_count", self))] or None

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        _call("bp_net_set_class_names", self, len(names or ()), _texts(names))

    def save(self, path: str | os.PathLike) -> None:
        _call("bp_net_save", self, _path(path))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Net:
        return cls.__new__(cls)._make("bp_net_load", _path(path))

    def to_bytes(self) -> bytes:
        """What save would write."""
        content, size = ctypes.c_void_p(), ctypes.c_size_t()
        _call("bp_net_save_memory", self, ctypes.byref(content), ctypes.byref(size))
        try:
            return ctypes.string_at(content, size.value)
        finally:
            _run("bp_free", content)

    @classmethod
    def from_bytes(cls, content: bytes) -> Net:
        return cls.__new__(cls)._make("bp_net_load_memory", bytes(content), len(content))

    def __reduce__(self) -> Any:
        return type(self).from_bytes, (self.to_bytes(),)

    def _workspace(self, given: Workspace | None) -> Workspace:
        """What the caller gives, or a workspace of this net for this thread."""
        own = vars(self).setdefault("_own", threading.local())
        if given is None and not hasattr(own, "workspace"):
            own.workspace = Workspace(self)
        return own.workspace if given is None else given

    def _rows(self, name: str, side: str, values: Any) -> tuple[_Array, int]:
        found = _Array(f"{name}: {side}s", values, _code(self.dtype))
        return found, found.rows(f"{name}: {side}s", _run(f"bp_net_{side}_count", self))

    def predict(self, inputs: Any, *, workspace: Workspace | None = None, out: Any = None) -> Any:
        """The outputs for any number of samples, as flat as the inputs are, or written to out. Without a workspace each thread gets one."""
        name, workspace = "bp_net_predict", self._workspace(workspace)
        with _Held(name, (workspace,), (self,)):
            x, n = self._rows(name, "input", inputs)
            width = _run("bp_net_output_count", self)
            if out is None:
                out, address = _new(self.dtype, *((n, width) if len(x.shape) > 1 else (n * width,)))
            else:
                y = _Array(f"{name}: out", out, _code(self.dtype), is_output=True)
                address = y.address
                if y.size != n * width:
                    raise ArgumentError(f"{name}: out has the shape {y.shape}; the outputs are {n} rows of {width}")
            _run(f"{name}_{self.dtype}", self, workspace, n, x.address, address)
        return out

    def train_step(self, workspace: Workspace, optimizer: Optimizer, loss: str, inputs: Any, targets: Any, *, online: bool = False) -> float:
        """One step on a batch, or online one with each of any number of samples. Returns the mean loss, of samples before their step."""
        name, kind = "bp_net_train_online" if online else "bp_net_train_step", _value("loss", loss)
        mean = (ctypes.c_float if self.dtype == "f32" else ctypes.c_double)()
        with _Held(name, (self, workspace, optimizer), ()):
            (x, n), (z, n_targets) = self._rows(name, "input", inputs), self._rows(name, "output", targets)
            if n_targets != n:
                raise ArgumentError(f"{name}: there are {n} rows of inputs, and {n_targets} of targets")
            _run(f"{name}_{self.dtype}", self, workspace, optimizer, kind, n, x.address, z.address, ctypes.byref(mean))
        return mean.value

    def evaluate(self, dataset: Dataset, loss: str, *, workspace: Workspace | None = None, top_k: int = 1) -> dict[str, float]:
        """The metrics by name: loss, mae, rmse, r2, and for classes accuracy and top_k."""
        values, workspace = (ctypes.c_double * len(_METRICS))(), self._workspace(workspace)
        _call("bp_net_evaluate", self, workspace, _value("loss", loss), dataset, _whole("top_k", top_k), len(values), values, None)
        return _metrics(values)


_METRICS = [_name("metric", index) for index in range(6)]


def _metrics(values: Iterable[float]) -> dict[str, float]:
    return {name: value for name, value in zip(_METRICS, values) if not math.isnan(value)}


class Workspace(_Object):
    """The buffers that a net computes in, for batches up to max_batch. Each thread of Python has its own; threads are the library's."""
    _kind = "workspace"

    def __init__(self, net: Net, max_batch: int = 64, threads: int = 1):
        self._make("bp_workspace_create", net, _whole("max_batch", max_batch))
        _call("bp_workspace_set_threads", self, _whole("threads", threads))


# ---- data ----
class Dataset(_Object):
    """Samples: inputs, a row each, with rows of targets or with classes, whole numbers from 0 on, or neither.

    Arrays of inputs and targets are used where they lie, and must stay as they are while the dataset lives; copy=True copies them, as is done with
    the inputs of classes. Of flat arrays n_inputs says how long a row is; with classes that is known. Lists become of dtype, "f32" unless given.
    """
    _kind = "dataset"
    n_samples: int = _attribute("bp_dataset_sample_count")
    n_inputs: int = _attribute("bp_dataset_input_count")
    n_outputs: int = _attribute("bp_dataset_output_count")
    n_classes: int = _attribute("bp_dataset_class_count")  # 0 without classes

    def __init__(self, inputs: Any, targets: Any = None, *, classes: Any = None, n_classes: int | None = None, n_inputs: int | None = None,
                 dtype: str | None = None, copy: bool = False):
        view = _view(inputs)
        dtype = dtype or ("f64" if view is not None and _type(view) == "d" else "f32")
        x = _Array("bp.Dataset: inputs", inputs, _code(dtype))
        z = _Array("bp.Dataset: targets", targets, _code(dtype)) if targets is not None else None
        labels = _classes("bp.Dataset: classes", classes) if classes is not None else None
        if n_inputs is None and len(x.shape) < 2 and not (labels and labels.size):
            raise ArgumentError(f"bp.Dataset: inputs has the shape {x.shape}; a flat array needs n_inputs")
        width = _whole("n_inputs", n_inputs) if n_inputs is not None else math.prod(x.shape[1:]) if len(x.shape) > 1 else x.size // labels.size
        n = x.rows("bp.Dataset: inputs", width)
        if n == 0 or (z and (labels or z.size % n)) or (labels and labels.size != n):
            raise ArgumentError(f"bp.Dataset: {n} samples with {z.size if z else 0} targets and {labels.size if labels else 0} classes")
        if labels:
            n_classes = n_classes if n_classes is not None else 1 + max((ctypes.c_uint32 * n).from_address(labels.address))
            self._make(f"bp_dataset_create_classes_{dtype}", n, width, _whole("n_classes", n_classes), x.address, labels.address)
        else:
            name, n_outputs = f"bp_dataset_{'create' if copy else 'borrow'}_{dtype}", z.size // n if z else 0
            self._make(name, n, width, n_outputs, x.address, z.address if z else None)
            self._lent = None if copy else (x, z)

    @classmethod
    def read(cls, path: str | os.PathLike, dtype: str = "f32") -> Dataset:
        """Samples of a file: IDX, NPY, FANN's data, or CSV of numbers."""
        return cls.__new__(cls)._make("bp_dataset_read", _path(path), _value("dtype", dtype))

    @classmethod
    def read_pair(cls, inputs_path: str | os.PathLike, targets_path: str | os.PathLike, dtype: str = "f32", n_classes: int = 0) -> Dataset:
        """Inputs and targets, or classes, of two files: IDX or NPY."""
        paths = _path(inputs_path), _path(targets_path)
        return cls.__new__(cls)._make("bp_dataset_read_pair", *paths, _value("dtype", dtype), _whole("n_classes", n_classes))

    def split(self, test_fraction: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """(training part, test part), shuffled, of each class alike."""
        training, test, pointers = Dataset.__new__(Dataset), Dataset.__new__(Dataset), (ADDRESS(), ADDRESS())
        _call("bp_dataset_split", self, float(test_fraction), _whole("seed", seed), *map(ctypes.byref, pointers))
        training._as_parameter_, test._as_parameter_ = pointers[0].value, pointers[1].value
        return training, test

    def fit_scaling(self, scaling: str = "standard") -> tuple[Any, Any]:
        """(offset, scale) for Net.input_scaling: "standard" or "min_max"."""
        return _two_arrays("bp_dataset_fit_scaling", "bp_dataset_input_count", self, _value("scaling", scaling))

    def fit_target_scaling(self, scaling: str = "standard") -> tuple[Any, Any]:
        """(offset, scale) for Net.output_scaling."""
        return _two_arrays("bp_dataset_fit_target_scaling", "bp_dataset_output_count", self, _value("scaling", scaling))


# ---- training ----
class _WithSettings(_Object):
    """What optimizers and trainers have in common: numbers that are set by name."""
    _parts: tuple = ()  # objects that it uses

    def set(self, **settings: float | str) -> None:
        """Changes settings: set(learning_rate=0.01)."""
        for name, value in settings.items():
            number = _value("metric", value) if isinstance(value, str) and name == "monitor" else float(value)
            _call(f"bp_{self._kind}_set", self, _value(f"{self._kind}_setting", name), number, read=self._parts)


class Optimizer(_WithSettings):
    """A method ("sgd", "adam", …) for one net, with its state. Its settings can be changed between steps, and by a progress function."""
    _kind = "optimizer"

    def __init__(self, net: Net, method: str = "sgd", *, seed: int = 0, **settings: float):
        self._make("bp_optimizer_create", _value("method", method), net)
        _call("bp_optimizer_set_seed", self, _whole("seed", seed))  # of dropout
        self.set(**settings)


class Progress(ctypes.Structure):
    """What a progress function is told: the fields of bp_progress, and the metrics so far by name in training and validation."""
    _fields_ = [("size", ctypes.c_size_t), ("is_epoch_end", ctypes.c_int), ("epoch", ctypes.c_uint64), ("epochs", ctypes.c_uint64),
                ("batch", ctypes.c_uint64), ("batches", ctypes.c_uint64), ("step", ctypes.c_uint64), ("learning_rate", ctypes.c_double),
                ("training_loss", ctypes.c_double), ("seconds", ctypes.c_double), ("samples_per_second", ctypes.c_double),
                ("seconds_left", ctypes.c_double), ("n_metrics", ctypes.c_size_t), ("_training", ctypes.POINTER(ctypes.c_double)),
                ("_validation", ctypes.POINTER(ctypes.c_double))]

    @classmethod
    def _copy(cls, lent: Progress) -> Progress:
        """One that can be kept."""
        copy = cls.from_buffer_copy(lent)
        copy.training, copy.validation = _metrics(lent._training[:lent.n_metrics]), _metrics(lent._validation[:lent.n_metrics])
        copy._training = copy._validation = None
        return copy


_PROGRESS_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Progress))


class Trainer(_WithSettings):
    """The loop around training steps. Settings are those of bp/trainer.h: epochs, batch_size, seed, patience, monitor="accuracy", …

    progress is called with a Progress at each epoch's end, or with when="batch" behind each batch; a result that is true stops the run, and an
    exception in it stops the run and comes out of run(). It may read net and trainer, save them, and set the optimizer.
    """
    _kind = "trainer"
    stop: str = _attribute("bp_trainer_stop", functools.partial(_name, "stop"))  # why the latest run ended; "none" without one
    epoch_count: int = _attribute("bp_trainer_epoch_count")

    def __init__(self, net: Net, optimizer: Optimizer, loss: str, training: Dataset, *, validation: Dataset | None = None,
                 progress: Callable[[Progress], Any] | None = None, when: str = "epoch", **settings: float | str):
        if when not in ("epoch", "batch"):
            raise ArgumentError(f'bp_trainer_set_progress: when is {when!r}; it can be "epoch" or "batch"')
        self._make("bp_trainer_create", net, optimizer, _value("loss", loss), training)
        self._parts = (net, optimizer, training) if validation is None else (net, optimizer, training, validation)
        self.progress, self._when = progress, int(when == "batch")
        _call("bp_trainer_set_validation", self, validation, read=self._parts[:3])
        self.set(**settings)

    def run(self) -> str:
        """Trains, and returns why it ended: "epochs", "patience", "target", "time" or "callback". Called again it goes on."""
        failures: list[BaseException] = []

        def report(_: Any, lent: Any) -> int:
            try:
                return int(self.progress is not None and bool(self.progress(Progress._copy(lent.contents))))
            except BaseException as error:  # Control-C as well: C cannot hand it on, and run() raises it
                failures.append(error)
                return 1

        function = _PROGRESS_FUNCTION(report)
        with _Held("bp_trainer_run", (self, *self._parts[:2]), self._parts[2:]):
            _run("bp_trainer_set_progress", self, function, None, self._when)
            try:
                _run("bp_trainer_run", self)
            finally:
                _run("bp_trainer_set_progress", self, None, None, 0)
        if failures:
            raise failures[0]
        return self.stop

    @property
    def history(self) -> dict[str, list[float]]:
        """What is known of each epoch, by column: history["training_loss"]. NaN is for what is not."""
        return {_name("history", column): [self._past(column, epoch) for epoch in range(self.epoch_count)] for column in range(14)}

    def _past(self, column: int, epoch: int) -> float:
        value = ctypes.c_double()
        _call("bp_trainer_history", self, column, epoch, ctypes.byref(value))
        return value.value

    def save(self, path: str | os.PathLike) -> None:
        """Writes a checkpoint, also from within the progress function."""
        _call("bp_trainer_save", self, _path(path), read=self._parts)

    def load(self, path: str | os.PathLike) -> None:
        """Goes on from a checkpoint: net, optimizer and trainer become what they were."""
        with _Held("bp_trainer_load", (self, *self._parts[:2]), self._parts[2:]):
            _run("bp_trainer_load", self, _path(path))


# ---- scikit-learn's conventions, with numpy ----
class _Checked:
    """Samples and targets as scikit-learn checks them."""

    def _check(self, X: Any, y: Any = None, learns: bool = False, first: bool = False, **checks: Any) -> Any:
        from sklearn.utils import multiclass, validation
        if not learns:
            validation.check_is_fitted(self)
        given = (X, y) if learns else (X,)
        checks.update(reset=first, dtype=_code(self.dtype if first else self.net_.dtype), order="C")
        is_old = not hasattr(validation, "validate_data")  # before scikit-learn 1.6
        checked = self._validate_data(*given, **checks) if is_old else validation.validate_data(self, *given, **checks)
        if learns and isinstance(self, _Classifier):
            multiclass.check_classification_targets(checked[1])
        return checked


class _Plain:
    """What stands for scikit-learn where it is not installed."""

    def _check(self, X: Any, y: Any = None, learns: bool = False, first: bool = False, **_: Any) -> Any:
        if not learns and not hasattr(self, "net_"):
            raise StateError(f"{type(self).__name__}: fit comes first")
        X = numpy.ascontiguousarray(X, _code(self.dtype if first else self.net_.dtype))
        return (X, numpy.asarray(y)) if learns else X

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Any:
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"{name!r} is no parameter of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def score(self, X: Any, y: Any) -> float:
        """Of a classifier the share of right answers, of a regressor R², the coefficient of determination."""
        answers, y = self.predict(X), numpy.asarray(y)
        if isinstance(self, _Classifier):
            return float((answers == y).mean())
        return float((1 - ((y - answers) ** 2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0)).mean())


class _Estimator:
    """hidden: units of the hidden layers. activation, method, learning_rate (None: the method's own), epochs, batch_size, weight_decay, dropout (of
    the hidden layers), threads: as libbp has them. scaling: "standard", "min_max" or None. dtype: "f64", or "f32", which is faster. random_state: the
    same number gives the same net, to the bit; None draws one.

    fit makes net_, n_features_in_ and loss_curve_. partial_fit goes through its samples once; its first call fixes the scaling.
    """

    def __init__(self, hidden=(32,), activation="tanh", method="adam", learning_rate=0.01, epochs=100, batch_size=32, weight_decay=0.0, dropout=0.0,
                 scaling="standard", dtype="f64", threads=1, random_state=0):
        self.hidden, self.activation = hidden, activation
        self.method, self.learning_rate, self.epochs, self.batch_size = method, learning_rate, epochs, batch_size
        self.weight_decay, self.dropout = weight_decay, dropout
        self.scaling, self.dtype, self.threads, self.random_state = scaling, dtype, threads, random_state

    def fit(self, X: Any, y: Any) -> Any:
        return self._learn(X, y, self.epochs, first=True)

    def partial_fit(self, X: Any, y: Any) -> Any:
        """One epoch over these samples."""
        return self._learn(X, y, 1, first=not hasattr(self, "net_"))

    def _build(self, dataset: Dataset, n_outputs: int, activation: str) -> None:
        state = numpy.random.RandomState() if self.random_state is None else self.random_state
        self._seed = int(state.randint(2**31 - 1)) if hasattr(state, "randint") else _whole("random_state", state)
        self._epochs_done = 0
        self.net_ = net = Net(dataset.n_inputs, self.dtype)
        for units in self.hidden:
            net.add_dense(units, self.activation)
        net.add_dense(n_outputs, activation).initialize(seed=self._seed)
        if self.scaling is not None:
            net.input_scaling = dataset.fit_scaling(self.scaling)
        if hasattr(self, "feature_names_in_"):
            net.input_names = [str(name) for name in self.feature_names_in_]
        self.n_features_in_ = net.n_inputs
        self.loss_curve_: list[float] = []

    def _train(self, dataset: Dataset, loss: str, epochs: int) -> Any:
        # the optimizer is kept with the net: partial_fit goes on with its state, and what is pickled is without it, and without dropout
        optimizer = getattr(self.net_, "_optimizer", None)
        if optimizer is None:
            for layer in range(len(self.hidden)):
                self.net_.set_dropout(layer, self.dropout)
            optimizer = self.net_._optimizer = Optimizer(self.net_, self.method, seed=self._seed)
            if self.learning_rate is not None:
                optimizer.set(learning_rate=self.learning_rate)
            if self.weight_decay:
                optimizer.set(weight_decay=self.weight_decay)
        settings = {"epochs": epochs, "batch_size": min(self.batch_size, dataset.n_samples), "threads": self.threads}
        with Trainer(self.net_, optimizer, loss, dataset, seed=(self._seed + self._epochs_done) % 2**53, **settings) as trainer:
            trainer.run()
            self.loss_curve_ += trainer.history["training_loss"]
        self._epochs_done += epochs
        return self


class _Classifier(_Estimator):
    __doc__ = "A net that learns classes, numbers or texts; classes_ has them in the order of its outputs.\n\n    " + _Estimator.__doc__

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Any:
        """One epoch over these samples; the first call is told all classes that will ever come, or takes those of y."""
        return self._learn(X, y, 1, first=not hasattr(self, "net_"), classes=classes)

    def _learn(self, X: Any, y: Any, epochs: int, first: bool, classes: Any = None) -> Any:
        X, y = self._check(X, y, learns=True, first=first)
        if first:
            self.classes_ = numpy.unique(y if classes is None else classes)
        indices = numpy.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        if (self.classes_[indices] != y).any():
            raise ValueError(f"{y[self.classes_[indices] != y][0]!r} is not among the classes that the first call has been told")
        with Dataset(X, classes=indices, n_classes=len(self.classes_)) as dataset:
            if first:
                self._build(dataset, len(self.classes_), "softmax")
                self.net_.class_names = [str(label) for label in self.classes_] if len(self.classes_) > 1 else None
            return self._train(dataset, "cross_entropy", epochs)

    def predict_proba(self, X: Any) -> Any:
        """A row for each sample, with the probability of each of classes_."""
        X = self._check(X)
        return self.net_.predict(X)

    def predict(self, X: Any) -> Any:
        answers = self.predict_proba(X).argmax(axis=1)
        return self.classes_[answers]


class _Regressor(_Estimator):
    __doc__ = "A net that learns numbers, one or several for each sample.\n\n    " + _Estimator.__doc__

    def _learn(self, X: Any, y: Any, epochs: int, first: bool) -> Any:
        X, y = self._check(X, y, learns=True, first=first, multi_output=True, y_numeric=True)
        with Dataset(X, numpy.ascontiguousarray(y, X.dtype)) as dataset:
            if first:
                self._build(dataset, dataset.n_outputs, "identity")
                self._is_flat = y.ndim == 1
                if self.scaling is not None:
                    self.net_.output_scaling = dataset.fit_target_scaling(self.scaling)
            return self._train(dataset, "mse", epochs)

    def predict(self, X: Any) -> Any:
        X = self._check(X)
        outputs = self.net_.predict(X)
        return outputs.ravel() if self._is_flat else outputs

    def _more_tags(self) -> dict[str, bool]:  # before scikit-learn 1.6
        return {"multioutput": True}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def __getattr__(name: str) -> Any:
    """Classifier and Regressor are made when they are first asked for: scikit-learn, which they inherit from, takes a second to be imported."""
    if name not in ("Classifier", "Regressor"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if numpy is None:
        raise ImportError(f"bp.{name} needs numpy")
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
        bases = (_Classifier, ClassifierMixin, _Checked, BaseEstimator), (_Regressor, RegressorMixin, _Checked, BaseEstimator)
    except ImportError:
        bases = (_Classifier, _Plain), (_Regressor, _Plain)
    for estimator in bases:
        made = type(estimator[0].__name__[1:], estimator, {"__doc__": estimator[0].__doc__, "__module__": __name__})
        globals()[made.__name__] = made
    return globals()[name]
