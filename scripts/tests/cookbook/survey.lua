dialplan "cookbook.survey"

-- A caller whose call to support is over, and who is asked.
local function caller_asked(t, agent)
  agent = agent or t:phone("103", { answers = 2 })
  local caller = t:call { from = "+6621234567", to = "270" }
  caller:talks_to(agent)
  agent:hangs_up()
  caller:hears("cook/survey")
  return caller
end

test("an answer is kept", function(t)
  local caller = caller_asked(t)
  caller:presses("4")
  caller:hears { "cook/survey-thanks", "main/goodbye" }
  t:equal(t:db("SELECT caller, agent, mark FROM survey"),
    { { caller = "+6621234567", agent = "ext/103", mark = 4 } })
end)

test("9 is no mark; the caller is asked again", function(t)
  local caller = caller_asked(t)
  caller:presses("9")
  caller:hears { "main/invalid", "cook/survey" }
  caller:presses("1")
  caller:hears("cook/survey-thanks")
  t:equal(t:db("SELECT mark FROM survey")[1].mark, 1)
end)

test("who hangs up instead leaves no answer", function(t)
  local caller = caller_asked(t)
  caller:hangs_up()
  caller:is_ended()
end)

test("who gets nobody can leave a message and is asked nothing", function(t)
  t:call { from = "+6621234567", to = "270" }:hears("vm/unavailable")
end)

test("271 tells the mean of the last month", function(t)
  local agent = t:phone("103", { answers = 2 })
  for _, mark in ipairs { "5", "4" } do
    local caller = caller_asked(t, agent)
    caller:presses(mark)
    caller:is_ended()
  end
  t:call { as = "100", to = "271" }:hears { say = 4.5 }
end)

test("271 knows nothing older than 30 days", function(t)
  t:at("2026-06-01 10:00")
  local caller = caller_asked(t)
  caller:presses("5")
  caller:is_ended()
  t:at("2026-07-02 10:00")
  t:call { as = "100", to = "271" }:hears { say = 0 }
end)
