-- Phones call each other; who is not there has a mailbox.

-- X stands for any digit, so "1XX" is 100 to 199. A route for one number, such as "123" in
-- clock.lua, goes before a route for many.
route("1XX", function(call)
  local number = call.to.user

  -- Rings every phone of this extension at once. When somebody answers, the two talk, and the
  -- script goes on only after that.
  local result = call:dial("ext/" .. number, { timeout = 25 })

  -- Not one of the numbers that the configuration knows.
  if result.code == 404 then
    call:reject(404)
  end

  if result.status ~= "ANSWERED" then
    -- BUSY chooses the greeting "... is on another line", everything else "... is not available".
    call:voicemail(number, { reason = result.status })
  end
end)
