dialplan "cookbook.holidays"

test("on a holiday callers hear so, even in office hours", function(t)
  t:at("2026-12-25 10:00")
  local caller = t:call { from = "+6621234567", to = "240" }
  caller:hears { "cook/holiday", "main/goodbye" }
  caller:is_ended()
  t:logged("closed: Christmas")
end)

test("a holiday that moves is one in its year only", function(t)
  t:at("2026-04-03 10:00")
  t:call { from = "+6621234567", to = "240" }:hears("cook/holiday")
  t:at("2027-04-02 10:00")
  local desk = t:phone("100")
  local caller = t:call { from = "+6621234567", to = "240" }
  desk:rings()
  caller:hangs_up()
end)

test("after New Year's Eve comes New Year", function(t)
  t:at("2026-12-31 23:59")
  local before = t:call { from = "+6621234567", to = "240" }
  before:hears("vm/unavailable")
  before:hangs_up()
  t:at("2027-01-01 00:00")
  t:call { from = "+6621234567", to = "240" }:hears("cook/holiday")
end)

test("on any other evening there is the mailbox", function(t)
  t:at("2026-11-23 20:00")
  t:call { from = "+6621234567", to = "240" }:hears("vm/unavailable")
end)
