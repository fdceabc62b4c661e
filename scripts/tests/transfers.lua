-- Phones pass calls on with their transfer key; the dialplan says where that leads.

test("a caller is passed on to a colleague", function(t)
  local bob = t:phone("101", { answers = 1 })
  local carol = t:phone("102", { answers = 3 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:transfers("102")
  carol:rings { from = "100" }
  alice:talks_to(carol)
  bob:is_ended { cause = "hung up by other" }
  alice:hangs_up()
  t:record { from = "100", to = "102", answered = true, by = "ext/102" }
end)

test("whoever calls can pass on, too", function(t)
  local bob = t:phone("101", { answers = 1 })
  local carol = t:phone("102", { answers = 1 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  alice:transfers("102")
  bob:talks_to(carol)
end)

test("a caller is passed on after asking", function(t)
  local bob = t:phone("101", { answers = 1 })
  local carol = t:phone("102", { answers = 3 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:holds()
  t:call { as = "101", to = "102" }:talks_to(carol)
  bob:transfers(carol)
  alice:talks_to(carol)
  alice:hangs_up()
  t:record { from = "100", to = "102", answered = true, by = "ext/102" }
end)

test("who is passed on to an empty desk can leave a message", function(t)
  local bob = t:phone("101", { answers = 1 })
  t:phone("102")
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:transfers("102")
  bob:hangs_up()
  alice:hears("beep", { wholly = true, within = 60 })
  alice:says(4)
  alice:hangs_up()
  t:mailbox("102"):has { from = "100", seconds = 4 }
end)

test("nobody is lost by a transfer to a number that does not exist", function(t)
  local bob = t:phone("101", { answers = 1 })
  local alice = t:call { as = "100", to = "101" }
  alice:talks_to(bob)
  bob:transfers("155")
  bob:sees { method = "NOTIFY", body = "404" }
  alice:talks_to(bob)
end)
