# What a call from Ruby costs, and how batches cure it: bp_net_predict_f32 of a net 2-3-2-1.
require_relative "bp"

net = BP::Net.create(BP::F32, 2)
[3, 2, 1].each { |units| net.add_dense(units, BP::ACTIVATION_TANH, 1) }
net.initialize_weights(BP::INITIALIZER_GLOROT_UNIFORM, 42)
workspace = BP::Workspace.create(net, 256)

def nanoseconds(net, workspace, samples, calls)
  inputs = Array.new(2 * samples) { |i| i.fdiv(samples) }
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
  calls.times { net.predict(workspace, inputs) }
  (Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - start).fdiv(calls * samples)
end

nanoseconds(net, workspace, 1, 1000) # to warm up
puts format("1 sample a call: %.0f ns a sample", nanoseconds(net, workspace, 1, 10_000))
puts format("256 samples a call: %.1f ns a sample", nanoseconds(net, workspace, 256, 1000))
