-- What a call from Lua costs, and how batches cure it: bp_net_predict_f32 of a net 2-3-2-1.
local bp = require("bp")

local net = bp.net.create(bp.F32, 2)
for _, units in ipairs({3, 2, 1}) do
    net:add_dense(units, bp.ACTIVATION_TANH, 1)
end
net:initialize(bp.INITIALIZER_GLOROT_UNIFORM, 42)
local workspace = bp.workspace.create(net, 256)

local function nanoseconds(samples, calls)
    local numbers = {}
    for i = 1, 2 * samples do
        numbers[i] = i / samples
    end
    local inputs = bp.floats(numbers)
    local outputs = net:predict(workspace, inputs)
    local start = os.clock()
    for _ = 1, calls do
        net:predict(workspace, inputs, outputs)
    end
    return (os.clock() - start) * 1e9 / calls / samples
end

nanoseconds(1, 10000) -- to warm up
print(("1 sample a call: %.0f ns a sample"):format(nanoseconds(1, 100000)))
print(("256 samples a call: %.1f ns a sample"):format(nanoseconds(256, 1000)))
