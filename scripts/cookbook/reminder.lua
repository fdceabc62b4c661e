-- Appointment reminders that dial out by themselves: every working day at 10 and once more at 17,
-- everybody with an appointment in the next day and a half is called, hears when it is, and confirms
-- with 1 or cancels with 2. Whoever is busy or does not answer is called again the next time; nobody
-- is called a third time, and what is not a number never.
--
-- To change: the times, the gateway, and where the appointments come from.

local TIMES = "mon-fri 10:00 17:00"
local GATEWAY = "gw1.example.net"
local AHEAD, CALLS_MAX = 36 * 3600, 2

local SCHEMA = [[CREATE TABLE IF NOT EXISTS appointment (
  number TEXT NOT NULL,
  at INTEGER NOT NULL,                    -- Unix seconds
  standing TEXT NOT NULL DEFAULT 'open',  -- or 'confirmed', 'cancelled'
  calls INTEGER NOT NULL DEFAULT 0)]]
local DUE = [[SELECT rowid AS id, number, at FROM appointment
  WHERE standing = 'open' AND calls < ? AND at BETWEEN ? AND ? ORDER BY at]]

-- What the person who was called hears.
local function remind(call, appointment)
  call:play("cook/reminder")
  call:say(appointment.at, { as = "date" })
  call:play("time/at")
  call:say(appointment.at, { as = "time" })
  local key = call:read {
    prompt = "cook/reminder-keys", max = 1, timeout = 6, tries = 2, match = { "1", "2" },
  }
  local standing = ({ ["1"] = "confirmed", ["2"] = "cancelled" })[key]
  if standing then
    db.execute("UPDATE appointment SET standing = ? WHERE rowid = ?", standing, appointment.id)
    call:play { "cook/" .. standing, "main/goodbye" }
  end
end

schedule(TIMES, function()
  db.execute(SCHEMA)
  for _, appointment in ipairs(db.query(DUE, CALLS_MAX, time.now(), time.now() + AHEAD)) do
    db.execute("UPDATE appointment SET calls = calls + 1 WHERE rowid = ?", appointment.id)
    if appointment.number:match("^%+?%d+$") then
      local leg = pbx.originate {
        to = "sip:" .. appointment.number .. "@" .. GATEWAY, timeout = 30,
        run = function(call) remind(call, appointment) end,
      }
      log.info("reminder", appointment.id, leg.status)
    else
      log.warn("reminder", appointment.id, "has no number that can be called")
    end
  end
end)
