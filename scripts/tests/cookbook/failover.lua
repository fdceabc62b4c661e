dialplan "cookbook.failover"

local FIRST, SECOND = "sip:026000000@gw1.example.net", "sip:026000000@gw2.example.net"

test("the first gateway takes the call", function(t)
  local first = t:target(FIRST, { answers = 3 })
  t:target(SECOND, { answers = 0 })
  t:call { as = "100", to = "9026000000" }:talks_to(first)
end)

test("when it is out of order, the second takes it", function(t)
  t:target(FIRST, { refuses = 503 })
  local second = t:target(SECOND, { answers = 3 })
  t:call { as = "100", to = "9026000000" }:talks_to(second)
  t:logged("gateway gw1.example.net failed: 503")
end)

test("any failure of the gateway's own leads to the second", function(t)
  t:forall({ code = gen.one_of { 500, 502, 503, 504 } }, function(t, case)
    t:target(FIRST, { refuses = case.code })
    local second = t:target(SECOND, { answers = 1 })
    local caller = t:call { as = "100", to = "9026000000" }
    caller:talks_to(second)
    caller:hangs_up()
  end)
end)

test("a busy callee is not rung again through the second", function(t)
  t:target(FIRST, { busy = true })
  local second = t:target(SECOND, { answers = 1 })
  t:call { as = "100", to = "9026000000" }:is_refused(486)
  t:equal(#second:messages(), 0)
end)

test("when both are out of order, the caller is told", function(t)
  t:target(FIRST, { refuses = 503 })
  t:target(SECOND, { refuses = 500 })
  local caller = t:call { as = "100", to = "9026000000" }
  caller:hears("main/try-later")
  caller:is_refused(503)
end)

test("what is not a number of this country is not called", function(t)
  local everywhere = { t:target("sip:gw1.example.net"), t:target("sip:gw2.example.net") }
  for _, number in ipairs { "900881612345678", "91900123456", "90260000001", "902600000x" } do
    t:call { as = "100", to = number }:is_refused(404)
  end
  t:equal(#everywhere[1]:messages() + #everywhere[2]:messages(), 0)
end)

test("strangers do not call at our cost", function(t)
  t:call { stranger = true, from = "+6621234567", to = "9026000000" }:is_refused(401)
end)
