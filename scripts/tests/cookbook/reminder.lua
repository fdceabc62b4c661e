dialplan "cookbook.reminder"

-- 14:30 on 25 November 2026 in UTC.
local TOMORROW = 1795617000

local function somebody(t, behaviour)
  return t:target("sip:0811111111@gw1.example.net", behaviour)
end

before(function(t) t:at("2026-11-23 16:59") end)

-- Puts an appointment in, a minute before the first calls of a Tuesday. The round of the evening before
-- found nothing, but has made the table.
local function appointment(t, at)
  t:at("2026-11-24 09:59")
  t:db("INSERT INTO appointment (number, at) VALUES ('0811111111', ?)", { at or TOMORROW })
end

local function row(t) return t:db("SELECT standing, calls FROM appointment")[1] end

test("whoever has an appointment tomorrow is called, hears when it is, and confirms", function(t)
  local person = somebody(t, { answers = 4 })
  appointment(t)
  person:hears({ "cook/reminder", { say = TOMORROW, as = "date" }, "time/at" }, { within = 120 })
  person:hears("cook/reminder-keys")
  person:presses("1")
  person:hears { "cook/confirmed", "main/goodbye" }
  person:is_ended()
  t:equal(row(t), { standing = "confirmed", calls = 1 })
  t:at("2026-11-25 12:00")
  t:equal(row(t), { standing = "confirmed", calls = 1 })
end)

test("2 cancels", function(t)
  local person = somebody(t, { answers = 4 })
  appointment(t)
  person:hears("cook/reminder-keys", { within = 120 })
  person:presses("2")
  person:hears("cook/cancelled")
  t:equal(row(t).standing, "cancelled")
end)

test("who hangs up without a word is called once more, and not a third time", function(t)
  local person = somebody(t, { answers = 4 })
  appointment(t)
  for _ = 1, 2 do
    person:hears("cook/reminder", { within = 8 * 3600 })
    person:hangs_up()
  end
  t:at("2026-11-25 12:00")
  t:equal(row(t), { standing = "open", calls = 2 })
end)

test("a busy number stays open and is tried again", function(t)
  somebody(t, { busy = true })
  appointment(t)
  t:at("2026-11-24 10:05")
  t:equal(row(t), { standing = "open", calls = 1 })
  t:at("2026-11-24 17:05")
  t:equal(row(t), { standing = "open", calls = 2 })
end)

test("one that does not answer keeps nobody else from being called", function(t)
  t:target("sip:0822222222@gw1.example.net", {})
  local person = somebody(t, { answers = 4 })
  appointment(t)
  t:db("INSERT INTO appointment (number, at) VALUES ('0822222222', ?)", { TOMORROW - 60 })
  person:hears("cook/reminder", { within = 120 })
end)

test("what is no number is not called, and the others are", function(t)
  local elsewhere = t:target("sip:elsewhere.example", { answers = 1 })
  local person = somebody(t, { answers = 4 })
  appointment(t)
  t:db("INSERT INTO appointment (number, at) VALUES (?, ?)",
    { "1@elsewhere.example;x=", TOMORROW - 60 })
  person:hears("cook/reminder", { within = 120 })
  t:equal(#elsewhere:messages(), 0)
  t:logged("has no number that can be called")
end)

test("nobody is called for next week, and nobody at the weekend", function(t)
  local person = somebody(t, { answers = 4 })
  appointment(t, TOMORROW + 7 * 86400)
  t:at("2026-11-28 23:00")
  t:equal(#person:messages(), 0)
end)

test("a database that fails is no reason to stop for good", function(t)
  local person = somebody(t, { answers = 4 })
  appointment(t)
  t:expects_error("disk I/O error")
  t:db_fails("disk I/O error")
  t:at("2026-11-24 10:05")
  t:equal(#person:messages(), 0)
  t:db_fails()
  person:hears("cook/reminder", { within = 8 * 3600 })
end)
