# What goes wrong is refused as an error of Ruby, and nothing crashes.
require_relative "bp"
require "open3"
require "rbconfig"
require "timeout"

def refused(type, sentence)
  yield
rescue type => error
  raise "another reason than #{sentence}: #{error.message}" unless error.message.include?(sentence)
else
  raise "not refused: #{sentence}"
end

def assert(condition, what)
  raise what unless condition
end

def new_net
  net = BP::Net.create(BP::F32, 2)
  net.add_dense(3, BP::ACTIVATION_TANH, 1)
  net.add_dense(1, BP::ACTIVATION_SIGMOID, 1)
  net.initialize_weights(BP::INITIALIZER_GLOROT_UNIFORM, 42)
  net
end

def new_trainer(net, epochs: 15, times: 1)
  xor = BP::Dataset.create([0, 0, 0, 1, 1, 0, 1, 1] * times, [0, 1, 1, 0] * times, 4 * times)
  trainer = BP::Trainer.create(net, BP::Optimizer.create(BP::METHOD_SGD, net), BP::LOSS_MSE, xor)
  trainer.set(BP::TRAINER_EPOCHS, epochs)
  trainer
end

net = new_net
workspace = BP::Workspace.create(net, 4)

# arrays of another type or length
["12345678", 8, nil, Fiddle::Pointer[0]].each do |inputs|
  refused(TypeError, "Array is needed") { net.predict(workspace, inputs) }
  refused(TypeError, "Array is needed") { net.predict_f32(workspace, 1, inputs, BP.floats(1)) }
end
refused(TypeError, "Fiddle::Pointer is needed") { net.predict_f32(workspace, 1, [1, 2], [0]) }
refused(TypeError, "convert") { net.predict(workspace, [1, "2"]) }
refused(ArgumentError, "no rows of 2") { net.predict(workspace, [1, 2, 3]) }
refused(ArgumentError, "no rows of 2") { net.predict(workspace, []) }
refused(ArgumentError, "2 numbers each") { net.set_input_scaling([1], [1, 1]) }
refused(ArgumentError, "no rows of 2") { BP::Dataset.create_classes(2, [1, 2, 3], [0, 1]) }
refused(BP::Error, "bp_dataset_create_classes_f32: ") { BP::Dataset.create_classes(2, [1, 2], [0, 2]) }

# arguments that are missing or of another type; handles of another kind, of another net, or destroyed
refused(ArgumentError, "4 arguments") { net.add_dense(3) }
refused(TypeError, "conversion") { net.add_dense("3", BP::ACTIVATION_TANH, 1) }
refused(TypeError, "BP::Workspace is needed") { net.predict(net, [1, 2]) }
refused(TypeError, "BP::Net is needed") { BP::Workspace.create(1234, 1) }
refused(BP::Error, "bp_net_predict_f32: ") { new_net.predict(workspace, [1, 2]) }
refused(BP::Error, "bp_net_add_dense: ") { net.add_dense(3, BP::ACTIVATION_TANH, 1) }
workspace.destroy
workspace.destroy
refused(BP::Error, "BP::Workspace is destroyed") { net.predict(workspace, [1, 2]) }
trainer = new_trainer(net)
net.destroy
refused(BP::Error, "BP::Net is destroyed") { net.save("never-written") }
refused(BP::Error, "BP::Net is destroyed") { trainer.run }

# the progress function: exceptions, break, throw, and what it must not do
net = new_net
trainer = new_trainer(net)
epochs = 0
refused(RuntimeError, "enough") { trainer.run { epochs += 1; raise "enough" } }
assert(epochs == 1 && trainer.stop == BP::STOP_CALLBACK, "an exception does not stop the run")
refused(SystemExit, "exit") { trainer.run { exit } }
trainer.run { epochs += 1; break }
assert(epochs == 2 && trainer.stop == BP::STOP_CALLBACK, "break does not stop the run")
thrown = catch(:done) { trainer.run { epochs += 1; throw :done, "thrown" } }
assert(epochs == 3 && trainer.stop == BP::STOP_CALLBACK && thrown == "thrown", "throw does not stop the run")
refused(UncaughtThrowError, "nowhere") { trainer.run { epochs += 1; throw :nowhere } }
refused(BP::Error, "bp_trainer_set_progress: ") { trainer.run { trainer.run } }
refused(NoMethodError, "set_progress") { trainer.set_progress(nil, nil, 0) }
refused(BP::Error, "is being trained") { trainer.run { net.destroy } }
refused(BP::Error, "is being trained") { trainer.run { trainer.destroy } }
thread = Thread.new { trainer.run { Thread.current.kill } }
assert(thread.join && trainer.stop == BP::STOP_CALLBACK, "a thread that ends does not stop the run")
refused(Timeout::Error, "expired") { Timeout.timeout(0.1) { trainer.run { sleep } } }
refused(Interrupt, "") { trainer.run { Process.kill(:INT, Process.pid); sleep } }
trainer.run { epochs += 1 }
assert(epochs == 8 && trainer.stop == BP::STOP_EPOCHS, "the run does not go on behind its errors")

# interrupts that come while C is at work
trainer = new_trainer(new_net, epochs: 1e9, times: 1000)
5.times do
  Thread.new { sleep 0.02; Process.kill(:INT, Process.pid) }
  refused(Interrupt, "") { trainer.run { epochs += 1 } }
  assert(trainer.stop == BP::STOP_CALLBACK, "a signal passes through C")
  refused(Timeout::Error, "expired") { Timeout.timeout(0.02) { trainer.run { epochs += 1 } } }
  assert(trainer.stop == BP::STOP_CALLBACK, "a timeout passes through C")
end

# what is no longer reached is freed, in whatever order
200.times { new_trainer(new_net) }
GC.start

# no library
_, errors, status = Open3.capture3({ "BP_LIBRARY" => "/nowhere/libbp.so" }, RbConfig.ruby, "digits.rb")
assert(!status.success? && errors.include?("LD_LIBRARY_PATH"), "a missing library is not named")
