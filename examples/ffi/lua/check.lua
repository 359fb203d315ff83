-- What goes wrong is refused as an error of Lua, and nothing crashes.
local ffi = require("ffi")
local bp = require("bp")

local function refused(sentence, call, ...)
    local fine, reason = pcall(call, ...)
    assert(not fine, "not refused: " .. sentence)
    assert(tostring(reason):find(sentence, 1, true), "another reason than " .. sentence .. ": " .. tostring(reason))
end

local function new_net()
    local net = bp.net.create(bp.F32, 2)
    net:add_dense(3, bp.ACTIVATION_TANH, 1)
    net:add_dense(1, bp.ACTIVATION_SIGMOID, 1)
    net:initialize(bp.INITIALIZER_GLOROT_UNIFORM, 42)
    return net
end

local function new_trainer(net)
    local xor = bp.dataset.create_f32(4, 2, 1, bp.floats({0, 0, 0, 1, 1, 0, 1, 1}), bp.floats({0, 1, 1, 0}))
    local trainer = bp.trainer.create(net, bp.optimizer.create(bp.METHOD_SGD, net), bp.LOSS_MSE, xor)
    trainer:set(bp.TRAINER_EPOCHS, 10)
    return trainer
end

local net = new_net()
local workspace = bp.workspace.create(net, 4)

-- arrays of another type or length
refused("not an array", net.predict, net, workspace, {1, 2})
refused("not an array", net.predict, net, workspace, ffi.new("double[?]", 2))
refused("no rows of 2", net.predict, net, workspace, bp.floats({1, 2, 3}))
refused("no rows of 2", net.predict, net, workspace, bp.floats({}))
refused("no index", function() return bp.floats({1, 2})[2] end)
refused("no index", function() bp.floats({1, 2})[-1] = 0 end)
refused("1 outputs", net.predict, net, workspace, bp.floats({1, 2}), bp.floats({0, 0}))
refused("2 numbers each", net.set_input_scaling, net, bp.floats({1}), bp.floats({1, 1}))
refused("no rows of 2", bp.dataset.create_classes, 2, bp.floats({1, 2, 3}), bp.classes({0, 1}))
refused("not an array", bp.dataset.create_classes, 2, bp.floats({1, 2}), bp.floats({0, 1}))

-- handles of another kind, of another net, or destroyed
refused("cannot convert", net.predict, net, net, bp.floats({1, 2}))
refused("bp_net_predict_f32: ", net.predict, new_net(), workspace, bp.floats({1, 2}))
refused("bp_net_add_dense: ", net.add_dense, net, 3, bp.ACTIVATION_TANH, 1)
refused("missing declaration", function() net:no_such_call() end)
workspace:destroy()
workspace:destroy()
refused("this workspace is destroyed", net.predict, net, workspace, bp.floats({1, 2}))
local trainer = new_trainer(net)
net:destroy()
refused("this net is destroyed", net.save, net, "never-written")
refused("this net is destroyed", trainer.run, trainer)

-- the progress function: an error, true, and what it must not do
net = new_net()
trainer = new_trainer(net)
local epochs = 0
local function count() epochs = epochs + 1 end
refused("enough", trainer.run, trainer, function() count() error("enough") end)
assert(epochs == 1 and trainer:stop() == bp.STOP_CALLBACK)
trainer:run(function() count() return true end)
assert(epochs == 2)
refused("own progress function", trainer.run, trainer, function() trainer:run(count) end)
refused("is given to run", trainer.set_progress, trainer, count)
refused("is being trained", trainer.run, trainer, function() net:destroy() end)
refused("is being trained", trainer.run, trainer, function() trainer:destroy() end)
trainer:run(count)
assert(epochs == 7, "the run does not go on behind its errors")

-- what is no longer reached is freed, in whatever order
net, trainer, workspace = nil, nil, nil
for _ = 1, 200 do
    new_trainer(new_net())
end
collectgarbage()
collectgarbage()

-- no library, no header
local function output(environment)
    local process = io.popen(environment .. " luajit -e 'require(\"bp\")' 2>&1")
    local text = process:read("*a")
    process:close()
    return text
end
assert(output("BP_LIBRARY=/nowhere/libbp.so"):find("LD_LIBRARY_PATH", 1, true))
assert(output("PREFIX=/nowhere"):find("set PREFIX", 1, true))
