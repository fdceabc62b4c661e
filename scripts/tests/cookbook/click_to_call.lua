dialplan "cookbook.click_to_call"

local NUMBER = "+6620000000"
local CALLEE = "sip:" .. NUMBER .. "@gw1.example.net"

-- What the contact program is answered when somebody clicks.
local function click(t, wish) return t:asks("POST", "/click", { json = wish }) end

local function standing(t, id)
  return t:asks("GET", "/click", { query = { id = id } }).json.status
end

test("who clicked is rung, and then the number is called", function(t)
  local phone = t:phone("101", { answers = 2 })
  local callee = t:target(CALLEE, { answers = 3 })
  local answer = click(t, { extension = "101", number = NUMBER })
  t:equal(answer.status, 200)
  t:equal(answer.json.status, "ANSWERED")
  phone:rings { from = NUMBER }
  phone:talks_to(callee)
  t:equal(standing(t, answer.json.id), "CALLING")
  callee:hangs_up()
  phone:is_ended()
  t:equal(standing(t, answer.json.id), "ENDED")
end)

test("when the person who clicked hangs up first, the call has ended as well", function(t)
  local phone = t:phone("101", { answers = 2 })
  local callee = t:target(CALLEE, { answers = 3 })
  local answer = click(t, { extension = "101", number = NUMBER })
  phone:talks_to(callee)
  phone:hangs_up()
  callee:is_ended()
  t:equal(standing(t, answer.json.id), "ENDED")
end)

test("a busy number is told, to the person and to the program", function(t)
  local phone = t:phone("101", { answers = 2 })
  t:target(CALLEE, { busy = true })
  local answer = click(t, { extension = "101", number = NUMBER })
  phone:hears { "main/not-available", "main/goodbye" }
  t:equal(standing(t, answer.json.id), "BUSY")
end)

test("a phone that nobody picks up, or that is not there, is told", function(t)
  local callee = t:target(CALLEE, { answers = 3 })
  local answer = click(t, { extension = "102", number = NUMBER })
  t:equal({ answer.status, answer.json.status }, { 409, "CHANUNAVAIL" })
  t:phone("101")
  answer = click(t, { extension = "101", number = NUMBER })
  t:equal({ answer.status, answer.json.status }, { 409, "NOANSWER" })
  t:wait(60)
  t:equal(#callee:messages(), 0)
end)

test("a program without the token is refused", function(t)
  t:phone("101", { answers = 2 })
  local wish = { json = { extension = "101", number = NUMBER }, token = false }
  t:equal(t:asks("POST", "/click", wish).status, 401)
end)

test("nothing is called but what may be", function(t)
  t:phone("101", { answers = 2 })
  local callee = t:target("sip:elsewhere.example", { answers = 1 })
  for _, number in ipairs {
    "", "101", "+661900123456", "+881612345678", "+6620000000@elsewhere.example;x=",
    "+6620000000\n", "sip:1@elsewhere.example", 6620000000, true, { NUMBER },
  } do
    t:equal(click(t, { extension = "101", number = number }).status, 400, tostring(number))
  end
  t:equal(click(t, { extension = "100", number = NUMBER }).status, 400)
  t:equal(click(t, { number = NUMBER }).status, 400)
  t:equal(click(t, "101").status, 400)
  t:equal(t:asks("POST", "/click", { body = "{" }).status, 400)
  t:wait(10)
  t:equal(#callee:messages(), 0)
end)

test("whoever has the token cannot have everybody called all day", function(t)
  for _ = 1, 30 do t:equal(click(t, { extension = "101", number = NUMBER }).status, 409) end
  t:equal(click(t, { extension = "101", number = NUMBER }).status, 429)
  t:wait(3600)
  t:equal(click(t, { extension = "101", number = NUMBER }).status, 409)
end)

test("a click that never was is unknown", function(t)
  t:equal(t:asks("GET", "/click", { query = { id = "x" } }).status, 404)
  t:equal(t:asks("GET", "/click").status, 404)
end)
