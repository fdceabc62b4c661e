dialplan "cookbook.click_to_call"

local CRM, CALLEE = "https://crm.example.org/clicks", "sip:026000000@gw1.example.net"

before(function(t)
  t:http("GET", CRM, { json = { number = "026000000" } })
  t:http("POST", CRM, { status = 204 })
end)

test("the number that was clicked is called, and what came of it is told", function(t)
  local callee = t:target(CALLEE, { answers = 3 })
  local caller = t:call { as = "101", to = "290" }
  caller:talks_to(callee)
  callee:hangs_up()
  caller:is_ended()
  local asked, told = t:requests()[1], t:requests()[2]
  t:equal(asked.url, CRM .. "?extension=101")
  t:equal(json.decode(told.body).status, "ANSWERED")
end)

test("a busy number is told as well", function(t)
  t:target(CALLEE, { busy = true })
  t:call { as = "101", to = "290" }:is_refused(486)
  t:equal(json.decode(t:requests()[2].body).status, "BUSY")
end)

test("when nothing was clicked, nobody is called", function(t)
  t:http("GET", CRM, { json = json.decode("{}") })
  local caller = t:call { as = "101", to = "290" }
  caller:hears("main/nothing-pressed")
  caller:is_refused(404)
  t:equal(#t:requests(), 1)
end)

test("what is no number is not called", function(t)
  t:http("GET", CRM, { json = { number = "1@elsewhere.example" } })
  t:call { as = "101", to = "290" }:is_refused(404)
end)

test("a contact program that fails in any way is no reason for silence", function(t)
  local failures = { { status = 500 }, { fails = "refused" }, { fails = "timeout" }, { delay = 5 } }
  t:forall({ how = gen.whole(1, #failures) }, function(t, case)
    t:http("GET", CRM, failures[case.how])
    local caller = t:call { as = "101", to = "290" }
    caller:hears("main/try-later")
    caller:is_refused(503)
  end)
end)

test("who hangs up while the program is asked leaves nothing behind", function(t)
  t:http("GET", CRM, { delay = 2, json = { number = "026000000" } })
  local caller = t:call { as = "101", to = "290" }
  t:wait(1)
  caller:hangs_up()
  t:record { to = "290", answered = false }
end)
