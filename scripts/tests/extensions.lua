-- Phones call each other; who is not there has a mailbox.

test("extensions talk to each other", function(t)
  local bob = t:phone("101", { answers = 3 })
  local alice = t:call { as = "100", to = "101" }
  alice:is_ringing()
  alice:talks_to(bob)
  alice:hangs_up()
  bob:is_ended { cause = "hung up by other" }
  t:record { from = "100", to = "101", answered = true, by = "ext/101" }
end)

test("all phones of an extension ring, and the first to answer has the call", function(t)
  local desk = t:phone("101", { label = "desk" })
  local mobile = t:phone("101", { label = "mobile", answers = 4 })
  local alice = t:call { as = "100", to = "101" }
  desk:rings { from = "100" }
  alice:talks_to(mobile)
  desk:is_ended { cause = "cancelled" }
end)

test("who is busy says so and takes a message", function(t)
  t:phone("101", { busy = true })
  local alice = t:call { as = "100", to = "101" }
  alice:hears { "vm/person-at", { say = "101", as = "digits" }, "vm/busy" }
  alice:hears("beep", { wholly = true })
  alice:says(4)
  alice:hangs_up()
  t:mailbox("101"):has { from = "100", seconds = 4, heard = false }
end)

test("who does not answer has the mailbox after 25 seconds", function(t)
  local bob = t:phone("101")
  local alice = t:call { as = "100", to = "101" }
  bob:rings()
  t:wait(24)
  t:equal(#alice:messages { status = 200 }, 0, "answers before the time is up")
  alice:hears("vm/unavailable")
  bob:is_ended { cause = "cancelled" }
end)

test("a phone that is not registered has a mailbox at once", function(t)
  t:call { as = "100", to = "101" }:hears("vm/unavailable", { within = 10 })
end)

test("a number that is nobody's is refused", function(t)
  t:call { as = "100", to = "155" }:is_refused(404)
end)

test("a caller who gives up leaves no call behind", function(t)
  local bob = t:phone("101")
  local alice = t:call { as = "100", to = "101" }
  bob:rings()
  alice:hangs_up()
  alice:is_ended { cause = "gave up" }
  bob:is_ended { cause = "cancelled" }
  t:record { to = "101", answered = false }
end)

test("whenever a phone answers within 25 seconds, the two talk", function(t)
  t:forall({ after = gen.seconds(0, 24.9), loses = gen.one_of { 0, 0.05 } }, function(t, case)
    local bob = t:phone("101", { answers = case.after, loses = case.loses })
    t:call { as = "100", to = "101" }:talks_to(bob)
  end, { runs = 20 })
end)

test("strangers reach nobody", function(t)
  local bob = t:phone("101", { answers = 1 })
  local stranger = t:call { stranger = true, from = "mallory", to = "101" }
  stranger:sees { status = 401 }
  stranger:is_ended { cause = "refused" }
  t:equal(#bob:messages { method = "INVITE" }, 0, "calls that came through")
end)
