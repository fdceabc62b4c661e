-- Appointment reminders that dial out. Whoever dials 291 begins the round: everybody with an
-- appointment tomorrow is called, hears when it is, and confirms with 1 or cancels with 2. Who is
-- busy or does not answer is called again in the next round; nobody is called three times.
--
-- To change: the gateway, and where the appointments come from. 292 tells how many are confirmed.

local GATEWAY = "gw1.example.net"
local ROUNDS_MAX = 2

local SCHEMA = [[
  CREATE TABLE IF NOT EXISTS appointment (
    number TEXT NOT NULL,
    at INTEGER NOT NULL,                    -- Unix seconds
    standing TEXT NOT NULL DEFAULT 'open',  -- or 'confirmed', 'cancelled'
    rounds INTEGER NOT NULL DEFAULT 0
  )]]

-- What the person who was called hears.
local function remind(appointment)
  return function(call)
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
    call:hangup()
  end
end

local function appointments_tomorrow()
  db.execute(SCHEMA)
  local from = time.now()
  return db.query([[
    SELECT rowid AS id, number, at FROM appointment
    WHERE standing = 'open' AND rounds < ? AND at BETWEEN ? AND ? ORDER BY at]],
    ROUNDS_MAX, from, from + 36 * 3600)
end

route("291", function(call)
  call:answer()
  local open = appointments_tomorrow()
  call:say(#open)
  call:play { "main/please-wait", "main/goodbye" }
  call:on_hangup(function() log.info("reminders: a round over", #open, "appointments") end)
  for _, appointment in ipairs(open) do
    db.execute("UPDATE appointment SET rounds = rounds + 1 WHERE rowid = ?", appointment.id)
    pbx.originate {
      to = "sip:" .. appointment.number .. "@" .. GATEWAY,
      timeout = 30,
      run = remind(appointment),
    }
  end
  call:hangup()
end)

route("292", function(call)
  db.execute(SCHEMA)
  local row = db.query("SELECT count(*) AS n FROM appointment WHERE standing = 'confirmed'")[1]
  call:answer()
  call:say(row.n)
  call:hangup()
end)
