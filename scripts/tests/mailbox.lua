-- Listening to voicemail.

-- Leaves a message of so many seconds for 101.
local function leave(t, from, seconds)
  local caller = t:call { from = from, to = "101" }
  caller:hears("beep", { wholly = true })
  caller:says(seconds)
  caller:hangs_up()
  t:mailbox("101"):has { from = from, seconds = seconds }
  return caller
end

test("*97 opens the caller's own mailbox", function(t)
  local caller = leave(t, "+6621234567", 3)
  local owner = t:call { as = "101", to = "*97" }
  owner:hears("vm/enter-pin")
  owner:presses(t:mailbox("101").pin .. "#")
  owner:hears { "vm/you-have", { say = 1 }, "vm/new-message" }
  owner:presses("1")
  owner:hears({ recording = caller }, { wholly = true })
  t:wait(1)
  owner:hangs_up()
  t:mailbox("101"):has { from = "+6621234567", heard = true }
end)

test("a wrong PIN opens nothing", function(t)
  leave(t, "+6621234567", 2)
  local owner = t:call { as = "101", to = "*97" }
  owner:hears("vm/enter-pin")
  owner:presses("99999#")
  owner:hears("vm/wrong-pin")
  owner:hangs_up()
  t:mailbox("101"):has { heard = false }
end)

test("*98 asks for the mailbox first", function(t)
  local caller = t:call { as = "100", to = "*98" }
  caller:hears("vm/enter-mailbox")
  caller:presses("101#")
  caller:hears("vm/enter-pin")
end)

test("*97 from a trusted network, which has no account, asks as well", function(t)
  t:call { from = "+6621234567", to = "*97" }:hears("vm/enter-mailbox")
end)
