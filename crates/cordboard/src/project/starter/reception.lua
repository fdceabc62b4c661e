-- The reception: a phone during the day, a mailbox at night.

local hours = "mon-fri 08:30-17:30"

route("0", function(call)
  if not time.open(hours) then
    call:voicemail("100")
    return
  end
  local result = call:dial({ "ext/100", "ext/101" }, { timeout = 20 })
  if result.status ~= "ANSWERED" then
    call:play { "main/queue-sorry", "main/goodbye" }
  end
end)
