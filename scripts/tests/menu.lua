-- The spoken menu on 0.

before(function(t)
  t:at("2026-11-23 09:05")
end)

-- A caller who has heard the menu.
local function caller_in_menu(t)
  local caller = t:call { as = "101", to = "0" }
  caller:hears { "main/welcome", "main/menu" }
  return caller
end

for key, first in pairs {
  ["1"] = "time/the-time-is",
  ["2"] = "main/echo-intro",
  ["3"] = "music/evening",
  ["4"] = "main/transferring",
  ["5"] = "vm/enter-pin",
} do
  test("key " .. key .. " leads to " .. first, function(t)
    local caller = caller_in_menu(t)
    caller:presses(key)
    caller:hears(first)
  end)
end

test("a key is heard while the prompt still plays", function(t)
  local caller = caller_in_menu(t)
  caller:presses("1")
  caller:hears { "time/the-time-is", { say = 9 }, "time/oh", { say = 5 }, "time/am" }
end)

test("a star says it all again", function(t)
  local caller = caller_in_menu(t)
  caller:presses("*")
  caller:hears("main/menu")
end)

test("a key that means nothing is said so, and the menu asks again", function(t)
  local caller = caller_in_menu(t)
  caller:presses("8")
  caller:hears("main/invalid")
  caller:hears("main/menu")
end)

test("who presses nothing is asked three times and then told goodbye", function(t)
  local caller = caller_in_menu(t)
  caller:hears("main/menu")
  caller:hears("main/menu")
  caller:hears { "main/nothing-pressed", "main/goodbye" }
  caller:is_ended { cause = "hung up by other" }
end)

test("the operator is extension 100", function(t)
  local operator = t:phone("100", { answers = 2 })
  local caller = caller_in_menu(t)
  caller:presses("4")
  operator:rings { from = "101" }
  caller:talks_to(operator)
end)

test("whatever is pressed, the call ends in order", function(t)
  t:forall({ keys = gen.list(gen.key(), 6), pause = gen.seconds(0, 8) }, function(t, case)
    local caller = t:call { as = "101", to = "0" }
    caller:is_answered()
    for _, key in ipairs(case.keys) do
      t:wait(case.pause)
      if not pcall(caller.presses, caller, key) then break end
    end
    t:wait(5)
  end, { runs = 25 })
end)
