dialplan "cookbook.night_service"

test("in office hours the desk rings", function(t)
  t:at("2026-11-23 09:00")
  local desk = t:phone("100", { answers = 3 })
  t:call { from = "+6621234567", to = "210" }:talks_to(desk)
end)

test("a silent desk ends in the mailbox", function(t)
  t:at("2026-11-23 09:00")
  t:phone("100")
  t:call { from = "+6621234567", to = "210" }:hears("vm/unavailable")
end)

test("at lunch and at night callers hear that the office is closed", function(t)
  for _, moment in ipairs { "2026-11-23 12:30", "2026-11-23 22:10", "2026-11-29 10:00" } do
    t:at(moment)
    local caller = t:call { from = "+6621234567", to = "210" }
    caller:hears("cook/closed")
    caller:hangs_up()
  end
end)

test("a caller at night can leave a message", function(t)
  t:at("2026-12-24 22:10")
  local caller = t:call { from = "+6621234567", to = "210" }
  caller:hears("cook/closed")
  caller:press("1")
  caller:hears("beep", { wholly = true })
  caller:says(4.0)
  caller:hangup()
  t:mailbox("100"):has { from = "+6621234567", seconds = 4 }
end)

test("what cannot wait rings whoever is on call", function(t)
  t:at("2026-11-23 03:00")
  local on_call = t:phone("109", { answers = 5 })
  local caller = t:call { from = "+6621234567", to = "210" }
  caller:hears("cook/closed")
  caller:presses("2")
  caller:talks_to(on_call)
end)

test("who presses nothing hears goodbye", function(t)
  t:at("2026-11-23 03:00")
  local caller = t:call { from = "+6621234567", to = "210" }
  caller:hears("main/goodbye", { within = 60 })
  caller:is_ended()
end)

test("at any minute of the week the caller is either rung for or told", function(t)
  t:forall({ minute = gen.whole(0, 7 * 24 * 60 - 1) }, function(t, case)
    local day, minute = 23 + case.minute // 1440, case.minute % 1440
    t:at(("2026-11-%02d %02d:%02d"):format(day, minute // 60, minute % 60))
    local desk = t:phone("100")
    local caller = t:call { from = "+6621234567", to = "210" }
    if time.open("mon-fri 08:30-12:00 13:00-17:30") then desk:rings() else caller:hears("cook/closed") end
    caller:hangs_up()
  end)
end)
