dialplan "cookbook.two_languages"

local function caller_asked(t)
  local caller = t:call { from = "+34911234567", to = "220" }
  caller:hears { "en/cook/language", "es/cook/language" }
  return caller
end

test("1 goes on in English", function(t)
  local caller = caller_asked(t)
  caller:presses("1")
  caller:hears("en/cook/reception")
  caller:presses("3")
  caller:hears { "en/cook/hours", "en/main/goodbye" }
end)

test("2 goes on in Spanish, to the last word", function(t)
  local caller = caller_asked(t)
  caller:presses("2")
  caller:hears("es/cook/reception")
  caller:presses("3")
  caller:hears { "es/cook/hours", "es/main/goodbye" }
  caller:is_ended()
end)

test("who chooses no language gets English", function(t)
  local caller = caller_asked(t)
  caller:hears("en/cook/reception", { within = 60 })
end)

test("in Spanish too, nobody there is said in Spanish", function(t)
  t:phone("100", { busy = true })
  local caller = caller_asked(t)
  caller:presses("2")
  caller:hears("es/main/not-available", { within = 90 })
end)

test("a key of the language prompt can be pressed early", function(t)
  local caller = t:call { from = "+34911234567", to = "220" }
  caller:hears("en/cook/language")
  caller:presses("2")
  caller:hears("es/cook/reception")
end)
