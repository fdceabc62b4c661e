-- A door phone. Its button calls 250; everybody in the office rings. Whoever answers talks with the
-- visitor and presses 9 to open: the door phone is sent the key that works its lock, 5.
--
-- To change: who is rung, the key to press, and the key that the lock waits for. The door phone has
-- an account of its own, and only that account can open the door.

local DOOR = "108"
local OPEN_KEY, LOCK_KEY = "9", "5"

route("250", function(call)
  if call.account ~= DOOR then call:reject(403) end

  call:on("dtmf", function(key, by)
    if by == "callee" and key == OPEN_KEY then
      call:dtmf(LOCK_KEY, { to = "caller" })
      log.info("door opened by", call.vars.answered_by)
    end
  end)
  call:on("answer", function(who) call.vars.answered_by = who end)

  local result = call:dial({ "ext/100", "ext/101", "ext/102" }, { timeout = 40 })
  if result.status ~= "ANSWERED" then
    call:play { "main/not-available", "main/goodbye" }
  end
  call:hangup()
end)
