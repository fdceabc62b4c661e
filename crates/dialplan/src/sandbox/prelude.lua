-- What scripts see of us that is easier said in Lua. Runs once per generation, before any script.
-- `host` holds our Rust functions; those that can fail give back the whole message, with its place.
local host, library, yield, isyieldable, verb_names = ...

local error, next, pcall, rawget, rawlen = error, next, pcall, rawget, rawlen
local select, setmetatable = select, setmetatable
local getmetatable, rawset = getmetatable, rawset
local tostring, type, xpcall = tostring, type, xpcall
local concat = table.concat

-- Verbs -------------------------------------------------------------------------------------------

-- How the outcome of a verb looks in Lua; the numbers are those of `script.rs`.
local shapes = {
  function(problem) error(problem, 0) end,
  function(digit, interrupted, ms, why)
    return { digit = digit, interrupted = interrupted, ms = ms, why = why }
  end,
  function(digits, why)
    if digits then return digits end
    return nil, why
  end,
  function(ms, path, sound) return { ms = ms, path = path, sound = sound } end,
  function(status, code, reason, secs, to)
    return { status = status, code = code, reason = reason, secs = secs, to = to }
  end,
  function(word) return word end,
  function(status, headers, body)
    setmetatable(headers, host.headers_metatable)
    local answer = { status = status, headers = headers, body = body }
    answer.ok = status >= 200 and status <= 299
    return setmetatable(answer, host.answer_metatable)
  end,
  function(why, advice)
    if advice then return nil, why, advice end
    return nil, why
  end,
  function(rows) return rows end,
  function(id)
    if not id then return false end
    local lock = setmetatable({}, host.lock_metatable)
    host.held[lock] = id
    return lock
  end,
}
host.answer_metatable, host.lock_metatable = {}, {}
host.held = setmetatable({}, { __mode = "k" })

-- What the verb was given is kept for the message if it cannot be carried out.
local function settle(index, a, b, c, shape, ...)
  if shape == 1 then host.blame(index, (...), a, b, c) end
  if shape then return shapes[shape](...) end
end

local function wait(index, a, b, c)
  if not isyieldable() then error(host.cannot_wait(index), 0) end
  return settle(index, a, b, c, yield(true))
end

local verbs, indices = {}, {}
for index = 1, #verb_names do
  local name = verb_names[index]
  indices[name] = index
  verbs[name] = function(call, a, b, c, ...)
    local problem = host.ask(index, call, a, b, c, select("#", ...) > 0)
    if problem then error(problem, 0) end
    return wait(index, a, b, c)
  end
end

-- Functions of libraries that wait beside the line. What they were given is never in a message.
local function settle_beside(shape, ...)
  if shape then return shapes[shape](...) end
end
local beside = {}
for index, entry in ipairs(host.beside) do
  local functions = beside[entry.library] or {}
  beside[entry.library] = functions
  functions[entry.name] = function(...)
    local problem = host.ask_beside(index, ...)
    if problem then error(problem, 0) end
    if not isyieldable() then error(host.cannot_wait_beside(index), 0) end
    return settle_beside(yield(true))
  end
end

local leaving = setmetatable({}, { __close = host.leave })

-- Who was dialled, for a function that has gone on to another route and for those it begins there:
-- by coroutine, so that what runs beside it is not led elsewhere.
local dialled, running = setmetatable({}, { __mode = "k" }), host.running
-- Who was dialled in the beginning, by call.
local first = setmetatable({}, { __mode = "k" })
local coming_back = { __close = function(kept) dialled[kept.fibre] = kept.before end }

-- Has this coroutine see `to` as who was dialled until the value given back is closed.
local function dials(to)
  local fibre = running()
  local back = setmetatable({ fibre = fibre, before = dialled[fibre] }, coming_back)
  dialled[fibre] = to
  return back
end

function host.dialled() return dialled[running()] end
host.dials = dials

function verbs.go(call, number, ...)
  local problem, handler, user = host.enter(call, number, select("#", ...) > 0)
  if problem then error(problem, 0) end
  if not handler then return false, user end
  local depth <close> = leaving
  local to = {}
  for key, value in next, call.to do to[key] = value end
  to.user = user
  local back <close> = dials(to)
  handler(call)
  return true
end

function verbs.bridge(call, leg, ...)
  local number = host.leg_number(leg)
  if number == nil and type(leg) ~= "number" then number = leg end
  local more = select("#", ...) > 0
  local problem = host.ask(indices.bridge, call, number, nil, nil, more)
  if problem then error(problem, 0) end
  return wait(indices.bridge)
end

function verbs.menu(call, options, ...)
  local problem = host.ask(indices.menu, call, options, nil, nil, select("#", ...) > 0)
  if problem then error(problem, 0) end
  local digits, why = wait(indices.menu, options)
  local choice = host.choice(options, digits, why)
  if type(choice) == "function" then
    choice(digits or why)
  elseif choice ~= nil then
    verbs.go(call, choice)
  end
  if digits then return digits end
  return nil, why
end

function verbs.on_hangup(call, handler, ...)
  local problem = host.on_hangup(call, handler, select("#", ...) > 0)
  if problem then error(problem, 0) end
end

function verbs.on(call, event, handler, ...)
  local problem = host.on(call, event, handler, select("#", ...) > 0)
  if problem then error(problem, 0) end
end

host.call_metatable.__metatable = false
host.call_metatable.__name = "call"

function host.call_metatable.__index(call, key)
  local verb = verbs[key]
  if verb then
    -- A tail call leaves no trace of its line, so it is noted here.
    host.note()
    return verb
  end
  local to = key == "to" and (dialled[running()] or first[call])
  if to then return to end
  local problem, value = host.field(call, key)
  if problem then error(problem, 0) end
  if key == "to" then
    -- Left in the call, it would be found there before anybody asks who reads it.
    rawset(call, key, nil)
    first[call] = value
  end
  return value
end

function host.call_metatable.__newindex(_, key)
  error(host.here("call." .. tostring(key) .. " cannot be set; use call.vars"), 0)
end

local lower = string.lower
host.headers_metatable.__metatable = false
function host.headers_metatable.__index(headers, name)
  if type(name) == "string" then return rawget(headers, lower(name)) end
end

-- Errors ------------------------------------------------------------------------------------------

-- What ended the call cannot be caught, and what we raised ourselves becomes plain text.
local function caught(ok, problem, ...)
  if ok then return true, problem, ... end
  local fatal, plain = host.judge(problem)
  if fatal then error(problem, 0) end
  return false, plain, ...
end

-- What each coroutine runs: an error closes the handler's variables here, with the error itself.
function host.body(handler, ...)
  return xpcall(handler, host.trace, ...)
end

function library.pcall(f, ...)
  return caught(pcall(f, ...))
end

function library.xpcall(f, handler, ...)
  return caught(xpcall(f, function(problem)
    local fatal, plain = host.judge(problem)
    if fatal then return problem end
    return handler(plain)
  end, ...))
end

function library.setmetatable(value, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    error(host.here("setmetatable: __gc is not available; use a <close> variable"), 0)
  end
  return setmetatable(value, metatable)
end

function library.rawset(value, key, new)
  if getmetatable(value) == false then
    error(host.here("rawset: this table cannot be changed"), 0)
  end
  return rawset(value, key, new)
end

-- Libraries ---------------------------------------------------------------------------------------

local function sealed(name, functions, index)
  return setmetatable({}, {
    __index = index or functions,
    __newindex = function() error(host.here(name .. " cannot be changed"), 0) end,
    __metatable = false,
  })
end

host.sealed = sealed

local tables = host.table
local insert, move, remove = table.insert, table.move, table.remove
local sort, unpack = table.sort, table.unpack
function tables.insert(list, ...)
  if select("#", ...) > 1 then host.plain_list("insert", list) end
  return insert(list, ...)
end
function tables.remove(list, ...)
  if select("#", ...) > 0 then host.plain_list("remove", list) end
  return remove(list, ...)
end
function tables.concat(list, ...)
  host.plain_list("concat", list)
  return concat(list, ...)
end
function tables.unpack(list, ...)
  if rawlen(list) > 100 then host.plain_list("unpack", list) end
  return unpack(list, ...)
end
function tables.sort(list, before)
  host.plain_list("sort", list)
  return sort(list, before)
end
function tables.move(from, first, last, to, into)
  host.plain_range(first, last)
  return move(from, first, last, to, into)
end

local byte = host.string.byte
function host.string.byte(text, from, to)
  if to ~= nil then host.long_text("string.byte", text) end
  return byte(text, from, to)
end
for _, name in ipairs { "codepoint", "len", "offset" } do
  local f = host.utf8[name]
  host.utf8[name] = function(text, ...)
    host.long_text("utf8." .. name, text)
    return f(text, ...)
  end
end

local function joined(...)
  local words = { ... }
  for i = 1, select("#", ...) do words[i] = tostring(words[i]) end
  return concat(words, " ")
end

local levels = {}
for level, name in ipairs { "debug", "info", "warn", "error" } do
  levels[name] = function(...) host.log(level, joined(...)) end
end
function library.print(...) host.log(2, joined(...)) end
library.log = setmetatable({}, {
  __index = levels,
  __newindex = function() error(host.here("log cannot be changed"), 0) end,
  __call = function(_, ...) host.log(2, joined(...)) end,
  __metatable = false,
})

local clock = {}
function clock.date(format, seconds)
  local problem, text = host.date(format, seconds)
  if problem then error(problem, 0) end
  return text
end
function clock.open(hours)
  local problem, open = host.open(hours)
  if problem then error(problem, 0) end
  return open
end
clock.now = host.now
library.time = sealed("time", clock, function(_, key)
  local value = clock[key]
  if value ~= nil then return value end
  return host.time_field(key)
end)

local json = { null = host.json_null }
function json.decode(text, options)
  local problem, value, why = host.json_decode(text, options)
  if problem then error(problem, 0) end
  if why then return nil, why end
  return value
end
function json.encode(value, options)
  local problem, text = host.json_encode(value, options)
  if problem then error(problem, 0) end
  return text
end
function json.array(list)
  if list == nil then list = {} end
  if type(list) ~= "table" or getmetatable(list) then
    error(host.here("json.array: expected a plain table"), 0)
  end
  return setmetatable(list, host.json_array)
end
library.json = sealed("json", json)

host.answer_metatable.__metatable = false
host.answer_metatable.__index = {
  json = function(answer, options) return json.decode(answer.body, options) end,
}

-- The line that takes a function out of such a library is noted: a tail call leaves no trace of it.
local function noted(name, functions)
  return sealed(name, functions, function(_, key)
    host.note()
    return functions[key]
  end)
end
library.sleep = beside[""].sleep
library.http = noted("http", beside.http)
library.db = noted("db", beside.db)

-- A lock is let go of once, by whatever comes first.
local function release(lock)
  local id = host.held[lock]
  if id then
    host.held[lock] = nil
    host.release_lock(id)
  end
end
host.lock_metatable.__metatable = false
host.lock_metatable.__close = release
host.lock_metatable.__index = { release = release }

local shared = beside.shared
for name, f in pairs(host.shared) do
  shared[name] = function(key, value, options, ...)
    if select("#", ...) > 0 then error(host.here("shared." .. name .. ": too many arguments"), 0) end
    local problem, result = f(key, value, options)
    if problem then error(problem, 0) end
    return result
  end
end
library.shared = noted("shared", shared)

library.string = sealed("string", host.string)
library.table = sealed("table", tables)
library.math = sealed("math", host.math)
library.utf8 = sealed("utf8", host.utf8)

function library.route(pattern, options, handler)
  local problem = host.route(pattern, options, handler)
  if problem then error(problem, 0) end
end

function library.schedule(when, handler, ...)
  local problem = host.schedule(when, handler, select("#", ...) > 0)
  if problem then error(problem, 0) end
end

function library.webhook(path, options, handler)
  if handler == nil then options, handler = nil, options end
  local answer, problem, at = handler, nil, nil
  if type(handler) == "function" then
    answer = function(method, path, query, headers, body)
      setmetatable(headers, host.headers_metatable)
      local request = { method = method, path = path, query = query, headers = headers, body = body }
      local unfit = host.respond(handler(setmetatable(request, host.answer_metatable)))
      if unfit then error(at .. ": " .. unfit, 0) end
    end
  end
  problem, at = host.webhook(path, options, answer)
  if problem then error(problem, 0) end
end

function library.require(name)
  local problem, value = host.require(name)
  if problem then error(problem, 0) end
  return value
end

-- The global table: reads find the call's own globals, then those that loading left behind. The
-- first write of a call makes a table for it.
host.globals_metatable.__metatable = false
host.globals_metatable.__index = library
host.globals_metatable.__newindex = library
function host.write_global(_, key, value)
  host.own_globals()[key] = value
end
