-- Calls that scripts begin themselves: pbx.originate, leg:hangup and call:bridge. Runs once per
-- generation, after the prelude.
local host, library, yield, isyieldable = ...

local error, select, setmetatable, type = error, select, setmetatable, type

-- Who answered, by leg: the number by which the switch knows them; `false` where nobody did.
local numbers = setmetatable({}, { __mode = "k" })
local methods = {}
local leg_metatable = { __metatable = false, __name = "leg", __index = methods }

function leg_metatable.__newindex()
  error(host.here("a leg cannot be changed"), 0)
end

local function begin(shape, status, code, reason, to, number)
  -- The shape of a fault; its text comes where the status would be.
  if shape == 1 then error(status, 0) end
  local leg = setmetatable({ status = status, code = code, reason = reason, to = to }, leg_metatable)
  numbers[leg] = number or false
  return leg
end

local pbx = {}
function pbx.originate(options, ...)
  local problem = host.originate(options, select("#", ...) > 0, isyieldable())
  if problem then error(problem, 0) end
  return begin(yield(true))
end
library.pbx = host.sealed("pbx", pbx, function(_, key)
  host.note()
  return pbx[key]
end)

function methods.hangup(leg, ...)
  local number = numbers[leg]
  local problem = host.hang_up_leg(number, select("#", ...) > 0, isyieldable())
  if problem then error(problem, 0) end
  if number then yield(true) end
end

-- What `call:bridge` asks for.
function host.leg_number(leg)
  if type(leg) == "table" then return numbers[leg] end
end
