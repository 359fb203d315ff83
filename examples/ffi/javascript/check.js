// What goes wrong is refused as an error of JavaScript, and nothing crashes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as bp from './bp.js';

const floats = (...numbers) => Float32Array.from(numbers);

function new_net() {
  const net = bp.Net.create(bp.F32, 2);
  net.add_dense(3, bp.ACTIVATION_TANH, 1);
  net.add_dense(1, bp.ACTIVATION_SIGMOID, 1);
  net.initialize(bp.INITIALIZER_GLOROT_UNIFORM, 42);
  return net;
}

function new_trainer(net) {
  const xor = bp.Dataset.create(floats(0, 0, 0, 1, 1, 0, 1, 1), floats(0, 1, 1, 0), 4);
  const trainer = bp.Trainer.create(net, bp.Optimizer.create(bp.METHOD_SGD, net), bp.LOSS_MSE, xor);
  trainer.set(bp.TRAINER_EPOCHS, 10);
  return trainer;
}

let net = new_net();
const workspace = bp.Workspace.create(net, 4);

// arrays of another type or length
for (const inputs of [[1, 2], new Float64Array(2), new ArrayBuffer(8), 8, 8n, null, undefined]) {
  assert.throws(() => net.predict(workspace, inputs), TypeError);
  assert.throws(() => net.predict_f32(workspace, 1, inputs, floats(0)), TypeError);
}
assert.throws(() => net.predict(workspace, floats(1, 2, 3)), /no rows of 2/);
assert.throws(() => net.predict(workspace, floats()), /no rows of 2/);
assert.throws(() => net.predict(workspace, floats(1, 2), floats(0, 0)), /1 outputs/);
assert.throws(() => net.set_input_scaling(floats(1), floats(1, 1)), /2 numbers each/);
assert.throws(() => bp.Dataset.create_classes(2, floats(1, 2, 3), Uint32Array.of(0, 1)), /no rows of 2/);
assert.throws(() => bp.Dataset.create_classes(2, floats(1, 2), floats(0, 1)), TypeError);

// arguments that are missing or of another type; handles of another kind, of another net, or destroyed
assert.throws(() => net.add_dense(3), TypeError);
assert.throws(() => net.add_dense('3', bp.ACTIVATION_TANH, 1), TypeError);
assert.throws(() => net.predict(net, floats(1, 2)), TypeError);
assert.throws(() => bp.Workspace.create(1234n, 1), TypeError);
assert.throws(() => new_net().predict(workspace, floats(1, 2)), { name: 'BpError', message: /^bp_net_predict_f32: / });
assert.throws(() => net.add_dense(3, bp.ACTIVATION_TANH, 1), { name: 'BpError', message: /^bp_net_add_dense: / });
workspace.destroy();
workspace.destroy();
assert.throws(() => net.predict(workspace, floats(1, 2)), /this Workspace is destroyed/);
let trainer = new_trainer(net);
net.destroy();
assert.throws(() => net.save('never-written'), /this Net is destroyed/);
assert.throws(() => trainer.run(), /this Net is destroyed/);

// the progress function: an exception, true, and what it must not do
net = new_net();
trainer = new_trainer(net);
let epochs = 0;
const count = () => epochs++;
const enough = new Error('enough');
assert.throws(() => trainer.run(() => { count(); throw enough; }), enough);
assert.equal(epochs, 1);
assert.equal(trainer.stop(), bp.STOP_CALLBACK);
trainer.run(() => { count(); return true; });
assert.equal(epochs, 2);
assert.throws(() => trainer.run(() => trainer.run(count)), /^BpError: bp_trainer_set_progress: /);
assert.equal(trainer.set_progress, undefined);
assert.throws(() => trainer.run(() => net.destroy()), /is being trained/);
assert.throws(() => trainer.run(() => trainer.destroy()), /is being trained/);
trainer.run(count);
assert.equal(epochs, 7, 'the run does not go on behind its errors');
assert.equal(trainer.stop(), bp.STOP_EPOCHS);

// what is no longer reached is freed, in whatever order
for (let i = 0; i < 200; i++) {
  new_trainer(new_net());
}
globalThis.gc?.();
await new Promise((resolve) => setTimeout(resolve, 10));

// no library
const child = spawnSync(process.execPath, ['digits.js'], { env: { ...process.env, BP_LIBRARY: '/nowhere/libbp.so' }, encoding: 'utf8' });
assert.notEqual(child.status, 0);
assert.match(child.stderr, /LD_LIBRARY_PATH/);
