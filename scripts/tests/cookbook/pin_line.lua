dialplan "cookbook.pin_line"

-- A caller who types each of these codes.
local function try(t, ...)
  local caller = t:call { from = "+6621234567", to = "230" }
  for _, code in ipairs { ... } do
    caller:hears("cook/enter-code")
    caller:presses(code .. "#")
  end
  return caller
end

test("who knows the code dials on", function(t)
  local bob = t:phone("101", { answers = 1 })
  local caller = try(t, "826419")
  caller:hears("main/enter-digits")
  caller:presses("101")
  caller:talks_to(bob)
end)

test("a slip is forgiven", function(t)
  local caller = try(t, "826491", "826419")
  caller:hears("main/enter-digits")
end)

test("after three wrong codes the call is over", function(t)
  local caller = try(t, "1", "2", "3")
  caller:hears { "main/no-access", "main/goodbye" }
  caller:is_ended()
end)

test("after five wrong codes the line is shut to that number for an hour, not to others", function(t)
  try(t, "1", "2", "3"):is_ended()
  try(t, "4", "5"):is_ended()
  t:call { from = "+6621234567", to = "230" }:is_refused(403)
  t:call { from = "+6629999999", to = "230" }:hears("cook/enter-code")
  t:wait(3600)
  t:call { from = "+6621234567", to = "230" }:hears("cook/enter-code")
end)

test("who claims to be another number each time has thirty tries as well, and not a million", function(t)
  for caller = 1, 15 do
    local guess = t:call { from = "+66800000" .. caller, to = "230" }
    for _ = 1, 2 do
      guess:hears("cook/enter-code")
      guess:presses("1#")
    end
    guess:hangs_up()
  end
  t:call { from = "+6621234567", to = "230" }:is_refused(403)
  t:wait(3600)
  t:call { from = "+6621234567", to = "230" }:hears("cook/enter-code")
end)

test("the right code forgets the wrong ones", function(t)
  try(t, "1", "2", "826419"):hangs_up()
  try(t, "1", "2", "826419"):hears("main/enter-digits")
end)

test("no code but the right one lets anybody in", function(t)
  t:forall({ code = gen.digits(1, 8) }, function(t, case)
    local caller = try(t, case.code)
    caller:hears(case.code == "826419" and "main/enter-digits" or "cook/wrong-code")
    caller:hangs_up()
  end)
end)
