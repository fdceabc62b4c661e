dialplan "cookbook.screening"

local function call(t)
  return t:call { from = "+6621234567", to = "280" }
end

-- Lists the caller with one of the extensions' numbers for it.
local function list(t, number)
  call(t):hangs_up()
  local owner = t:call { as = "100", to = number }
  owner:hears { { say = "+6621234567", as = "digits" }, "main/thank-you" }
  owner:is_ended()
end

test("by day an unknown caller rings", function(t)
  local desk = t:phone("100")
  local caller = call(t)
  desk:rings { from = "+6621234567" }
  caller:hangs_up()
end)

test("by night an unknown caller gets the mailbox", function(t)
  t:at("2026-11-23 22:00")
  t:phone("100")
  call(t):hears("vm/unavailable")
end)

test("a friend rings through at night", function(t)
  list(t, "281")
  t:at("2026-11-23 03:00")
  local desk = t:phone("100", { answers = 2 })
  call(t):talks_to(desk)
end)

test("who is blocked is told that the number is not in service", function(t)
  list(t, "282")
  local caller = call(t)
  caller:hears("main/not-in-service")
  caller:is_refused(404)
end)

test("the last word about a number counts", function(t)
  list(t, "282")
  call(t):is_refused(404)
  t:call { as = "100", to = "281" }:is_ended()
  local desk = t:phone("100")
  local caller = call(t)
  desk:rings()
  caller:hangs_up()
end)

test("a caller without a number rings, and cannot be listed", function(t)
  local desk = t:phone("100")
  local caller = t:call { from = "mallory", to = "280" }
  desk:rings { from = "mallory" }
  caller:hangs_up()
  local owner = t:call { as = "100", to = "281" }
  owner:hears("main/invalid")
end)

test("strangers to the office cannot change the list", function(t)
  t:call { stranger = true, from = "+6621234567", to = "281" }:is_refused(401)
end)
