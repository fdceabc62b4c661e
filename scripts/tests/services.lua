-- The echo test, the digit test, the clock, the redirect and the queue.

test("600 explains itself, then sends the caller's own sound back", function(t)
  local caller = t:call { as = "100", to = "600" }
  caller:hears("main/echo-intro", { wholly = true })
  caller:hears(caller)
  caller:presses("#")
  caller:hears { "main/echo-end", "main/goodbye" }
  caller:is_ended()
end)

test("9 reads back what was typed", function(t)
  t:forall({ digits = gen.digits(1, 15) }, function(t, case)
    local caller = t:call { as = "100", to = "9" }
    caller:hears("main/enter-digits")
    caller:presses(case.digits .. "#")
    caller:hears { "main/you-entered", { say = case.digits, as = "digits" }, "main/goodbye" }
    caller:is_ended()
  end, { runs = 15 })
end)

test("9 waits eight seconds for a first digit", function(t)
  local caller = t:call { as = "100", to = "9" }
  caller:hears("main/enter-digits", { wholly = true })
  caller:hears_nothing(7.9)
  caller:hears { "main/nothing-pressed", "main/goodbye" }
end)

test("123 tells the time over and over, then says goodbye", function(t)
  t:at("2026-12-31 23:59:50")
  local caller = t:call { as = "100", to = "123" }
  caller:hears { "time/the-time-is", { say = 11 }, { say = 59 }, "time/pm" }
  caller:hears { "time/the-time-is", { say = 12 }, "time/oclock", "time/am" }
  caller:hears("main/goodbye", { within = 300 })
end)

test("302 sends the caller's phone to extension 100", function(t)
  t:call { as = "101", to = "302" }:is_redirected("sip:100@", { code = 302 })
end)

test("700 keeps the caller waiting unanswered, with the place and music", function(t)
  local caller = t:call { as = "102", to = "700" }
  caller:sees { status = 182 }
  caller:hears("music/evening")
  caller:hears("main/queue-busy")
  caller:sees { status = 182 }
  t:equal(#caller:messages { status = 200 }, 0, "answers")
end)

test("700 rings extension 100 after that, and the caller hears music until it answers", function(t)
  local agent = t:phone("100", { answers = 5 })
  local caller = t:call { as = "102", to = "700" }
  agent:rings { from = "102" }
  caller:hears("music/evening")
  caller:talks_to(agent)
end)

test("700 apologises when nobody answers", function(t)
  local agent = t:phone("100")
  local caller = t:call { as = "102", to = "700" }
  agent:rings { within = 60 }
  caller:hears({ "main/queue-sorry", "main/goodbye" }, { within = 30 })
  agent:is_ended { cause = "cancelled" }
end)

test("100 waits for 101 in the queue, not for itself", function(t)
  local agent = t:phone("101", { answers = 1 })
  local caller = t:call { as = "100", to = "700" }
  caller:talks_to(agent)
end)

test("who gives up waiting is simply gone", function(t)
  local caller = t:call { as = "102", to = "700" }
  caller:hears("music/evening")
  caller:hangs_up()
  caller:is_ended { cause = "gave up" }
  t:record { to = "700", answered = false }
end)
