-- What ../c/digits.c does: luajit digits.lua DIGITS.CSV MODEL.safetensors
local bp = require("bp")

local TRAINING, PIXELS, CLASSES, EPOCHS = 1438, 64, 10, 20

-- Two sets of n samples: the pixels of all, and their digits.
local function read_digits(path)
    local sets, row = {{pixels = {}, digits = {}}, {pixels = {}, digits = {}}}, 0
    for line in io.lines(path) do
        row = row + 1
        local set, numbers = sets[row <= TRAINING and 1 or 2], {}
        for number in line:gmatch("[^,]+") do
            table.insert(numbers, (assert(tonumber(number), path .. ": not a number: " .. number)))
        end
        assert(#numbers == PIXELS + 1, path .. ": a number is missing in row " .. row)
        table.insert(set.digits, table.remove(numbers))
        for _, pixel in ipairs(numbers) do
            table.insert(set.pixels, pixel)
        end
    end
    for _, set in ipairs(sets) do
        set.pixels, set.digits = bp.floats(set.pixels), bp.classes(set.digits)
    end
    return sets[1], sets[2]
end

local function print_progress(progress)
    local epoch = tonumber(progress.epoch)
    if epoch % 10 == 0 then
        print(("epoch %d of %d: loss %.4f"):format(epoch, tonumber(progress.epochs), progress.training_loss))
    end
end

-- The class with the largest of the outputs of sample i.
local function largest(outputs, i)
    local answer = 0
    for k = 1, CLASSES - 1 do
        answer = outputs[i * CLASSES + k] > outputs[i * CLASSES + answer] and k or answer
    end
    return answer
end

assert(#arg == 2, "usage: digits.lua DIGITS.CSV MODEL.safetensors")
local train, test = read_digits(arg[1])
print("libbp " .. bp.version())

-- a call that fails says why
local created, reason = pcall(bp.net.create, bp.F32, 0)
if not created then
    print("refused: " .. reason)
end

-- 64-32-10, which scales its inputs
local training = bp.dataset.create_classes(CLASSES, train.pixels, train.digits)
local net = bp.net.create(bp.F32, PIXELS)
net:add_dense(32, bp.ACTIVATION_TANH, 1)
net:add_dense(CLASSES, bp.ACTIVATION_SOFTMAX, 1)
net:initialize(bp.INITIALIZER_GLOROT_UNIFORM, 42)
net:set_input_scaling(training:fit_scaling(bp.SCALING_MIN_MAX))

-- train
local optimizer = bp.optimizer.create(bp.METHOD_ADAM, net)
optimizer:set(bp.OPTIMIZER_LEARNING_RATE, 0.005)
local trainer = bp.trainer.create(net, optimizer, bp.LOSS_CROSS_ENTROPY, training)
trainer:set(bp.TRAINER_EPOCHS, EPOCHS)
trainer:set(bp.TRAINER_BATCH_SIZE, 32)
trainer:set(bp.TRAINER_SEED, 42)
trainer:run(print_progress)

-- predict many, and one
local workspace = bp.workspace.create(net, 64)
local outputs = net:predict(workspace, test.pixels)
local right = 0
for i = 0, #test.digits - 1 do
    right = right + (largest(outputs, i) == test.digits[i] and 1 or 0)
end
print(("accuracy %.4f on %d digits"):format(right / #test.digits, #test.digits))
local first = bp.floats(PIXELS)
for j = 0, PIXELS - 1 do
    first[j] = test.pixels[j]
end
print(("the first is a %d, and taken for a %d"):format(test.digits[0], largest(net:predict(workspace, first), 0)))

-- save and load
net:save(arg[2])
local loaded = bp.net.load(arg[2])
local again = loaded:predict(bp.workspace.create(loaded, 64), test.pixels)
local same = #again == #outputs
for i = 0, #outputs - 1 do
    same = same and again[i] == outputs[i]
end
print("loaded: " .. (same and "the same answers" or "other answers"))
