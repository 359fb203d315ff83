// libbp for Node, the calls that the example needs. The prototypes below are the headers', and become methods of their handles:
// net.add_dense(32, bp.ACTIVATION_TANH, 1) is bp_net_add_dense, bp.Net.load(path) makes a net by bp_net_load. A call that fails throws a BpError with
// bp_last_error's sentence. C does not know how long an array is: the methods that take arrays are written out, and look first.
import koffi from 'koffi';

export const F32 = 1;
export const ACTIVATION_TANH = 2, ACTIVATION_SIGMOID = 1, ACTIVATION_SOFTMAX = 13;
export const INITIALIZER_GLOROT_UNIFORM = 2;
export const SCALING_MIN_MAX = 0, SCALING_STANDARD = 1;
export const LOSS_MSE = 0, LOSS_CROSS_ENTROPY = 4;
export const METHOD_SGD = 0, METHOD_ADAM = 5;
export const OPTIMIZER_LEARNING_RATE = 0;
export const TRAINER_EPOCHS = 0, TRAINER_BATCH_SIZE = 1, TRAINER_SEED = 2;
export const STOP_EPOCHS = 1, STOP_CALLBACK = 5;
const PROGRESS_EPOCH = 0;

const library = load(process.env.BP_LIBRARY ?? 'libbp.so.1');

function load(file) {
  try {
    return koffi.load(file);
  } catch (error) {
    throw new Error(
      `${file}: ${error.message}: install libbp and run ldconfig, or name its folder in LD_LIBRARY_PATH, or the file in BP_LIBRARY`,
      { cause: error });
  }
}

// C's types: handles, enumerations, and what a progress function is told.
for (const kind of ['bp_dataset', 'bp_net', 'bp_optimizer', 'bp_trainer', 'bp_workspace']) {
  koffi.opaque(kind);
}
for (const enumeration of ['status', 'dtype', 'activation', 'initializer', 'loss', 'method', 'optimizer_setting', 'progress_when', 'scaling', 'stop',
  'trainer_setting']) {
  koffi.alias(`bp_${enumeration}`, 'int');
}
const Progress = koffi.struct('bp_progress', {
  size: 'size_t', is_epoch_end: 'int', epoch: 'uint64_t', epochs: 'uint64_t', batch: 'uint64_t', batches: 'uint64_t', step: 'uint64_t',
  learning_rate: 'double', training_loss: 'double', seconds: 'double', samples_per_second: 'double', seconds_left: 'double', n_metrics: 'size_t',
  training: 'const double *', validation: 'const double *',
});
const ProgressFunction = koffi.pointer(koffi.proto('int bp_progress_function(void *context, const bp_progress *progress)'));

// Of the headers; an argument that is written has _Out_.
const prototypes = `
  bp_status bp_dataset_create_f32(_Out_ bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const float *inputs,
    const float *targets);
  bp_status bp_dataset_create_classes_f32(_Out_ bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_classes, const float *inputs,
    const uint32_t *classes);
  bp_status bp_dataset_fit_scaling_f32(const bp_dataset *dataset, bp_scaling scaling, float *offset, float *scale);
  size_t bp_dataset_input_count(const bp_dataset *dataset);
  bp_status bp_net_create(_Out_ bp_net **net, bp_dtype dtype, size_t n_inputs);
  bp_status bp_net_add_dense(bp_net *net, size_t n_units, bp_activation activation, int bias);
  bp_status bp_net_initialize(bp_net *net, bp_initializer initializer, uint64_t seed);
  bp_status bp_net_set_input_scaling_f32(bp_net *net, const float *offset, const float *scale);
  size_t bp_net_input_count(const bp_net *net);
  size_t bp_net_output_count(const bp_net *net);
  bp_status bp_net_predict_f32(const bp_net *net, bp_workspace *ws, size_t n, const float *x, float *y);
  bp_status bp_net_save(const bp_net *net, const char *path);
  bp_status bp_net_load(_Out_ bp_net **net, const char *path);
  bp_status bp_optimizer_create(_Out_ bp_optimizer **opt, bp_method method, const bp_net *net);
  bp_status bp_optimizer_set(bp_optimizer *opt, bp_optimizer_setting setting, double value);
  bp_status bp_trainer_create(_Out_ bp_trainer **trainer, bp_net *net, bp_optimizer *opt, bp_loss loss, const bp_dataset *training);
  bp_status bp_trainer_set(bp_trainer *trainer, bp_trainer_setting setting, double value);
  bp_status bp_trainer_set_progress(bp_trainer *trainer, bp_progress_function *function, void *context, bp_progress_when when);
  bp_status bp_trainer_run(bp_trainer *trainer);
  bp_stop bp_trainer_stop(const bp_trainer *trainer);
  bp_status bp_workspace_create(_Out_ bp_workspace **ws, const bp_net *net, size_t max_batch);`;

export class BpError extends Error {
  name = 'BpError';
}

const last_error = library.func('const char *bp_last_error(void)');
export const version = library.func('const char *bp_version(void)');

function check(status) {
  if (status !== 0) {
    throw new BpError(last_error());
  }
}

function length(array, type) {
  if (!(array instanceof type)) {
    throw new TypeError(`a ${type.name} is needed, not ${array?.constructor?.name ?? array}`);
  }
  return array.length;
}

function divide(numbers, row) {
  if (numbers === 0 || !Number.isInteger(numbers / row)) {
    throw new RangeError(`${numbers} numbers are no rows of ${row}`);
  }
  return numbers / row;
}

// The memory of handles that are collected without having been destroyed.
const collected = new FinalizationRegistry(({ free, pointer }) => free(pointer));

class Handle {
  #pointer;
  #free;
  uses = []; // handles that C uses through this one
  running = 0;

  constructor(name, ...values) {
    const out = [null];
    calls[name](out, ...values);
    this.#pointer = out[0];
    this.#free = destructors[this.constructor.name];
    collected.register(this, { free: this.#free, pointer: out[0] }, this);
  }

  get pointer() {
    if (!this.#pointer) {
      throw new BpError(`this ${this.constructor.name} is destroyed`);
    }
    for (const used of this.uses) {
      void used.pointer;
    }
    return this.#pointer;
  }

  // Frees it now: the collector does not know how large it is.
  destroy() {
    if (this.running > 0) {
      throw new BpError(`this ${this.constructor.name} is being trained`);
    }
    if (this.#pointer) {
      collected.unregister(this);
      this.#free(this.#pointer);
      this.#pointer = null;
    }
  }
}

export class Dataset extends Handle {
  // As many rows of inputs as there are classes.
  static create_classes(n_classes, inputs, classes) {
    const n = length(classes, Uint32Array);
    return Dataset.create_classes_f32(n, divide(length(inputs, Float32Array), n), n_classes, inputs, classes);
  }

  static create(inputs, targets, n_samples) {
    const n_inputs = divide(length(inputs, Float32Array), n_samples), n_outputs = divide(length(targets, Float32Array), n_samples);
    return Dataset.create_f32(n_samples, n_inputs, n_outputs, inputs, targets);
  }

  // Offset and scale, for net.set_input_scaling.
  fit_scaling(scaling) {
    const offset = new Float32Array(this.input_count()), scale = new Float32Array(this.input_count());
    this.fit_scaling_f32(scaling, offset, scale);
    return [offset, scale];
  }
}

export class Net extends Handle {
  set_input_scaling(offset, scale) {
    const n = this.input_count();
    if (length(offset, Float32Array) !== n || length(scale, Float32Array) !== n) {
      throw new RangeError(`offset and scale are ${n} numbers each`);
    }
    this.set_input_scaling_f32(offset, scale);
  }

  // The outputs for the rows of inputs, in the array outputs if there is one.
  predict(workspace, inputs, outputs) {
    const n = divide(length(inputs, Float32Array), this.input_count()), n_outputs = n * this.output_count();
    outputs ??= new Float32Array(n_outputs);
    if (length(outputs, Float32Array) !== n_outputs) {
      throw new RangeError(`there are ${n_outputs} outputs`);
    }
    this.predict_f32(workspace, n, inputs, outputs);
    return outputs;
  }
}

export class Optimizer extends Handle {}

export class Workspace extends Handle {}

export class Trainer extends Handle {
  static create(net, optimizer, loss, training) {
    const trainer = new Trainer('bp_trainer_create', net, optimizer, loss, training);
    trainer.uses = [net, optimizer, training];
    return trainer;
  }

  // Trains, and tells progress(…) of each epoch, which stops the training when it returns true. What it throws must not cross C: it is kept, and
  // thrown behind the run.
  run(progress = () => false) {
    const pointer = this.pointer, used = [this, ...this.uses];
    const failures = [];
    const callback = koffi.register((_, epoch) => {
      try {
        return progress(koffi.decode(epoch, Progress)) === true ? 1 : 0;
      } catch (error) {
        failures.push(error);
        return 1;
      }
    }, ProgressFunction);
    used.forEach((handle) => handle.running++);
    try {
      calls.bp_trainer_set_progress(this, callback, null, PROGRESS_EPOCH);
      calls.bp_trainer_run(this);
    } finally {
      used.forEach((handle) => handle.running--);
      functions.bp_trainer_set_progress(pointer, null, null, PROGRESS_EPOCH);
      koffi.unregister(callback);
    }
    if (failures.length > 0) {
      throw failures[0];
    }
  }
}

const kinds = { Dataset, Net, Optimizer, Trainer, Workspace };
const functions = {}; // by name, as they are
const calls = {}; // by name, with arguments and status checked
const destructors = {}; // by the name of the handle's class

// C takes any array and any handle for any other, so the prototype's types are checked here. koffi checks numbers and strings.
function converter(parameter) {
  const [, kind] = parameter.match(/bp_([a-z]+) \*[a-z]/) ?? [];
  const expected = kind ? kinds[capitalized(kind)] : /float \*/.test(parameter) ? Float32Array : /uint32_t \*/.test(parameter) ? Uint32Array : null;
  return (value) => {
    if (expected && !(value instanceof expected)) {
      throw new TypeError(`${parameter.trim()} is to be a ${expected.name}`);
    }
    return kind ? value.pointer : value;
  };
}

function capitalized(word) {
  return word[0].toUpperCase() + word.slice(1);
}

function declare(prototype) {
  const [, result, name, parameters] = prototype.match(/^(.*?)(bp_\w+)\((.*)\)$/s);
  const converters = parameters.split(',').map(converter);
  const raw = library.func(prototype);
  functions[name] = raw;
  calls[name] = (...values) => {
    if (values.length !== converters.length) {
      throw new TypeError(`${name} has ${converters.length} arguments, not ${values.length}`);
    }
    const answer = raw(...converters.map((convert, i) => convert(values[i])));
    return result.includes('bp_status') ? check(answer) : answer;
  };
}

// bp_net_create, which writes a net, becomes Net.create; bp_net_save, which takes one, becomes the method save. Written ones stay, and
// the progress function is given to run.
function add_method(prototype) {
  const [, name, kind, method] = prototype.match(/(bp_([a-z]+)_(\w+))\(/);
  const owner = kinds[capitalized(kind)];
  if (prototype.includes('bp_progress_function')) {
    return;
  }
  if (prototype.includes('(_Out_')) {
    owner[method] ??= (...values) => new owner(name, ...values);
  } else {
    owner.prototype[method] ??= function (...values) {
      return calls[name](this, ...values);
    };
  }
}

for (const prototype of prototypes.split(';').map((text) => text.trim()).filter(Boolean)) {
  declare(prototype);
  add_method(prototype);
}
for (const kind of Object.keys(kinds)) {
  const name = `bp_${kind.toLowerCase()}`;
  destructors[kind] = library.func(`void ${name}_destroy(${name} *handle)`);
}
