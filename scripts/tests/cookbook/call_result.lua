dialplan "cookbook.call_result"

local URL = "https://crm.example.org/calls"

-- What the contact program was told, oldest first.
local function told(t)
  local all = {}
  for index, request in ipairs(t:requests { url = URL }) do all[index] = json.decode(request.body) end
  return all
end

test("who talked, for how long and how it ended is told when the call is over", function(t)
  t:http("POST", URL, { status = 201 })
  local agent = t:phone("102", { answers = 2 })
  local caller = t:call { from = "+6621234567", to = "280" }
  caller:talks_to(agent)
  t:wait(20)
  t:equal(#t:requests(), 0)
  caller:hangs_up()
  t:wait(1)
  t:equal(#told(t), 1)
  local result = told(t)[1]
  t:equal({ result.from, result.agent, result.ended, result.code },
    { "+6621234567", "ext/102", "caller hung up", 200 })
  assert(result.talked >= 20, result.talked)
end)

test("a caller who gives up is told of as well", function(t)
  t:http("POST", URL, { status = 201 })
  t:phone("101")
  local caller = t:call { from = "+6621234567", to = "280" }
  t:wait(5)
  caller:hangs_up()
  t:wait(1)
  local result = told(t)[1]
  t:equal({ result.agent, result.talked, result.ended }, { nil, 0, "caller gave up" })
end)

test("what could not be told is told when the program works again", function(t)
  t:http("POST", URL, { status = 503 })
  t:call { from = "+6621234567", to = "280" }:is_ended()
  t:wait(1)
  t:equal(t:db("SELECT count(*) AS kept FROM untold")[1].kept, 1)
  t:http("POST", URL, { status = 201 })
  t:wait(660)
  t:equal(told(t)[2], told(t)[1])
  t:equal(t:db("SELECT count(*) AS kept FROM untold")[1].kept, 0)
end)

test("a program that never answers keeps no result from being kept", function(t)
  t:http("POST", URL, { never = true })
  t:call { from = "+6621234567", to = "280" }:is_ended()
  t:wait(10)
  t:equal(t:db("SELECT count(*) AS kept FROM untold")[1].kept, 1)
end)
