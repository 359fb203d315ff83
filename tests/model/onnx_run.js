// onnx_run.js MODULES FOLDER: runs every NAME.onnx in FOLDER on NAME.x by onnxruntime, which is in MODULES/node_modules, and compares with NAME.y.
'use strict';

const fs = require('fs');
const path = require('path');

const SAMPLES = 32; // as in samples.c
const TOLERANCE = 1e-5;
const [modules, folder] = process.argv.slice(2);
const ort = require(path.join(path.resolve(modules), 'node_modules', 'onnxruntime-node'));

function numbers(name, suffix, Type) {
    const bytes = fs.readFileSync(path.join(folder, name + suffix));
    return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

// The greatest difference, relative where numbers are beyond 1; null: onnxruntime has not this operator on doubles.
async function compare(name) {
    const isDouble = name.endsWith('_f64');
    const Type = isDouble ? Float64Array : Float32Array;
    const x = numbers(name, '.x', Type);
    const y = numbers(name, '.y', Type);
    let session;
    try {
        // with more optimization it makes operators of its own, which are for floats only, of those that it has for doubles
        const options = { intraOpNumThreads: 1, logSeverityLevel: 3, graphOptimizationLevel: isDouble ? 'basic' : 'all' };
        session = await ort.InferenceSession.create(path.join(folder, name + '.onnx'), options);
    } catch (error) {
        if (isDouble && /NOT_IMPLEMENTED|Could not find an implementation/.test(error.message)) {
            return null;
        }
        throw error;
    }
    const input = new ort.Tensor(isDouble ? 'float64' : 'float32', x, [SAMPLES, x.length / SAMPLES]);
    const output = (await session.run({ input })).output;
    if (output.dims[0] !== SAMPLES || output.data.length !== y.length) {
        throw new Error(`${name}: the output has the shape ${output.dims}`);
    }
    return y.reduce((worst, expected, i) => Math.max(worst, Math.abs(output.data[i] - expected) / Math.max(1, Math.abs(expected))), 0);
}

async function main() {
    const names = fs.readdirSync(folder).filter((file) => file.endsWith('.onnx')).map((file) => file.slice(0, -5)).sort();
    let bad = 0;
    for (const name of names) {
        const difference = await compare(name);
        console.log(`${name.padEnd(24)} ${difference === null ? 'onnxruntime has no such operator on doubles' : difference.toExponential(1)}`);
        bad += difference !== null && !(difference <= TOLERANCE) ? 1 : 0;
    }
    console.log(`${names.length} models, ${bad} of them differ by more than ${TOLERANCE}`);
    process.exitCode = names.length === 0 || bad > 0 ? 1 : 0;
}

main();
