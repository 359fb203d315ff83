// What ../c/digits.c does: node digits.js DIGITS.CSV MODEL.safetensors
import { readFileSync } from 'node:fs';
import * as bp from './bp.js';

const TRAINING = 1438, PIXELS = 64, CLASSES = 10, EPOCHS = 20;

// Pixels and digits of all samples, one after the other.
function read_digits(path) {
  const rows = readFileSync(path, 'utf8').trim().split('\n').map((line) => line.split(',').map(parseFloat));
  rows.forEach((row, i) => {
    if (row.length !== PIXELS + 1 || row.some(Number.isNaN)) {
      throw new Error(`${path}: a number is missing in row ${i + 1}`);
    }
  });
  return [Float32Array.from(rows.flatMap((row) => row.slice(0, PIXELS))), Uint32Array.from(rows, (row) => row[PIXELS])];
}

function print_progress({ epoch, epochs, training_loss }) {
  if (epoch % 10 === 0) {
    console.log(`epoch ${epoch} of ${epochs}: loss ${training_loss.toFixed(4)}`);
  }
}

// The class with the largest of the outputs of sample i.
function largest(outputs, i) {
  const row = outputs.subarray(i * CLASSES, (i + 1) * CLASSES);
  return row.indexOf(Math.max(...row));
}

if (process.argv.length !== 4) {
  console.error('usage: digits.js DIGITS.CSV MODEL.safetensors');
  process.exit(2);
}
const [pixels, digits] = read_digits(process.argv[2]);
const test_pixels = pixels.subarray(TRAINING * PIXELS), test_digits = digits.subarray(TRAINING);
console.log(`libbp ${bp.version()}`);

// a call that fails says why
try {
  bp.Net.create(bp.F32, 0);
} catch (error) {
  console.log(`refused: ${error.message}`);
}

// 64-32-10, which scales its inputs
const training = bp.Dataset.create_classes(CLASSES, pixels.subarray(0, TRAINING * PIXELS), digits.subarray(0, TRAINING));
const net = bp.Net.create(bp.F32, PIXELS);
net.add_dense(32, bp.ACTIVATION_TANH, 1);
net.add_dense(CLASSES, bp.ACTIVATION_SOFTMAX, 1);
net.initialize(bp.INITIALIZER_GLOROT_UNIFORM, 42);
net.set_input_scaling(...training.fit_scaling(bp.SCALING_MIN_MAX));

// train
const optimizer = bp.Optimizer.create(bp.METHOD_ADAM, net);
optimizer.set(bp.OPTIMIZER_LEARNING_RATE, 0.005);
const trainer = bp.Trainer.create(net, optimizer, bp.LOSS_CROSS_ENTROPY, training);
trainer.set(bp.TRAINER_EPOCHS, EPOCHS);
trainer.set(bp.TRAINER_BATCH_SIZE, 32);
trainer.set(bp.TRAINER_SEED, 42);
trainer.run(print_progress);

// predict many, and one
const workspace = bp.Workspace.create(net, 64);
const outputs = net.predict(workspace, test_pixels);
const right = test_digits.filter((digit, i) => largest(outputs, i) === digit).length;
console.log(`accuracy ${(right / test_digits.length).toFixed(4)} on ${test_digits.length} digits`);
const one = net.predict(workspace, test_pixels.subarray(0, PIXELS));
console.log(`the first is a ${test_digits[0]}, and taken for a ${largest(one, 0)}`);

// save and load
net.save(process.argv[3]);
const loaded = bp.Net.load(process.argv[3]);
const its_workspace = bp.Workspace.create(loaded, 64);
const again = loaded.predict(its_workspace, test_pixels);
console.log(`loaded: ${Buffer.compare(new Uint8Array(again.buffer), new Uint8Array(outputs.buffer)) === 0 ? 'the same answers' : 'other answers'}`);

for (const handle of [its_workspace, loaded, workspace, trainer, optimizer, net, training]) {
  handle.destroy();
}
