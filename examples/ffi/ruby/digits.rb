# What ../c/digits.c does: ruby digits.rb DIGITS.CSV MODEL.safetensors
require_relative "bp"

TRAINING = 1438
PIXELS = 64
CLASSES = 10
EPOCHS = 20

# Rows of pixels, and their digits.
def read_digits(path)
  rows = File.foreach(path).map { |line| line.split(",").map { |number| Float(number) } }
  rows.each.with_index(1) { |row, i| abort "#{path}: a number is missing in row #{i}" unless row.size == PIXELS + 1 }
  [rows.map { |row| row.first(PIXELS) }, rows.map { |row| row.last.to_i }]
end

def largest(outputs)
  outputs.index(outputs.max)
end

abort "usage: digits.rb DIGITS.CSV MODEL.safetensors" unless ARGV.size == 2
pixels, digits = read_digits(ARGV[0])
test_pixels = pixels.drop(TRAINING)
test_digits = digits.drop(TRAINING)
puts "libbp #{BP.version}"

# a call that fails says why
begin
  BP::Net.create(BP::F32, 0)
rescue BP::Error => error
  puts "refused: #{error.message}"
end

# 64-32-10, which scales its inputs
training = BP::Dataset.create_classes(CLASSES, pixels.first(TRAINING).flatten, digits.first(TRAINING))
net = BP::Net.create(BP::F32, PIXELS)
net.add_dense(32, BP::ACTIVATION_TANH, 1)
net.add_dense(CLASSES, BP::ACTIVATION_SOFTMAX, 1)
net.initialize_weights(BP::INITIALIZER_GLOROT_UNIFORM, 42)
net.set_input_scaling(*training.fit_scaling(BP::SCALING_MIN_MAX))

# train
optimizer = BP::Optimizer.create(BP::METHOD_ADAM, net)
optimizer.set(BP::OPTIMIZER_LEARNING_RATE, 0.005)
trainer = BP::Trainer.create(net, optimizer, BP::LOSS_CROSS_ENTROPY, training)
trainer.set(BP::TRAINER_EPOCHS, EPOCHS)
trainer.set(BP::TRAINER_BATCH_SIZE, 32)
trainer.set(BP::TRAINER_SEED, 42)
trainer.run do |progress|
  puts format("epoch %d of %d: loss %.4f", progress.epoch, progress.epochs, progress.training_loss) if (progress.epoch % 10).zero?
end

# predict many, and one
workspace = BP::Workspace.create(net, 64)
outputs = net.predict(workspace, test_pixels.flatten)
right = outputs.each_slice(CLASSES).zip(test_digits).count { |row, digit| largest(row) == digit }
puts format("accuracy %.4f on %d digits", right.fdiv(test_digits.size), test_digits.size)
puts "the first is a #{test_digits.first}, and taken for a #{largest(net.predict(workspace, test_pixels.first))}"

# save and load
net.save(ARGV[1])
loaded = BP::Net.load(ARGV[1])
again = loaded.predict(BP::Workspace.create(loaded, 64), test_pixels.flatten)
puts "loaded: #{again == outputs ? "the same answers" : "other answers"}"
