dialplan "cookbook.reception"

local function caller_in_menu(t)
  local caller = t:call { from = "+6621234567", to = "200" }
  caller:hears("cook/reception")
  return caller
end

test("1 rings both phones of sales, and the first to answer has the call", function(t)
  local one, two = t:phone("101"), t:phone("102", { answers = 2 })
  local caller = caller_in_menu(t)
  caller:presses("1")
  one:rings { from = "+6621234567" }
  caller:talks_to(two)
  one:is_ended { cause = "cancelled" }
end)

test("2 rings support one after the other", function(t)
  local first, second = t:phone("103", { busy = true }), t:phone("104", { answers = 2 })
  local caller = caller_in_menu(t)
  caller:presses("2")
  first:rings()
  caller:talks_to(second)
end)

test("3 tells the hours and says goodbye", function(t)
  local caller = caller_in_menu(t)
  caller:presses("3")
  caller:hears { "cook/hours", "main/goodbye" }
  caller:is_ended()
end)

test("who presses nothing is asked once more and then gets reception", function(t)
  local reception = t:phone("100", { answers = 1 })
  local caller = caller_in_menu(t)
  caller:hears("cook/reception")
  caller:hears("main/transferring")
  caller:talks_to(reception)
end)

test("when nobody in sales answers, the caller leaves a message", function(t)
  t:phone("101")
  local caller = caller_in_menu(t)
  caller:presses("1")
  caller:hears("music/waltz")
  caller:hears("beep", { wholly = true })
  caller:says(3)
  caller:hangs_up()
  t:mailbox("101"):has { from = "+6621234567", seconds = 3 }
end)

test("who hangs up in the menu leaves nothing behind", function(t)
  local caller = caller_in_menu(t)
  caller:hangs_up()
  t:record { to = "200", answered = true }
end)

test("whatever is typed, the call comes to an end by itself", function(t)
  t:forall({ keys = gen.digits(1, 4) }, function(t, case)
    t:phone("100", { answers = 1, hangs_up = 5 })
    local caller = caller_in_menu(t)
    caller:presses(case.keys)
    caller:is_ended { within = 600 }
  end)
end)
