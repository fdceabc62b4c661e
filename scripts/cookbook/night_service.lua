-- Day and night: in office hours the phones ring, outside of them callers hear that the office is
-- closed and may leave a message, or reach whoever is on call if it cannot wait.
--
-- To change: the hours, the number (210), who is on call. See `holidays.lua` for closed days.

local HOURS = "mon-fri 08:30-12:00 13:00-17:30"
local DESK = { "ext/100", "ext/101" }
local ON_CALL = "ext/109"

local function by_night(call)
  call:answer()
  call:menu {
    prompt = "cook/closed", tries = 2,
    ["1"] = function() call:voicemail("100") end,
    ["2"] = function()
      call:play("main/transferring")
      local result = call:dial(ON_CALL, { timeout = 30 })
      if result.status ~= "ANSWERED" then call:voicemail("100") end
    end,
    otherwise = function() call:play("main/goodbye") end,
  }
  call:hangup()
end

route("210", { public = true }, function(call)
  if not time.open(HOURS) then return by_night(call) end
  local result = call:dial(DESK, { timeout = 25 })
  if result.status ~= "ANSWERED" then call:voicemail("100", { reason = result.status }) end
end)
