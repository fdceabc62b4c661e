-- Functions that run beside each other: spawn, race, all, within. Runs once per generation, after
-- the prelude.
local host, library, yield, isyieldable = ...

local error, next, rawget, rawlen = error, next, rawget, rawlen
local select, setmetatable, type, xpcall = select, setmetatable, type, xpcall
local integer, pack, unpack = math.type, table.pack, table.unpack

-- What became of a child, by its handle: its number while it runs; then whether it ended well and
-- what it returned or raised; `false` when it was cancelled.
local fates = host.fates

-- The numbers of `join` in `fibres.rs`.
local ENDED, FIRST, ALL = 1, 2, 3

local function fail(name, problem)
  error(host.here(name .. ": " .. problem), 0)
end

local function check(name, more)
  if more then fail(name, "too many arguments") end
  local problem = host.may_wait()
  if problem then fail(name, problem) end
  if not isyieldable() then
    fail(name, "cannot wait in a function called by string.gsub, table.sort, tostring or require")
  end
end

local function check_function(name, f)
  if type(f) ~= "function" then
    fail(name, "expected a function, got " .. host.describe(f))
  end
end

local function finish(handle, ok, ...)
  fates[handle] = pack(ok, ...)
  return ok, ...
end

local handle_metatable = { __metatable = false, __name = "spawned" }

local function begin(name, f, awaited)
  local handle = setmetatable({}, handle_metatable)
  local to = host.dialled()
  local problem, id = host.spawn(handle, awaited, function()
    local back <close> = to and host.dials(to)
    return finish(handle, xpcall(f, host.trace))
  end)
  if problem then fail(name, problem) end
  return handle, id
end

-- Waits for children. `look` tells which of them, from 1, has ended already in a way that ends the
-- waiting, 0 if all have ended well, else nil and how many have ended; it is asked again if one ended
-- after the look, for which a slice that ends in between is enough.
local function join(name, how, ids, look, seconds)
  local again = false
  while true do
    local at_once, ended = look(again)
    host.join(how, ids, at_once, ended or 0, seconds)
    local index, problem = yield(true)
    if problem then fail(name, problem) end
    if index >= 0 then return index end
    again = true
  end
end

local ELSEWHERE = "the function belongs to another call"

local function results(name, fate)
  if not fate then fail(name, "the function was cancelled") end
  if not fate[1] then error(fate[2], 0) end
  return unpack(fate, 2, fate.n)
end

function library.spawn(f, ...)
  check("spawn", select("#", ...) > 0)
  check_function("spawn", f)
  return (begin("spawn", f, false))
end

-- Begins every function of a list; gives back their handles and numbers.
local function begin_all(name, functions, more)
  check(name, more)
  if type(functions) ~= "table" then
    fail(name, "expected a list of functions, got " .. host.describe(functions))
  end
  local count = rawlen(functions)
  for key, f in next, functions do
    if integer(key) ~= "integer" or key < 1 or key > count then
      fail(name, "takes a list of functions, without names or gaps")
    end
    check_function(name, f)
  end
  local problem = host.room(count)
  if problem then fail(name, problem) end
  local handles, ids = {}, {}
  for i = 1, count do
    handles[i], ids[i] = begin(name, rawget(functions, i), true)
  end
  return handles, ids
end

function library.race(functions, ...)
  local handles, ids = begin_all("race", functions, select("#", ...) > 0)
  if #ids == 0 then fail("race", "needs at least one function") end
  local winner = join("race", FIRST, ids, function()
    for i = 1, #ids do
      if type(fates[handles[i]]) == "table" then return i end
    end
  end)
  return winner, results("race", fates[handles[winner]])
end

function library.all(functions, ...)
  local handles, ids = begin_all("all", functions, select("#", ...) > 0)
  local failed = join("all", ALL, ids, function()
    local ended = 0
    for i = 1, #ids do
      local fate = fates[handles[i]]
      if type(fate) == "table" then
        if not fate[1] then return i end
        ended = ended + 1
      end
    end
    if ended == #ids then return 0 end
    return nil, ended
  end)
  if failed > 0 then results("all", fates[handles[failed]]) end
  local list = { n = #ids }
  for i = 1, #ids do
    list[i] = fates[handles[i]][2]
  end
  return list
end

function library.within(seconds, f, ...)
  check("within", select("#", ...) > 0)
  if type(seconds) ~= "number" then
    fail("within", "expected seconds (a number), got " .. host.describe(seconds))
  elseif not (seconds >= 0 and seconds <= 86400) then
    fail("within", "seconds must be 0 to 86400")
  end
  check_function("within", f)
  local handle, id = begin("within", f, true)
  local ended = join("within", FIRST, { id }, function()
    if type(fates[handle]) == "table" then return 1 end
  end, seconds)
  if ended == 0 then return false, "timeout" end
  return true, results("within", fates[handle])
end

local methods = {}

local function fate_of(name, handle, more)
  local fate = fates[handle]
  if fate == nil then fail(name, "is called with a colon, as in child:" .. name .. "()") end
  check(name, more)
  return fate
end

function methods.wait(handle, ...)
  local fate = fate_of("wait", handle, select("#", ...) > 0)
  if type(fate) == "number" then
    join("wait", ENDED, { fate }, function(again)
      if type(fates[handle]) ~= "number" then return 1 end
      if again then fail("wait", ELSEWHERE) end
    end)
    fate = fates[handle]
  end
  return results("wait", fate)
end

function methods.cancel(handle, ...)
  local fate = fate_of("cancel", handle, select("#", ...) > 0)
  if type(fate) ~= "number" then return false end
  host.cancel(fate)
  yield(true)
  fate = fates[handle]
  if type(fate) == "number" then fail("cancel", ELSEWHERE) end
  return fate == false
end

function handle_metatable.__index(_, key)
  local method = methods[key]
  if method then return method end
  error(host.here("a spawned function has no \"" .. host.text(key) .. "\"; there are wait and cancel"), 0)
end

function handle_metatable.__newindex()
  error(host.here("a spawned function cannot be changed"), 0)
end
