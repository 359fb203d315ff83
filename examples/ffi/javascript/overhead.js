// What a call from Node costs, and how batches cure it: bp_net_predict_f32 of a net 2-3-2-1.
import * as bp from './bp.js';

const net = bp.Net.create(bp.F32, 2);
for (const units of [3, 2, 1]) {
  net.add_dense(units, bp.ACTIVATION_TANH, 1);
}
net.initialize(bp.INITIALIZER_GLOROT_UNIFORM, 42);
const workspace = bp.Workspace.create(net, 256);

function nanoseconds(samples, calls) {
  const inputs = Float32Array.from({ length: 2 * samples }, (_, i) => i / samples);
  const outputs = net.predict(workspace, inputs);
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) {
    net.predict(workspace, inputs, outputs);
  }
  return Number(process.hrtime.bigint() - start) / calls / samples;
}

nanoseconds(1, 10000); // to warm up
console.log(`1 sample a call: ${nanoseconds(1, 100000).toFixed(0)} ns a sample`);
console.log(`256 samples a call: ${nanoseconds(256, 1000).toFixed(1)} ns a sample`);
