dialplan "cookbook.quality_test"

local function caller_in_test(t)
  local caller = t:call { as = "100", to = "260" }
  caller:hears("cook/quality")
  return caller
end

test("1 lets callers hear themselves until they press pound", function(t)
  local caller = caller_in_test(t)
  caller:presses("1")
  caller:hears("main/echo-intro", { wholly = true })
  caller:says(2)
  caller:hears(caller)
  caller:presses("#")
  caller:hears("main/echo-end")
  caller:hears("cook/quality")
end)

test("2 is a steady tone, which any key stops", function(t)
  local caller = caller_in_test(t)
  caller:presses("2")
  caller:hears("tone:1004:10")
  caller:presses("0")
  caller:hears("cook/quality")
end)

test("3 is silence", function(t)
  local caller = caller_in_test(t)
  caller:presses("3")
  caller:hears_nothing(9)
end)

test("who presses nothing hears goodbye", function(t)
  local caller = caller_in_test(t)
  caller:hears("main/goodbye", { within = 60 })
  caller:is_ended()
end)

test("what came of a test stands in the log", function(t)
  local caller = caller_in_test(t)
  caller:hangs_up()
  t:logged("line of 100 tested:")
end)
