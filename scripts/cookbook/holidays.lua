-- A calendar of holidays. On those days callers hear so at any hour; on all others the opening hours
-- decide. Days of every year are written `MM-DD`, single ones `YYYY-MM-DD`.
--
-- To change: the days, and the hours. Other scripts can use the calendar too: the file gives back a
-- function, as in `local is_holiday = require "cookbook.holidays"`.

local HOLIDAYS = {
  ["01-01"] = "New Year",
  ["05-01"] = "Labour Day",
  ["12-25"] = "Christmas",
  ["12-26"] = "Boxing Day",
  ["2026-04-03"] = "Good Friday",
  ["2027-03-26"] = "Good Friday",
}

-- The name of the holiday that is today, or nil.
local function is_holiday()
  return HOLIDAYS[time.date("%m-%d")] or HOLIDAYS[time.date("%Y-%m-%d")]
end

route("240", { public = true }, function(call)
  local holiday = is_holiday()
  if holiday then
    log.info("closed:", holiday)
    call:answer()
    call:play { "cook/holiday", "main/goodbye" }
    call:hangup()
  elseif not time.open("mon-fri 08:30-17:30") then
    call:voicemail("100")
  else
    call:dial("ext/100", { timeout = 30 })
  end
end)

return is_holiday
