-- Tests of the dialplan: a whole exchange on a clock of its own. `cordboard test` runs them.

test("who does not answer has a mailbox", function(t)
  t:phone("101") -- rings, and nobody picks up
  local caller = t:call { as = "100", to = "101" }
  caller:hears("vm/unavailable", { within = 40 })
  caller:hears("beep", { within = 30 })
  caller:says(4)
  caller:hangs_up()
  t:mailbox("101"):has { from = "100", seconds = 4 }
end)

test("a number that nobody has is refused", function(t)
  t:call { as = "100", to = "155" }:is_refused(404)
end)

test("the reception is two phones during the day", function(t)
  t:at("2026-06-01 10:00")
  t:phone("100")
  local second = t:phone("101", { answers = 5 })
  local caller = t:call { from = "+15550100", to = "0" }
  caller:talks_to(second)
  caller:hangs_up()
end)

test("at night the reception takes messages", function(t)
  t:at("2026-06-01 22:00")
  t:phone("100", { answers = 1 })
  local caller = t:call { from = "+15550100", to = "0" }
  caller:hears("beep", { within = 30 })
end)

test("whoever calls the reception during the day gets through", function(t)
  t:forall({ from = gen.digits(5, 12), after = gen.whole(0, 15) }, function(t, case)
    t:phone("100")
    t:phone("101", { answers = case.after })
    local caller = t:call { from = case.from, to = "0" }
    caller:is_answered { within = 20 }
  end, { runs = 10 })
end)
