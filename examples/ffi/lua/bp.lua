-- libbp for LuaJIT, by the declarations of the installed bp.ffi.h: net:add_dense(32, bp.ACTIVATION_TANH, 1) is bp_net_add_dense,
-- bp.net.load(path) makes a net by bp_net_load, and bp.F32 is BP_F32. A call that fails raises bp_last_error's sentence. C does not know how long an
-- array is: the calls of the example that take arrays are written out below, and look first.
local ffi = require("ffi")

local function load()
    local header = (os.getenv("PREFIX") or "/usr/local") .. "/include/bp/bp.ffi.h"
    local file, reason = io.open(header)
    if not file then
        error("bp: " .. reason .. ": set PREFIX to the folder that libbp is installed in", 0)
    end
    ffi.cdef(file:read("*a"))
    file:close()
    local loaded, library = pcall(ffi.load, os.getenv("BP_LIBRARY") or "libbp.so.1")
    if not loaded then
        error("bp: " .. library .. ": install libbp and run ldconfig, or name its folder in LD_LIBRARY_PATH, or the file in BP_LIBRARY", 0)
    end
    return library
end

local C = load()
local bp_status = ffi.typeof("bp_status")

-- An array that knows its length: floats(3) or floats({1, 2, 3}); its elements are array[0] to array[#array - 1].
local function new_array_type(element)
    local function place(array, i)
        return i >= 0 and i < array.length and i or error("bp: " .. tostring(i) .. " is no index of " .. array.length .. " numbers", 3)
    end
    local array_type = ffi.metatype("struct { int length; " .. element .. " values[?]; }", {
        __len = function(array) return array.length end,
        __index = function(array, i) return array.values[place(array, i)] end,
        __newindex = function(array, i, value) array.values[place(array, i)] = value end,
    })
    return array_type, function(numbers)
        local n = type(numbers) == "table" and #numbers or numbers
        return array_type(n, n, type(numbers) == "table" and numbers or {})
    end
end

local floats, new_floats = new_array_type("float")
local classes, new_classes = new_array_type("uint32_t")

-- A result that is a status becomes an error unless it is BP_OK; others are given back, numbers as numbers of Lua.
local function check(result)
    if not ffi.istype(bp_status, result) then
        return tonumber(result) or result
    elseif tonumber(result) ~= C.BP_OK then
        error(ffi.string(C.bp_last_error()), 0)
    end
end

-- How many elements an array has, which is to be of this type.
local function length(array, array_type)
    if not ffi.istype(array_type, array) then
        error("bp: not an array of bp." .. (array_type == floats and "floats" or "classes") .. ": " .. tostring(array), 0)
    end
    return array.length
end

local function divide(numbers, row)
    if numbers == 0 or row == 0 or numbers % row ~= 0 then
        error("bp: " .. numbers .. " numbers are no rows of " .. row, 0)
    end
    return numbers / row
end

-- The pointer of a handle. A trainer uses the handles that it was made with, and does not outlive them.
local function pointer(handle)
    for _, used in ipairs(handle.uses) do
        pointer(used)
    end
    return handle.pointer or error("bp: this " .. handle.kind .. " is destroyed", 0)
end

-- Frees a handle now rather than when it is collected.
local function destroy(handle)
    if handle.running > 0 then
        error("bp: this " .. handle.kind .. " is being trained", 0)
    end
    if handle.pointer then
        C["bp_" .. handle.kind .. "_destroy"](ffi.gc(handle.pointer, nil))
        handle.pointer = false
    end
end

local function plain(value)
    if type(value) == "table" and value.uses then
        return pointer(value)
    end
    return (ffi.istype(floats, value) or ffi.istype(classes, value)) and value.values or value
end

local function call(name, first, ...)
    local arguments, n = {...}, select("#", ...)
    for i = 1, n do
        arguments[i] = plain(arguments[i])
    end
    return check(C[name](first, unpack(arguments, 1, n)))
end

-- A kind of handle: its constructors and its methods, which are made when they are first used.
local function new_kind(kind)
    local prefix = "bp_" .. kind .. "_"

    local function make_method(methods, name)
        local function method(handle, ...)
            return call(prefix .. name, pointer(handle), ...)
        end
        rawset(methods, name, method)
        return method
    end
    local methods = setmetatable({destroy = destroy}, {__index = make_method})
    local handle_type = {__index = methods}

    local function construct(_, name)
        return function(...)
            local out = ffi.new("bp_" .. kind .. " *[1]")
            call(prefix .. name, out, ...)
            local owned = ffi.gc(out[0], C[prefix .. "destroy"])
            return setmetatable({kind = kind, pointer = owned, uses = {}, running = 0}, handle_type)
        end
    end
    return setmetatable({}, {__index = construct}), methods
end

local bp = setmetatable({}, {__index = function(_, name) return C["BP_" .. name] end})
local net, dataset, trainer
bp.net, net = new_kind("net")
bp.dataset, dataset = new_kind("dataset")
bp.trainer, trainer = new_kind("trainer")
bp.optimizer = new_kind("optimizer")
bp.workspace = new_kind("workspace")

bp.floats, bp.classes = new_floats, new_classes

function bp.version()
    return ffi.string(C.bp_version())
end

-- As many rows of inputs as there are classes.
function bp.dataset.create_classes(n_classes, inputs, of_samples)
    local n = length(of_samples, classes)
    local n_inputs = divide(length(inputs, floats), n)
    return bp.dataset.create_classes_f32(n, n_inputs, n_classes, inputs, of_samples)
end

-- Offset and scale, for net:set_input_scaling.
function dataset:fit_scaling(scaling)
    local n = self:input_count()
    local offset, scale = new_floats(n), new_floats(n)
    self:fit_scaling_f32(scaling, offset, scale)
    return offset, scale
end

function net:set_input_scaling(offset, scale)
    local n = self:input_count()
    if length(offset, floats) ~= n or length(scale, floats) ~= n then
        error("bp: offset and scale are " .. n .. " numbers each", 0)
    end
    self:set_input_scaling_f32(offset, scale)
end

-- The outputs for the rows of inputs, in the array outputs if there is one.
function net:predict(workspace, inputs, outputs)
    local self_pointer = pointer(self)
    local n = divide(length(inputs, floats), tonumber(C.bp_net_input_count(self_pointer)))
    local n_outputs = n * tonumber(C.bp_net_output_count(self_pointer))
    outputs = outputs or new_floats(n_outputs)
    if length(outputs, floats) ~= n_outputs then
        error("bp: there are " .. n_outputs .. " outputs", 0)
    end
    check(C.bp_net_predict_f32(self_pointer, pointer(workspace), n, inputs.values, outputs.values))
    return outputs
end

local create_trainer = bp.trainer.create
function bp.trainer.create(of_net, optimizer, loss, training)
    local made = create_trainer(of_net, optimizer, loss, training)
    made.uses = {of_net, optimizer, training}
    return made
end

function trainer:set_validation(validation)
    call("bp_trainer_set_validation", pointer(self), validation)
    table.insert(self.uses, validation)
end

local function mark_running(handle, change)
    handle.running = handle.running + change
    for _, used in ipairs(handle.uses) do
        used.running = used.running + change
    end
end

-- Trains, and tells progress(…) of each epoch, which stops the training when it returns true. Its errors must not cross C: they are kept, and
-- raised behind the run.
function trainer:run(progress)
    local self_pointer, failure = pointer(self)
    local function guarded(_, epoch)
        local fine, stop = pcall(progress, epoch)
        if not fine then
            failure = {stop}
        end
        return (not fine or stop) and 1 or 0
    end
    local callback = progress and ffi.cast("bp_progress_function *", guarded)
    mark_running(self, 1)
    local fine, reason = pcall(function()
        check(C.bp_trainer_set_progress(self_pointer, callback, nil, C.BP_PROGRESS_EPOCH))
        check(C.bp_trainer_run(self_pointer))
    end)
    mark_running(self, -1)
    if callback then
        C.bp_trainer_set_progress(self_pointer, nil, nil, C.BP_PROGRESS_EPOCH)
        callback:free()
    end
    if failure or not fine then
        error(failure and failure[1] or reason, 0)
    end
end
jit.off(trainer.run, true) -- compiled code cannot be called back

function trainer.set_progress()
    error("bp: the progress function is given to run", 0)
end

return bp
