"""Tests of bp.py: BP_LIBRARY=…/libbp.so.1 BP_FFI_HEADER=…/bp.ffi.h python3 test_bp.py

BP_TEST_WITHOUT="numpy sklearn" hides packages that are there.
"""
import copy
import ctypes
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
from array import array

for package in os.environ.get("BP_TEST_WITHOUT", "").split():
    sys.modules[package] = None  # what import then takes for missing

import bp

try:
    import numpy
except ImportError:
    numpy = None
try:
    import sklearn
except ImportError:
    sklearn = None

needs_numpy = unittest.skipUnless(numpy, "numpy is not installed")
needs_sklearn = unittest.skipUnless(sklearn, "scikit-learn is not installed")

XOR_INPUTS, XOR_TARGETS = array("f", [0, 0, 0, 1, 1, 0, 1, 1]), array("f", [0, 1, 1, 0])


def make_net(dtype="f32", inputs=2, outputs=1, activation="sigmoid"):
    return bp.Net(inputs, dtype).add_dense(8, "tanh").add_dense(outputs, activation).initialize(seed=42)


def make_trainer(net=None, **settings):
    net = net or make_net()
    optimizer, dataset = bp.Optimizer(net, "sgd", learning_rate=0.5), bp.Dataset(XOR_INPUTS, XOR_TARGETS, n_inputs=2)
    return bp.Trainer(net, optimizer, "binary_cross_entropy", dataset, **settings)


def outcome(function, *arguments, **named):
    """What a call returns or raises, on another thread."""
    found = []

    def call():
        try:
            found.append(function(*arguments, **named))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return found[0]


class Declarations(unittest.TestCase):
    def test_table_is_the_header(self):
        with open(os.environ["BP_FFI_HEADER"], encoding="utf-8") as file:
            header = " ".join(file.read().split())
        types = {None: r"void", bp.STATUS: r"bp_status", bp.WHOLE: r"(int|bp_\w+)", bp.SEED: r"uint64_t", bp.SIZE: r"(size_t|uint64_t)",
                 bp.REAL: r"double", bp.TEXT: r"const (char|void) \*", bp.ADDRESS: r".*\*"}
        for name, (result, *arguments) in bp._FUNCTIONS.items():
            found = re.search(rf"[;}}] ([^;}}]*\W){name}\(([^)]*)\);", header)
            self.assertIsNotNone(found, name)
            self.assertRegex(found[1], f"^{types[result]} ?$", name)
            declared = [] if found[2] == "void" else found[2].split(",")
            self.assertEqual(len(arguments), len(declared), name)
            for mine, theirs in zip(arguments, declared):
                is_object = isinstance(mine, str)
                type_of_mine = rf"{'const ' if mine.startswith('const ') else ''}bp_{mine.split()[-1]} \*" if is_object else types[mine]
                self.assertRegex(theirs.strip(), rf"^{type_of_mine} ?\w+$", name)

    def test_statuses_are_the_header_s(self):
        with open(os.environ["BP_FFI_HEADER"], encoding="utf-8") as file:
            declared = {name: int(value) for name, value in re.findall(r"BP_ERROR_(\w+) = (\d+)", file.read())}
        self.assertEqual({status.name: status.value for status in bp.Status}, declared)
        self.assertEqual(set(bp._ERRORS), set(declared.values()))

    def test_progress_is_the_header_s(self):
        with open(os.environ["BP_FFI_HEADER"], encoding="utf-8") as file:
            body = re.search(r"struct bp_progress \{(.*?)\}", file.read(), re.DOTALL)[1]
        self.assertEqual([name.lstrip("_") for name, _ in bp.Progress._fields_], re.findall(r"(\w+);", body))

    def test_counts_of_enumerations(self):
        """Metrics and history's columns are counted in bp.py."""
        for kind, count in (("metric", len(bp._METRICS)), ("history", len(make_trainer().history))):
            self.assertIsNone(bp._run(f"bp_{kind}_name", count))

    def test_settings_and_names(self):
        self.assertRegex(bp.version(), r"^\d+\.\d+\.\d+$")
        with self.assertRaisesRegex(bp.ArgumentError, "learning_rat"):
            bp.Optimizer(make_net(), "sgd", learning_rat=1)
        with self.assertRaisesRegex(bp.ArgumentError, "tanhh"):
            bp.Net(1).add_dense(1, "tanhh")
        with self.assertRaises(TypeError):
            bp.Net(1).add_dense(1, 5)


class Errors(unittest.TestCase):
    def check(self, kind, builtin, sentence, function, *arguments, **named):
        with self.assertRaisesRegex(kind, sentence) as caught:
            function(*arguments, **named)
        self.assertIsInstance(caught.exception, (bp.Error, builtin))
        self.assertEqual(caught.exception.status, kind.status)

    def test_argument(self):
        self.check(bp.ArgumentError, ValueError, "^bp_net_create: n_inputs is 0; it can be", bp.Net, 0)

    def test_dtype(self):
        net = make_net("f64")
        dataset = bp.Dataset(XOR_INPUTS, XOR_TARGETS, n_inputs=2)
        self.check(bp.DtypeError, TypeError, "bp_trainer_create", bp.Trainer, net, bp.Optimizer(net), "mse", dataset)

    def test_state(self):
        self.check(bp.StateError, RuntimeError, "bp_net_initialize", bp.Net(1).initialize)

    def test_io(self):
        self.check(bp.FileError, OSError, "no/such", bp.Net.load, "/no/such/file")
        self.check(bp.FileError, OSError, "no/such", make_net().save, "/no/such/file")

    def test_format(self):
        self.check(bp.FormatError, ValueError, "bp_net_load_memory", bp.Net.from_bytes, b"nonsense" * 9)

    def test_nonfinite(self):
        net = make_net()
        values = array("f", [float("nan")] * net.n_parameters)
        self.check(bp.NonfiniteError, ValueError, "bp_net_set_parameters", setattr, net, "parameters", values)

    def test_unsupported(self):
        net = bp.Net(1).add_dense(2, "softmax")
        self.check(bp.UnsupportedError, NotImplementedError, "softmax", net.add_dense, 1)

    def test_diverged(self):
        trainer = bp.Trainer(net := make_net(activation="identity"), bp.Optimizer(net, "sgd", learning_rate=1e30), "mse",
                             bp.Dataset(XOR_INPUTS, XOR_TARGETS, n_inputs=2))
        self.check(bp.DivergedError, ArithmeticError, "epoch", trainer.run)
        self.assertEqual(trainer.stop, "none")

    def test_sentence_of_each_thread(self):
        with self.assertRaises(bp.ArgumentError) as mine:
            bp.Net(0)
        self.assertIn("bp_net_initialize", str(outcome(bp.Net(1).initialize)))
        self.assertIn("bp_net_create", str(mine.exception))

    def test_numbers(self):
        self.check(bp.ArgumentError, ValueError, "units is -1", bp.Net(1).add_dense, -1)
        self.check(bp.ArgumentError, ValueError, "seed is 1844", bp.Net(1).add_dense(1).initialize, seed=2**64)
        for wrong in (1.5, "3", None):
            with self.assertRaises(TypeError):
                bp.Net(wrong)

    def test_wrong_objects(self):
        net, dataset = make_net(), bp.Dataset(XOR_INPUTS, n_inputs=2)
        for call in (lambda: bp.Workspace(dataset), lambda: net.predict(XOR_INPUTS, workspace=dataset), lambda: bp.Optimizer("net"),
                     lambda: net.predict(XOR_INPUTS, workspace="w"), lambda: net.evaluate(net, "mse"),
                     lambda: bp.Trainer(bp.Optimizer(net), net, "mse", dataset)):
            with self.assertRaises(TypeError):
                call()
        with self.assertRaisesRegex(bp.ArgumentError, "NULL"):
            bp.Workspace(None)
        with self.assertRaisesRegex(bp.StateError, "workspace"):
            net.predict(XOR_INPUTS, workspace=bp.Workspace(make_net()))

    def test_texts(self):
        net = make_net(outputs=2, activation="softmax")
        net.class_names, net.input_names = ["ä", "x"], ["l", "r"]
        self.assertEqual((net.class_names, net.input_names), (["ä", "x"], ["l", "r"]))
        net.class_names = net.input_names = None
        self.assertEqual((net.class_names, net.input_names), (None, None))
        for attribute in ("class_names", "input_names"):
            with self.assertRaises(bp.ArgumentError):
                setattr(net, attribute, ["1", "2", "3"])
        with self.assertRaisesRegex(bp.ArgumentError, "character 0"):
            net.save("a\0b")

    def test_library_is_missing(self):
        for library, sentence in (("/no/such/libbp.so.1", "Install it"), (ctypes.util.find_library("m"), "it is no libbp")):
            program = subprocess.run([sys.executable, "-B", "-c", "import bp"], env={**os.environ, "BP_LIBRARY": library},
                                     cwd=os.path.dirname(os.path.abspath(__file__)), capture_output=True, text=True)
            self.assertEqual(program.returncode, 1)
            self.assertRegex(program.stderr.splitlines()[-1], f"^ImportError: .*{sentence}")


class Closed(unittest.TestCase):
    def test_every_object(self):
        net = make_net()
        dataset = bp.Dataset(XOR_INPUTS, XOR_TARGETS, n_inputs=2)
        workspace, optimizer = bp.Workspace(net), bp.Optimizer(net)
        trainer = bp.Trainer(net, optimizer, "mse", dataset)
        uses = ((trainer, trainer.run), (trainer, lambda: trainer.stop), (optimizer, lambda: optimizer.set(learning_rate=1)),
                (workspace, lambda: net.predict(XOR_INPUTS, workspace=workspace)), (dataset, lambda: dataset.n_samples),
                (dataset, lambda: net.evaluate(dataset, "mse")), (net, lambda: net.predict(XOR_INPUTS)), (net, lambda: pickle.dumps(net)))
        for item, use in uses:
            item.close()
            item.close()
            with self.assertRaisesRegex(bp.StateError, f"the {item._kind} is closed"):
                use()

    def test_trainer_of_what_is_closed(self):
        for index in range(3):
            trainer = make_trainer(epochs=1)
            trainer._parts[index].close()
            for use in (trainer.run, lambda: trainer.set(epochs=2), lambda: trainer.save("/no/such"), lambda: trainer.load("/no/such")):
                with self.assertRaisesRegex(bp.StateError, "is closed"):
                    use()

    def test_with(self):
        with make_net() as net:
            self.assertTrue(net.is_initialized)
        with self.assertRaises(bp.StateError):
            net.n_inputs

    def test_made_and_dropped(self):
        for _ in range(200):
            make_trainer(epochs=1).run()


class Arrays(unittest.TestCase):
    def setUp(self):
        self.net = make_net()
        self.right = bytes(self.net.predict(XOR_INPUTS))

    def test_kinds_of_inputs(self):
        rows = [[0, 0], [0, 1], [1, 0], [1, 1]]
        inputs = [list(XOR_INPUTS), rows, tuple(map(tuple, rows)), memoryview(XOR_INPUTS), (ctypes.c_float * 8)(*XOR_INPUTS),
                  (ctypes.c_float * 2 * 4)(*map(tuple, rows)), memoryview(XOR_INPUTS.tobytes()).cast("f"), (number for number in XOR_INPUTS)]
        for given in inputs:
            self.assertEqual(bytes(self.net.predict(given)), self.right, given)

    def test_one_and_none(self):
        self.assertEqual(bytes(self.net.predict(XOR_INPUTS[:2])), self.right[:4])
        self.assertEqual(len(self.net.predict(array("f"))), 0)

    def test_wrong_type(self):
        for wrong in (array("d", XOR_INPUTS), array("i", [0, 1]), b"abcd", ["a", "b"], [None, 1], "ab", 5, [[0, 1], 5], {0: 1, 1: 2}.items):
            with self.assertRaises(bp.DtypeError, msg=wrong):
                self.net.predict(wrong)
        with self.assertRaisesRegex(bp.DtypeError, "bp_net_predict: inputs: elements are of type 'd'; they can be 'f'"):
            self.net.predict(array("d", XOR_INPUTS))
        self.assertEqual(len(make_net("f64").predict(array("d", XOR_INPUTS))), 4)

    def test_wrong_shape(self):
        for wrong in (XOR_INPUTS[:3], [[0, 1, 2]], [[0], [1]], [[0, 1], [1]], memoryview(XOR_INPUTS).cast("B").cast("f", (2, 4))):
            with self.assertRaises(bp.ArgumentError, msg=wrong):
                self.net.predict(wrong)

    def test_not_contiguous_is_copied(self):
        wide = array("f")
        for number in XOR_INPUTS:
            wide.extend([number, 9])
        self.assertEqual(bytes(self.net.predict(memoryview(wide)[::2])), self.right)

    def test_out(self):
        out = array("f", [9] * 4)
        self.assertIs(self.net.predict(XOR_INPUTS, out=out), out)
        self.assertEqual(bytes(out), self.right)
        wrongs = [(array("f", [0] * 3), bp.ArgumentError), (array("d", [0] * 4), bp.DtypeError), (bytes(16), bp.DtypeError), ([0] * 4, bp.DtypeError),
                  (memoryview(bytes(16)).cast("f"), bp.ArgumentError), (memoryview(array("f", [0] * 8))[::2], bp.ArgumentError)]
        for wrong, kind in wrongs:
            with self.assertRaises(kind, msg=wrong):
                self.net.predict(XOR_INPUTS, out=wrong)

    def test_misaligned(self):
        raw = bytearray(4 * 8 + 1)
        floats = (ctypes.c_float * 8).from_buffer(raw, 1)
        with self.assertRaisesRegex(bp.ArgumentError, "multiple"):
            self.net.predict(floats)

    def test_no_copy(self):
        self.assertEqual(bp._Array("x", XOR_INPUTS, "f").address, XOR_INPUTS.buffer_info()[0])

    def test_dataset_borrows(self):
        inputs, targets = array("f", [0, 1]), array("f", [0, 0])
        net = bp.Net(1).add_dense(1).initialize("zeros")
        with bp.Dataset(inputs, targets, n_inputs=1) as borrowed, bp.Dataset(inputs, targets, n_inputs=1, copy=True) as copied:
            targets[0] = targets[1] = 2
            self.assertEqual(net.evaluate(borrowed, "mse")["mae"], 2)
            self.assertEqual(net.evaluate(copied, "mse")["mae"], 0)
            with self.assertRaises(BufferError):
                inputs.append(1)
        inputs.append(1)

    def test_datasets(self):
        self.assertEqual(bp.Dataset([[1, 2], [3, 4], [5, 6]], classes=[0, 2, 1]).n_classes, 3)
        self.assertEqual(bp.Dataset(XOR_INPUTS, classes=array("b", [0, 1, 1, 0]), n_classes=5).n_classes, 5)
        self.assertEqual(bp.Dataset([[1.5]], dtype="f64").dtype, "f64")
        self.assertEqual(bp.Dataset(array("d", [1, 2]), n_inputs=1).dtype, "f64")
        wrong = (lambda: bp.Dataset(XOR_INPUTS), lambda: bp.Dataset([]), lambda: bp.Dataset([[]]), lambda: bp.Dataset([[1], [2]], [1, 2, 3]),
                 lambda: bp.Dataset([[1], [2]], classes=[1]), lambda: bp.Dataset([[1]], [1], classes=[1]), lambda: bp.Dataset([[1]], classes=[-1]),
                 lambda: bp.Dataset([[1]], classes=[0.5]), lambda: bp.Dataset([[1]], classes=[5], n_classes=2), lambda: bp.Dataset([[1]], n_inputs=0),
                 lambda: bp.Dataset([[float("nan")]]), lambda: bp.Dataset([[1]], dtype="f16"), lambda: bp.Dataset([[1]], classes=[]))
        for call in wrong:
            with self.assertRaises((bp.ArgumentError, bp.DtypeError, bp.NonfiniteError)):
                call()

    def test_files_and_parts(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ä.csv")
            with open(path, "w", encoding="ascii") as file:
                file.write("1,2\n3,4\n5,6\n7,8\n")
            all_samples = bp.Dataset.read(path, "f64")
        self.assertEqual((all_samples.n_samples, all_samples.n_inputs, all_samples.n_outputs, all_samples.dtype), (4, 2, 0, "f64"))
        training, test = all_samples.split(0.25, seed=1)
        self.assertEqual((training.n_samples, test.n_samples), (3, 1))
        offset, scale = all_samples.fit_scaling("min_max")
        self.assertEqual((list(offset), [round(6 * factor, 6) for factor in scale]), ([1, 2], [1, 1]))

    def test_scaling_and_parameters(self):
        net = bp.Net(2).add_dense(1).initialize("zeros")
        net.parameters = [1, 2, 0.5]
        self.assertEqual(list(net.parameters), [1, 2, 0.5])
        net.input_scaling, net.output_scaling = ([1, 1], [2, 2]), ([0], [0.5])
        self.assertEqual(list(net.predict([[2, 3]]).flat if numpy else net.predict([[2, 3]])), [21])
        self.assertEqual([list(part) for part in net.input_scaling], [[1, 1], [2, 2]])
        net.input_scaling = net.output_scaling = None
        self.assertEqual(list(net.predict([2, 3])), [8.5])
        for wrong in ([1, 2], [1, 2, 3, 4], array("d", [1, 2, 3])):
            with self.assertRaises((bp.ArgumentError, bp.DtypeError)):
                net.parameters = wrong
        with self.assertRaises(bp.ArgumentError):
            net.input_scaling = [1], [1]

    def test_steps(self):
        net = make_net()
        workspace, optimizer = bp.Workspace(net, 4, threads=2), bp.Optimizer(net, "momentum", learning_rate=0.5)
        first = net.train_step(workspace, optimizer, "binary_cross_entropy", XOR_INPUTS, XOR_TARGETS)
        for _ in range(300):
            last = net.train_step(workspace, optimizer, "binary_cross_entropy", XOR_INPUTS, XOR_TARGETS, online=True)
        self.assertLess(last, first / 10)
        for inputs, targets in ((XOR_INPUTS, XOR_TARGETS[:3]), (XOR_INPUTS[:3], XOR_TARGETS), (XOR_INPUTS * 2, XOR_TARGETS * 2)):
            with self.assertRaises(bp.ArgumentError):
                net.train_step(workspace, optimizer, "binary_cross_entropy", inputs, targets)


@needs_numpy
class Numpy(unittest.TestCase):
    def setUp(self):
        self.net = make_net()
        self.inputs = numpy.array(XOR_INPUTS).reshape(4, 2)
        self.right = self.net.predict(self.inputs)

    def test_shapes(self):
        self.assertEqual((self.right.shape, self.right.dtype), ((4, 1), numpy.float32))
        self.assertEqual(self.net.predict(self.inputs.ravel()).shape, (4,))
        self.assertEqual(self.net.predict(self.inputs.reshape(4, 2, 1)).shape, (4, 1))
        self.assertEqual(self.net.predict(numpy.empty((0, 2), "f")).shape, (0, 1))
        for wrong in (self.inputs.T, self.inputs.reshape(2, 2, 2), numpy.float32(1), numpy.empty((4, 0), "f")):
            with self.assertRaises(bp.ArgumentError):
                self.net.predict(wrong)

    def test_no_copy(self):
        self.assertEqual(bp._Array("x", self.inputs, "f").address, self.inputs.ctypes.data)
        out = numpy.zeros((4, 1), "f")
        self.assertIs(self.net.predict(self.inputs, out=out), out)
        self.assertTrue((out == self.right).all())
        self.inputs.flags.writeable = False
        self.assertEqual(bp._Array("x", self.inputs, "f").address, self.inputs.ctypes.data)
        self.assertTrue((self.net.predict(self.inputs) == self.right).all())

    def test_not_contiguous(self):
        wide = numpy.repeat(self.inputs, 3, axis=1)
        for given in (wide[:, ::3], numpy.asfortranarray(self.inputs), self.inputs[::-1][::-1]):
            self.assertTrue((self.net.predict(given) == self.right).all())
        with self.assertRaisesRegex(bp.ArgumentError, "not contiguous"):
            self.net.predict(self.inputs, out=numpy.zeros((4, 2), "f")[:, :1])

    def test_wrong_types(self):
        for dtype in ("d", "i", "B", "e", "?", "c", ">f", "O", "U3", "M8[s]", [("x", "f")]):
            with self.assertRaises(bp.DtypeError, msg=dtype):
                self.net.predict(numpy.zeros((4, 2), dtype))

    def test_numbers_of_numpy(self):
        net = bp.Net(numpy.int64(2)).add_dense(numpy.uint8(1)).initialize(seed=numpy.int32(1))
        bp.Optimizer(net, learning_rate=numpy.float32(0.5))
        self.assertEqual(bp.Dataset(self.inputs, classes=numpy.array([0, 1, 1, 0])).n_classes, 2)


class Callbacks(unittest.TestCase):
    def test_progress(self):
        told = []
        trainer = make_trainer(epochs=3, batch_size=2, progress=told.append, validation=bp.Dataset(XOR_INPUTS, XOR_TARGETS, n_inputs=2))
        self.assertEqual(trainer.run(), "epochs")
        self.assertEqual([(one.epoch, one.epochs, one.batch, one.batches) for one in told], [(1, 3, 2, 2), (2, 3, 2, 2), (3, 3, 2, 2)])
        self.assertEqual([one.training_loss for one in told], trainer.history["training_loss"])
        self.assertEqual(told[-1].validation["loss"], trainer.history["validation_loss"][-1])
        told = []
        make_trainer(epochs=2, batch_size=2, progress=told.append, when="batch").run()
        self.assertEqual([one.is_epoch_end for one in told], [0, 1, 0, 1])
        with self.assertRaises(bp.ArgumentError):
            make_trainer(when="step")

    def test_stop_and_go_on(self):
        trainer = make_trainer(epochs=5, progress=lambda progress: progress.epoch == 2)
        self.assertEqual((trainer.run(), trainer.epoch_count), ("callback", 2))
        self.assertEqual((trainer.run(), trainer.epoch_count), ("epochs", 5))

    def test_exceptions(self):
        for kind in (KeyError, KeyboardInterrupt, SystemExit):
            def fail(_):
                raise kind("here")
            trainer = make_trainer(epochs=5, progress=fail)
            with self.assertRaises(kind):
                trainer.run()
            self.assertEqual((trainer.stop, trainer.epoch_count), ("callback", 1))
            trainer.progress = None
            self.assertEqual(trainer.run(), "epochs")

    def test_what_it_may_do(self):
        def act(progress):
            bits.append(bytes(net.predict(XOR_INPUTS)))
            optimizer.set(learning_rate=progress.learning_rate / 2)
            trainer.save(path)
            refused = [net.close, optimizer.close, trainer.close, dataset.close, trainer.run, lambda: trainer.set(epochs=9),
                       lambda: trainer.load(path), lambda: net.train_step(workspace, optimizer, "mse", XOR_INPUTS, XOR_TARGETS),
                       lambda: setattr(net, "parameters", net.parameters)]
            for call in refused:
                with self.assertRaisesRegex(bp.StateError, "in use by"):
                    call()

        bits = []
        trainer = make_trainer(epochs=3, progress=act)
        net, optimizer, dataset = trainer._parts
        workspace = bp.Workspace(net)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "checkpoint.safetensors")
            trainer.run()
            self.assertEqual(len(set(bits)), 3)
            self.assertEqual(trainer.history["learning_rate"], [0.5, 0.25, 0.125])
            self.assertEqual(bp.Net.load(path).to_bytes()[-8:], net.to_bytes()[-8:])


class Training(unittest.TestCase):
    def test_settings(self):
        trainer = make_trainer(epochs=7, batch_size=4, shuffle=False, monitor="loss", target=1e9)
        self.assertEqual((trainer.run(), trainer.epoch_count), ("target", 1))
        trainer.set(target=0, epochs=3)
        self.assertEqual((trainer.run(), trainer.epoch_count), ("epochs", 3))
        with self.assertRaises(bp.ArgumentError):
            trainer.set(epoch=3)
        with self.assertRaises((TypeError, ValueError)):
            trainer.set(epochs="many")

    def test_checkpoint(self):
        whole = make_trainer(epochs=6)
        whole.run()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "checkpoint.safetensors")
            first, second = make_trainer(epochs=6, progress=lambda progress: progress.epoch == 3), make_trainer(epochs=6)
            first.run()
            first.save(path)
            second.load(path)
            second.run()
        self.assertEqual(second._parts[0].to_bytes(), whole._parts[0].to_bytes())
        self.assertEqual(second.history["training_loss"], whole.history["training_loss"])

    def test_copies(self):
        net = make_net()
        for again in (pickle.loads(pickle.dumps(net)), copy.copy(net), copy.deepcopy(net)):
            self.assertEqual(again.to_bytes(), net.to_bytes())
            net.close()
            self.assertEqual(len(again.predict(XOR_INPUTS)), 4)
            net = make_net()
        with self.assertRaises(bp.StateError):
            pickle.dumps(bp.Net(1))
        for item in (bp.Workspace(net), bp.Optimizer(net), make_trainer(), bp.Dataset([[1]])):
            with self.assertRaisesRegex(TypeError, "cannot be pickled"):
                pickle.dumps(item)


class Threads(unittest.TestCase):
    def test_gil_is_free(self):
        """While one thread is in the library, the other one goes on."""
        net = make_net(inputs=64, outputs=10, activation="identity")
        workspace, optimizer, n = bp.Workspace(net), bp.Optimizer(net, learning_rate=1e-6), 1000
        inputs, targets = array("f", [0.5]) * (64 * n), array("f", [0.5]) * (10 * n)
        seconds = 0
        while seconds < 0.3:  # long beside what Python gives a thread at a time
            n, inputs, targets = 2 * n, 2 * inputs, 2 * targets
            begin = time.perf_counter()
            net.train_step(workspace, optimizer, "mse", inputs, targets, online=True)
            seconds = time.perf_counter() - begin
        times, ticks = [], []

        def train():
            times.append(time.perf_counter())
            net.train_step(workspace, optimizer, "mse", inputs, targets, online=True)
            times.append(time.perf_counter())

        thread = threading.Thread(target=train)
        thread.start()
        while thread.is_alive():
            ticks.append(time.perf_counter())
            time.sleep(0.001)
        begin, end = times
        middle = [tick for tick in ticks if begin + (end - begin) / 4 < tick < end - (end - begin) / 4]
        self.assertGreater(len(middle), 0)

    def test_two_nets_at_once(self):
        """Each run is in the middle when the other one is, and comes to the bits of a run alone."""
        alone = make_trainer(epochs=20)
        alone.run()
        meeting = threading.Barrier(2, timeout=60)
        trainers = [make_trainer(epochs=20, progress=lambda _: meeting.wait() < 0) for _ in range(2)]
        threads = [threading.Thread(target=trainer.run) for trainer in trainers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for trainer in trainers:
            self.assertEqual(trainer.stop, "epochs")
            self.assertEqual(trainer._parts[0].to_bytes(), alone._parts[0].to_bytes())

    def test_one_net_in_many_threads(self):
        net = make_net()
        right = bytes(net.predict(XOR_INPUTS))
        wrong = []

        def predict():
            for _ in range(200):
                if bytes(net.predict(XOR_INPUTS)) != right:
                    wrong.append(1)

        threads = [threading.Thread(target=predict) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_what_another_thread_is_busy_with(self):
        found = []

        def try_all(_):
            for call in (lambda: net.predict(XOR_INPUTS), net.close, net.to_bytes, lambda: optimizer.set(learning_rate=1), trainer.run, trainer.close,
                         lambda: trainer.stop, lambda: net.train_step(workspace, optimizer, "mse", XOR_INPUTS, XOR_TARGETS), lambda: copy.copy(net)):
                found.append(outcome(call))
            found.append(outcome(dataset.close))

        trainer = make_trainer(epochs=1, progress=try_all)
        net, optimizer, dataset = trainer._parts
        workspace = bp.Workspace(net)
        trainer.run()
        for error in found[:-1]:
            self.assertIsInstance(error, bp.StateError)
            self.assertRegex(str(error), "in use by another thread")
        self.assertRegex(str(found[-1]), "the dataset is in use by a call that reads it")
        self.assertEqual(len(outcome(net.predict, XOR_INPUTS)), 4)  # one thread after the other may
        self.assertEqual(outcome(trainer.run), "epochs")

    def test_workspace_in_use(self):
        """A list that is slow to read keeps the workspace busy."""
        net = make_net()
        workspace, found = bp.Workspace(net), []

        def slow():
            found.append(outcome(net.predict, XOR_INPUTS, workspace=workspace))
            found.append(outcome(net.predict, XOR_INPUTS))
            yield from XOR_INPUTS

        net.predict(slow(), workspace=workspace)
        self.assertRegex(str(found[0]), "the workspace is in use by another thread")
        self.assertEqual(len(found[1]), 4)


class Estimators(unittest.TestCase):
    @staticmethod
    def blobs():
        random = numpy.random.RandomState(1)
        return numpy.concatenate([random.normal(center, 0.5, (40, 2)) for center in (0, 3, 6)]), numpy.repeat(["c", "a", "b"], 40)

    @needs_numpy
    def test_classifier(self):
        X, y = self.blobs()
        classifier = bp.Classifier(epochs=30, weight_decay=1e-4, dropout=0.1, dtype="f32").fit(X, y)
        self.assertEqual(list(classifier.classes_), ["a", "b", "c"])
        self.assertEqual((classifier.net_.class_names, classifier.n_features_in_), (["a", "b", "c"], 2))
        self.assertGreater(classifier.score(X, y), 0.95)
        self.assertTrue(numpy.allclose(classifier.predict_proba(X).sum(axis=1), 1))
        again = pickle.loads(pickle.dumps(classifier))
        self.assertTrue((again.predict_proba(X) == classifier.predict_proba(X)).all())
        self.assertEqual(again.partial_fit(X, y).loss_curve_[:30], classifier.loss_curve_)
        self.assertEqual(classifier.fit(X, y).net_.to_bytes(), bp.Classifier(**classifier.get_params()).fit(X, y).net_.to_bytes())
        with self.assertRaises(ValueError):
            classifier.predict(X[:, :1])
        answers = classifier.predict(X)
        self.assertTrue((classifier.set_params(dtype="f64").predict(X) == answers).all())

    @needs_numpy
    def test_dropout_after_pickling(self):
        X, y = self.blobs()
        pickled = pickle.dumps(bp.Classifier(method="sgd", dropout=0.5, epochs=1).fit(X, y))
        with_it, without = pickle.loads(pickled), pickle.loads(pickled).set_params(dropout=0)
        self.assertNotEqual(with_it.partial_fit(X, y).net_.to_bytes(), without.partial_fit(X, y).net_.to_bytes())

    @needs_numpy
    def test_partial_fit(self):
        X, y = self.blobs()
        classifier = bp.Classifier(random_state=None).set_params(learning_rate=None, method="adagrad")
        order = numpy.random.RandomState(2).permutation(len(X))
        for _ in range(30):
            for part in numpy.split(order, 4):
                classifier.partial_fit(X[part], y[part], classes=["a", "b", "c"])
        self.assertGreater(classifier.score(X, y), 0.95)
        self.assertEqual(len(classifier.loss_curve_), 120)
        with self.assertRaises(ValueError):
            classifier.partial_fit(X[:2], ["a", "d"])

    @needs_numpy
    def test_regressor(self):
        X = numpy.linspace(-3, 3, 200)[:, None]
        for y in (1000 * numpy.sin(X[:, 0]) + 5e4, numpy.hstack([numpy.sin(X), 100 * X])):
            regressor = bp.Regressor(epochs=200).fit(X, y)
            self.assertGreater(regressor.score(X, y), 0.98)
            self.assertEqual(regressor.predict(X).shape, y.shape)
            self.assertTrue((pickle.loads(pickle.dumps(regressor)).predict(X) == regressor.predict(X)).all())
            regressor.partial_fit(X, y)

    @needs_numpy
    def test_parameters(self):
        regressor = bp.Regressor(hidden=(3, 4))
        self.assertEqual(regressor.get_params()["hidden"], (3, 4))
        with self.assertRaises(ValueError):
            regressor.set_params(hiden=3)
        with self.assertRaises(Exception):
            regressor.predict([[1.0]])
        with self.assertRaisesRegex(bp.ArgumentError, "nonsense"):
            bp.Regressor(activation="nonsense").fit([[1.0], [2.0]], [1.0, 2.0])
        with self.assertRaisesRegex(bp.ArgumentError, "f16"):
            bp.Regressor(dtype="f16").fit([[1.0], [2.0]], [1.0, 2.0])
        with self.assertRaises(AttributeError):
            bp.Estimator

    @needs_sklearn
    def test_scikit_learn_s_checks(self):
        from sklearn.utils.estimator_checks import check_estimator
        for estimator in (bp.Classifier(), bp.Regressor()):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                check_estimator(estimator)

    @needs_sklearn
    def test_with_scikit_learn(self):
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import MinMaxScaler
        X, y = self.blobs()
        search = GridSearchCV(make_pipeline(MinMaxScaler(), bp.Classifier(epochs=20)), {"classifier__hidden": [(4,), (16,)]}, cv=2).fit(X, y)
        self.assertGreater(search.best_score_, 0.9)

    @unittest.skipIf(numpy, "numpy is installed")
    def test_without_numpy(self):
        with self.assertRaisesRegex(ImportError, "numpy"):
            bp.Classifier


if __name__ == "__main__":
    unittest.main()
