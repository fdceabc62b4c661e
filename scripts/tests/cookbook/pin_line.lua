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
  local caller = try(t, "8264")
  caller:hears("main/enter-digits")
  caller:presses("101")
  caller:talks_to(bob)
end)

test("a slip is forgiven", function(t)
  local caller = try(t, "8246", "8264")
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

test("the right code forgets the wrong ones", function(t)
  try(t, "1", "2", "8264"):hangs_up()
  try(t, "1", "2", "8264"):hears("main/enter-digits")
end)

test("no code but the right one lets anybody in", function(t)
  t:forall({ code = gen.digits(1, 8) }, function(t, case)
    local caller = try(t, case.code)
    caller:hears(case.code == "8264" and "main/enter-digits" or "cook/wrong-code")
    caller:hangs_up()
  end)
end)
