dialplan "cookbook.door_phone"

test("whoever answers talks with the visitor and opens the door with 9", function(t)
  local desk, other = t:phone("100", { answers = 3 }), t:phone("101")
  local door = t:call { as = "108", to = "250" }
  door:talks_to(desk)
  other:is_ended { cause = "cancelled" }
  desk:presses("9")
  door:hears({ key = "5" })
  t:logged("door opened by ext/100")
end)

test("no other key opens it", function(t)
  local desk = t:phone("100", { answers = 1 })
  local door = t:call { as = "108", to = "250" }
  door:talks_to(desk)
  desk:presses("1234567")
  t:wait(2)
  t:never_logged("door opened")
end)

test("the visitor cannot open it by pressing 9", function(t)
  local desk = t:phone("100", { answers = 1 })
  local door = t:call { as = "108", to = "250" }
  door:talks_to(desk)
  door:presses("9")
  t:wait(2)
  t:never_logged("door opened")
end)

test("nobody there is said", function(t)
  local door = t:call { as = "108", to = "250" }
  door:hears { "main/not-available", "main/goodbye" }
end)

test("no other phone gets to the lock", function(t)
  t:call { as = "101", to = "250" }:is_refused(403)
end)
