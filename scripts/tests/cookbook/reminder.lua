dialplan "cookbook.reminder"

-- 14:30 on 25 November 2026 in UTC.
local TOMORROW = 1795617000

local function somebody(t, behaviour)
  return t:target("sip:0811111111@gw1.example.net", behaviour)
end

-- Puts an appointment in, and begins a round.
local function begin(t, at)
  t:at("2026-11-24 16:00")
  t:call { as = "100", to = "292" }:is_ended()
  t:db("INSERT INTO appointment (number, at) VALUES ('0811111111', ?)", { at or TOMORROW })
  return t:call { as = "100", to = "291" }
end

local function standing(t)
  return t:db("SELECT standing FROM appointment")[1].standing
end

test("whoever has an appointment tomorrow is called, hears when it is, and confirms", function(t)
  local person = somebody(t, { answers = 4 })
  begin(t)
  person:hears { "cook/reminder", { say = TOMORROW, as = "date" }, "time/at" }
  person:hears("cook/reminder-keys")
  person:presses("1")
  person:hears { "cook/confirmed", "main/goodbye" }
  person:is_ended()
  t:equal(standing(t), "confirmed")
  t:call { as = "100", to = "292" }:hears { say = 1 }
end)

test("2 cancels", function(t)
  local person = somebody(t, { answers = 4 })
  begin(t)
  person:hears("cook/reminder-keys", { within = 60 })
  person:presses("2")
  person:hears("cook/cancelled")
  t:equal(standing(t), "cancelled")
end)

test("who hangs up without a word is called once more, and not a third time", function(t)
  local person = somebody(t, { answers = 4 })
  begin(t)
  for _ = 1, 2 do
    person:hears("cook/reminder")
    person:hangs_up()
    t:wait(10)
    t:call { as = "100", to = "291" }
  end
  t:wait(60)
  t:equal(t:db("SELECT standing, rounds FROM appointment"), { { standing = "open", rounds = 2 } })
end)

test("a busy number stays open", function(t)
  somebody(t, { busy = true })
  begin(t)
  t:wait(60)
  t:equal(standing(t), "open")
end)

test("an appointment next week is not one of tomorrow", function(t)
  begin(t, TOMORROW + 7 * 86400):hears { say = 0 }
end)
