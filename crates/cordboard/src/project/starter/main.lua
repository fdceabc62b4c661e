-- The dialplan starts here: a route says what happens when a number is dialled.

require "reception" -- 0

-- Phones call each other; who does not answer has a mailbox.
route("1XX", function(call)
  local result = call:dial("ext/" .. call.to.user, { timeout = 25 })
  if result.code == 404 then
    call:reject(404)
  end
  if result.status ~= "ANSWERED" then
    call:voicemail(call.to.user, { reason = result.status })
  end
end)

-- Listen to your messages.
route("*97", function(call)
  call:mailbox(call.account)
end)

-- Hear yourself: tells whether sound gets through in both directions.
route("600", function(call)
  call:play("main/echo-intro")
  call:echo()
end)
